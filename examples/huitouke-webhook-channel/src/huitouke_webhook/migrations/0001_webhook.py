"""Addresses of the merchants' own systems."""

import sqlalchemy as sa

from huitouke.kernel.database.ddl import tenant_table

revision = "webhook_0001"
down_revision = None
branch_labels = ("webhook",)
depends_on = ("kernel_0001",)


def upgrade() -> None:
    tenant_table(
        "webhook_targets",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("read_until", sa.Uuid()),
        primary_key=("account_id",),
    )
