"""The list of customers is read from an index, those who never wrote included."""

from huitouke.kernel.database.ddl import tenant_index

revision = "customers_0002"
down_revision = "customers_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The expression is the one by which `queries.py` sorts.
    tenant_index(
        "customers", "(coalesce(last_seen_at, '1970-01-01 00:00:00+00'::timestamptz))", "id", name="ix_customers_seen"
    )
