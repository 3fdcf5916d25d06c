"""Messages of customers per day."""

import sqlalchemy as sa

from huitouke.kernel.database.ddl import tenant_table

revision = "visits_0001"
down_revision = None
branch_labels = ("visits",)
depends_on = ("kernel_0001",)


def upgrade() -> None:
    tenant_table(
        "visits_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        primary_key=("day",),
    )
