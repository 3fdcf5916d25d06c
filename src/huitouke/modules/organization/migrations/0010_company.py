"""The company behind the shop."""

import sqlalchemy as sa

from huitouke.kernel.database.ddl import tenant_table

revision = "organization_0010"
down_revision = "organization_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    words = ("name", "licence_number", "address", "contact_name", "contact_phone", "industry")
    tenant_table(
        "company_profiles",
        *(sa.Column(name, sa.Text(), nullable=False, server_default="") for name in words),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        primary_key=(),
    )
