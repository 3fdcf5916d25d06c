"""The company behind the shop."""

from typing import Any

import sqlalchemy as sa

from huitouke.kernel.database.ddl import tenant_table

revision = "organization_0010"
down_revision = "organization_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tenant_table(
        "company_profiles",
        _words("name"),
        _words("licence_number"),
        _words("address"),
        _words("contact_name"),
        _words("contact_phone"),
        _words("industry"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        primary_key=(),
    )


def _words(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")
