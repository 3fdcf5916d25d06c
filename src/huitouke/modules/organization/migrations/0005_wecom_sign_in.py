"""The addresses at which people sign in with WeCom."""

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import platform_table

revision = "organization_0005"
down_revision = "organization_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    platform_table(
        "wecom_doors",
        sa.Column("code", sa.Text(), nullable=False, comment="128 random bits, in the address"),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("wecom_app_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "wecom_app_id"], ["wecom_apps.tenant_id", "wecom_apps.id"], ondelete="CASCADE"
        ),
        primary_key=("code",),
        reason="opened by someone who is not signed in yet; holds ids alone",
        rights="select, insert, delete",
    )
    op.create_index("uq_wecom_doors_app", "wecom_doors", ["tenant_id", "wecom_app_id"], unique=True)
