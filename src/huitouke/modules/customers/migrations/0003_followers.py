"""Who follows a customer: whose customer it is, by which people with a narrower role see it or don't."""

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "customers_0003"
down_revision = "customers_0002"
branch_labels = None
depends_on = None

SEEN = "(CASE WHEN last_seen_at IS NULL THEN '1970-01-01 00:00:00+00'::timestamptz ELSE last_seen_at END)"


def upgrade() -> None:
    tenant_table(
        "customer_followers",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"], ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"], ondelete="CASCADE"),
        primary_key=("customer_id", "staff_id"),
    )
    tenant_index("customer_followers", "staff_id", "customer_id")
    op.add_column("customers", sa.Column("followed", sa.Boolean(), nullable=False, server_default=sa.false()))
    # The order is the one by which `queries.py` sorts, which says why it is CASE.
    tenant_index("customers", SEEN, "id", name="ix_customers_unfollowed", where="NOT followed")
    tenant_index("customers", SEEN, "id", name="ix_customers_seen_order")
    # Processes of the release before sort instead, until they are replaced.
    op.execute("DROP INDEX ix_customers_seen")
