"""Who runs the installation: platform operators, their sessions and log, what they see of tenants, their visits."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import ALL_RIGHTS, definer_function, platform_table

revision = "kernel_0012"
down_revision = "kernel_0011"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    platform_table(
        "platform_operators",
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        primary_key=("user_id",),
        reason="who runs the installation; belongs to no tenant",
        rights=ALL_RIGHTS,
    )
    platform_table(
        "operator_sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the cookie's 256 random bits"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "user_id", sa.Uuid(), sa.ForeignKey("platform_operators.user_id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("expires_at", _time(), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("user_agent", sa.Text()),
        primary_key=("digest",),
        reason="an operator's browser; for no tenant",
        rights=ALL_RIGHTS,
    )
    op.create_index("ix_operator_sessions_user_id", "operator_sessions", ["user_id"])
    op.create_index("ix_operator_sessions_expires_at", "operator_sessions", ["expires_at"])
    platform_table(
        "platform_audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", _time(), nullable=False),
        sa.Column("user_id", sa.Uuid(), comment="the operator; null: a command on the machine"),
        sa.Column("operator", sa.Text(), nullable=False, comment="the name then"),
        sa.Column("address", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), comment="the tenant that it was done to"),
        sa.Column("object", sa.Text(), nullable=False, comment="its name then, for people"),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
        primary_key=("id",),
        reason="what operators did, across tenants; what touches a tenant stands in its own log too",
        rights="select, insert",
    )
    op.create_index("ix_platform_audit_tenant_id_id", "platform_audit", ["tenant_id", "id"])
    platform_table(
        "tenant_health",
        sa.Column("tenant_id", sa.Uuid(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("measured_at", _time(), nullable=False),
        sa.Column("last_callback_at", _time()),
        sa.Column("dead_letters", sa.Integer(), nullable=False),
        sa.Column("signs", sa.JSON(), nullable=False, comment="what modules find wrong: name and number"),
        sa.Column("last_error", sa.Text(), comment="kind of work and kind of error; never a person's words"),
        sa.Column("last_error_at", _time()),
        primary_key=("tenant_id",),
        reason="how tenants are, for the operator; a job writes it tenant by tenant",
        rights=ALL_RIGHTS,
    )
    _visits()
    platform_table(
        "platform_settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sign_up_open", sa.Boolean(), nullable=False),
        sa.Column("sign_up_plan_id", sa.Uuid(), sa.ForeignKey("plans.id")),
        sa.CheckConstraint("id = 1", name="ck_platform_settings_one_row"),
        primary_key=("id",),
        reason="what the operator has set for the installation",
        rights="select, insert, update",
    )


def _visits() -> None:
    platform_table(
        "tenant_visits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False, comment="the operator's name then"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", _time(), nullable=False),
        sa.Column("answered_at", _time()),
        sa.Column("answered_by", sa.Text(), comment="the name of who granted or refused it"),
        sa.Column("until", _time(), comment="granted until then"),
        sa.Column("ended_at", _time()),
        sa.CheckConstraint("state IN ('asked', 'granted', 'refused', 'ended')", name="ck_tenant_visits_state"),
        sa.CheckConstraint("state <> 'granted' OR until IS NOT NULL", name="ck_tenant_visits_until"),
        primary_key=("id",),
        reason="read at sign-in, before the tenant is known, and by the operator who asked",
        rights="select, insert, update",
    )
    op.create_index("ix_tenant_visits_tenant_id_id", "tenant_visits", ["tenant_id", "id"])
    op.create_index("ix_tenant_visits_user_id_id", "tenant_visits", ["user_id", "id"])
    op.add_column(
        "sessions",
        sa.Column(
            "visit_id",
            sa.Uuid(),
            sa.ForeignKey("tenant_visits.id", name="fk_sessions_visit_id"),
            comment="an operator's visit, which the tenant granted; null: staff",
        ),
    )
    op.execute("CREATE INDEX ix_sessions_visit_id ON sessions (visit_id) WHERE visit_id IS NOT NULL")
    # The gate gives columns more, which PostgreSQL takes for another function.
    op.execute("DROP FUNCTION resolve_session(bytea, timestamptz)")
    definer_function((SQL / "access_gates_0012.sql").read_text(encoding="utf-8"), "resolve_session(bytea, timestamptz)")


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)
