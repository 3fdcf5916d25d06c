"""The shop's own chat page: what stands on it beside the account that its conversations run through."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from huitouke.kernel.database.ddl import tenant_table

revision = "conversations_0005"
down_revision = "conversations_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tenant_table(
        "hosted_pages",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False, comment="of its address; whose it is stands in public_links"),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("color", sa.Text(), nullable=False, comment="#rrggbb"),
        sa.Column("questions", JSONB(), nullable=False, comment="texts of the buttons, at most four"),
        sa.Column("record_number", sa.Text(), nullable=False, comment="ICP 备案号 at the foot of the page, or empty"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id", "account_id"], ["channel_accounts.tenant_id", "channel_accounts.id"]),
        primary_key=("account_id",),
    )
