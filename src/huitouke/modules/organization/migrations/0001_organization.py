"""Staff, WeCom apps, access tokens."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "organization_0001"
down_revision = None
branch_labels = ("organization",)
depends_on = ("kernel_0001",)


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wecom_userid", sa.Text()),
        sa.Column("notify_app_messages", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("role in ('owner', 'administrator', 'agent')", name="role"),
        sa.CheckConstraint("state in ('active', 'disabled')", name="state"),
        primary_key=("id",),
    )
    tenant_index("staff", "user_id", unique=True)
    tenant_index("staff", "wecom_userid", unique=True)
    tenant_table(
        "wecom_apps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("corp_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("callback_endpoint_id", sa.Uuid()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_checked_at", moment),
        sa.Column("last_check", JSONB()),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("state in ('new', 'verified', 'failing')", name="state"),
        primary_key=("id",),
    )
    tenant_index("wecom_apps", "corp_id", "agent_id", unique=True)
    tenant_table(
        "access_tokens",
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("token_sealed", sa.Text()),
        sa.Column("expires_at", moment),
        sa.Column("refreshing_until", moment),
        sa.ForeignKeyConstraint(
            ["tenant_id", "credential_id"], ["wecom_apps.tenant_id", "wecom_apps.id"], ondelete="CASCADE"
        ),
        primary_key=("credential_id",),
    )
