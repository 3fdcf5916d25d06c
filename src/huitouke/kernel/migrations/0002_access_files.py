"""Who signs in, files, the audit log, idempotency keys."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import definer_function, platform_table, tenant_index, tenant_table

revision = "kernel_0002"
down_revision = "kernel_0001"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    _people()
    _files()
    _audit_log()
    tenant_table(
        "idempotency_keys",
        sa.Column("scope", sa.Text(), nullable=False, comment="the use case, e.g. conversations.send"),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), comment="SHA-256 of what was asked"),
        sa.Column("result", sa.JSON(), comment="what the first call answered"),
        sa.Column("created_at", _time(), nullable=False),
        primary_key=("scope", "key"),
    )
    tenant_index("idempotency_keys", "created_at")

    platform_table(
        "test_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("offset_seconds", sa.Float(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_test_clock_one_row"),
        primary_key=("id",),
        reason="moves the clock of all processes in tests; empty in production",
        rights="select, insert, update",
    )


def _people() -> None:
    platform_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sign_in_name", sa.Text(), nullable=False, comment="in lower case"),
        sa.Column("password_hash", sa.Text(), nullable=False, comment="argon2id"),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("password_changed_at", _time(), nullable=False),
        sa.UniqueConstraint("sign_in_name", name="uq_users_sign_in_name"),
        sa.CheckConstraint("state IN ('active', 'disabled')", name="ck_users_state"),
        primary_key=("id",),
        reason="a person may work for several tenants; read before the tenant is known",
        rights="select, insert, update, delete",
    )
    platform_table(
        "memberships",
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'ended')", name="ck_memberships_state"),
        primary_key=("user_id", "tenant_id"),
        reason="which tenants a person may enter; read at sign-in, before the tenant is known",
        rights="select, insert, update, delete",
    )
    platform_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the cookie's 256 random bits"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("expires_at", _time(), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("user_agent", sa.Text()),
        primary_key=("digest",),
        reason="found by the cookie before the tenant is known",
        rights="select, insert, update, delete",
    )
    platform_table(
        "sign_in_throttles",
        sa.Column("key", sa.Text(), nullable=False, comment="name:<digest> or address:<network address>"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", _time(), nullable=False),
        primary_key=("key",),
        reason="counts wrong passwords per name and address, before anyone is known",
        rights="select, insert, update, delete",
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_index("ix_sign_in_throttles_window_ends_at", "sign_in_throttles", ["window_ends_at"])
    definer_function((SQL / "access_gates.sql").read_text(encoding="utf-8"), "resolve_session(bytea, timestamptz)")


def _files() -> None:
    tenant_table(
        "files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="as the sender called it"),
        sa.Column("media_type", sa.Text(), nullable=False, comment="found from the content, never taken on trust"),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attached_to_kind", sa.Text()),
        sa.Column("attached_to_id", sa.Uuid()),
        sa.Column("created_at", _time(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'attached')", name="ck_files_state"),
        sa.CheckConstraint("(state = 'attached') = (attached_to_kind IS NOT NULL)", name="ck_files_attached"),
        primary_key=("id",),
    )
    tenant_index("files", "created_at", name="ix_files_waiting", where="state = 'waiting'")
    tenant_index("files", "attached_to_kind", "attached_to_id", name="ix_files_attached_to")


def _audit_log() -> None:
    tenant_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", _time(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("address", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.Column("action", sa.Text(), nullable=False, comment="e.g. organization.staff_added"),
        sa.Column("object_kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        primary_key=("id",),
        rights="select, insert",
    )
    tenant_index("audit_log", "object_kind", "object_id", "id")


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)
