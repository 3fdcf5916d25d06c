"""Channel accounts, conversations, messages and their delivery."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "conversations_0001"
down_revision = None
branch_labels = ("conversations",)
depends_on = ("kernel_0001", "organization_0001", "customers_0001")

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _accounts()
    _conversations()
    _messages()
    _delivery()
    _notices()


def _accounts() -> None:
    tenant_table(
        "channel_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("avatar_url", sa.Text()),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("wecom_app_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("handover_to", sa.Text(), nullable=False),
        sa.Column("greeting", sa.Text(), nullable=False),
        sa.Column("assistant_enabled", sa.Boolean(), nullable=False),
        sa.Column("link_url", sa.Text()),
        sa.Column("sync_cursor", sa.Text()),
        sa.Column("last_synced_at", MOMENT),
        sa.Column("last_error_code", sa.Text()),
        sa.Column("last_error_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("state in ('active', 'disconnected', 'failing')", name="state"),
        sa.CheckConstraint("handover_to in ('console', 'wecom')", name="handover_to"),
        sa.ForeignKeyConstraint(["tenant_id", "wecom_app_id"], ["wecom_apps.tenant_id", "wecom_apps.id"]),
        primary_key=("id",),
    )
    tenant_index("channel_accounts", "kind", "external_id", unique=True)


def _conversations() -> None:
    tenant_table(
        "conversations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_account_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("customer_address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("handler", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Uuid()),
        sa.Column("servicer_userid", sa.Text()),
        sa.Column("session_state", sa.SmallInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("state_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_message_at", MOMENT, nullable=False),
        sa.Column("last_preview", sa.Text(), nullable=False),
        sa.Column("last_msgtype", sa.Text(), nullable=False),
        sa.Column("last_sender", sa.Text(), nullable=False),
        sa.Column("last_customer_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_customer_message_at", MOMENT),
        sa.Column("unread", sa.Integer(), nullable=False),
        sa.Column("window_left", sa.SmallInteger(), nullable=False),
        sa.Column("window_expires_at", MOMENT),
        sa.Column("assistant_paused_until", MOMENT),
        sa.Column("handover_id", sa.Uuid()),
        sa.Column("handover_to", sa.Text()),
        sa.Column("handover_servicer", sa.Text()),
        sa.Column("handover_reason", sa.Text()),
        sa.Column("handover_summary", sa.Text()),
        sa.Column("handover_problem", sa.Text()),
        sa.Column("waiting_since", MOMENT),
        sa.Column("closed_at", MOMENT),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("state in ('open', 'closed')", name="state"),
        sa.CheckConstraint("handler in ('assistant', 'agent', 'servicer')", name="handler"),
        sa.CheckConstraint("session_state between 0 and 4", name="session_state"),
        sa.CheckConstraint("window_left >= 0", name="window_left"),
        sa.CheckConstraint("handler = 'agent' or staff_id is null", name="staff_id"),
        sa.CheckConstraint("handover_to in ('console', 'wecom')", name="handover_to"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "channel_account_id"], ["channel_accounts.tenant_id", "channel_accounts.id"]
        ),
        sa.ForeignKeyConstraint(["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"]),
        sa.ForeignKeyConstraint(["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"]),
        primary_key=("id",),
    )
    tenant_index("conversations", "channel_account_id", "customer_address", unique=True)
    tenant_index("conversations", "customer_id")
    tenant_index("conversations", "last_message_at", "id")
    tenant_index("conversations", "changed_at", "id")
    tenant_index("conversations", "state", "handler", "last_message_at", "id")
    tenant_index("conversations", "staff_id", "state", "last_message_at", "id")
    tenant_index("conversations", "handover_id", where="handover_id is not null")
    tenant_index("conversations", "waiting_since", "id", where="waiting_since is not null")


def _messages() -> None:
    tenant_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("changed_seq", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("sender_kind", sa.Text(), nullable=False),
        sa.Column("sender_id", sa.Uuid()),
        sa.Column("sender_userid", sa.Text()),
        sa.Column("msgtype", sa.Text(), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("file_id", sa.Uuid()),
        sa.Column("ai", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text()),
        sa.Column("external_msgid", sa.Text()),
        sa.Column("client_id", sa.Text()),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("recalled_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("direction in ('in', 'out')", name="direction"),
        sa.CheckConstraint(
            "sender_kind in ('customer', 'assistant', 'agent', 'servicer', 'system')", name="sender_kind"
        ),
        sa.CheckConstraint("state in ('received', 'queued', 'sending', 'sent', 'failed', 'unknown')", name="state"),
        primary_key=("id",),
        partition_by="id",
    )
    tenant_index("messages", "conversation_id", "seq")
    tenant_index("messages", "conversation_id", "changed_seq")
    tenant_table(
        "message_receipts",
        sa.Column("channel_account_id", sa.Uuid(), nullable=False),
        sa.Column("external_msgid", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid()),
        primary_key=("channel_account_id", "external_msgid"),
    )
    tenant_table(
        "message_client_ids",
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        primary_key=("conversation_id", "client_id"),
    )


def _delivery() -> None:
    tenant_table(
        "outbound_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("channel_account_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("msgid", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", MOMENT, nullable=False),
        sa.Column("event_code", sa.Text()),
        sa.Column("expires_at", MOMENT),
        sa.Column("ai_label", sa.Text()),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("accepted_at", MOMENT),
        sa.Column("error_code", sa.Text()),
        sa.CheckConstraint("state in ('queued', 'sending', 'sent', 'failed', 'unknown')", name="state"),
        primary_key=("id",),
    )
    tenant_index("outbound_messages", "conversation_id", "state", "seq")
    tenant_table(
        "media_downloads",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("channel_account_id", sa.Uuid(), nullable=False),
        sa.Column("media_id", sa.Text(), nullable=False),
        sa.Column("msgtype", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", MOMENT, nullable=False),
        sa.Column("error_code", sa.Text()),
        sa.CheckConstraint("state in ('waiting', 'stored', 'lost')", name="state"),
        primary_key=("message_id",),
    )
    tenant_index("media_downloads", "channel_account_id", "next_attempt_at", where="state = 'waiting'")
    tenant_table(
        "channel_media",
        sa.Column("channel_account_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("media_id", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        primary_key=("channel_account_id", "file_id"),
    )


def _notices() -> None:
    tenant_table(
        "handover_notices",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("wecom_app_id", sa.Uuid(), nullable=False),
        sa.Column("recipients", JSONB(), nullable=False),
        sa.Column("response_code", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("state in ('sending', 'sent', 'updated', 'failed', 'unknown', 'nobody')", name="state"),
        primary_key=("handover_id",),
    )
    tenant_index("handover_notices", "conversation_id")
