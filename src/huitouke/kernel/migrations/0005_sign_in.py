"""When a session was last used; links with which a person sets a password."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import definer_function, platform_table

revision = "kernel_0005"
down_revision = "kernel_0004"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("last_seen_at", _time(), comment="to within a quarter of an hour"))
    # The gate gives a column more, which PostgreSQL takes for another function.
    op.execute("DROP FUNCTION resolve_session(bytea, timestamptz)")
    definer_function((SQL / "access_gates_0005.sql").read_text(encoding="utf-8"), "resolve_session(bytea, timestamptz)")
    platform_table(
        "access_links",
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the link's 256 random bits"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("expires_at", _time(), nullable=False),
        sa.CheckConstraint("kind IN ('invitation', 'reset')", name="ck_access_links_kind"),
        primary_key=("digest",),
        reason="opened by someone who is not signed in yet",
        rights="select, insert, update, delete",
    )
    op.create_index("ix_access_links_user_id", "access_links", ["user_id"])
    op.create_index("ix_access_links_expires_at", "access_links", ["expires_at"])


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)
