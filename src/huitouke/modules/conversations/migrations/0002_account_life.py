"""Texts that an account sends on events, accounts without an app, recalls that come before their message."""

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "conversations_0002"
down_revision = "conversations_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _texts()
    # A disconnected account keeps its conversations and lets go of its app, which can then be deleted.
    op.alter_column("channel_accounts", "wecom_app_id", nullable=True)
    _early_recalls()
    tenant_index("handover_notices", "wecom_app_id", "created_at")


def _texts() -> None:
    """Defaults stay in the database: the version before writes rows without these columns."""
    for name, on in (("greeting", True), ("closing", False), ("taken", False)):
        if name != "greeting":
            op.add_column("channel_accounts", sa.Column(name, sa.Text(), nullable=False, server_default=""))
        switch: sa.Column[bool] = sa.Column(
            f"{name}_on", sa.Boolean(), nullable=False, server_default=sa.true() if on else sa.false()
        )
        op.add_column("channel_accounts", switch)


def _early_recalls() -> None:
    tenant_table(
        "early_recalls",
        sa.Column("channel_account_id", sa.Uuid(), nullable=False),
        sa.Column("external_msgid", sa.Text(), nullable=False),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=False),
        primary_key=("channel_account_id", "external_msgid"),
    )
