"""Calls to WeCom that failed, by app, call and code: for the page that says how a connection is."""

import sqlalchemy as sa

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "organization_0009"
down_revision = "organization_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "wecom_call_failures",
        sa.Column("wecom_app_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False, comment="of the call, e.g. kf/send_msg"),
        sa.Column("code", sa.Text(), nullable=False, comment="WeCom's error code, or why there was no answer"),
        sa.Column("day", sa.Date(), nullable=False, comment="in UTC"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "wecom_app_id"], ["wecom_apps.tenant_id", "wecom_apps.id"], ondelete="CASCADE"
        ),
        primary_key=("wecom_app_id", "day", "path", "code"),
    )
    tenant_index("wecom_call_failures", "day")
