"""Telling people: what they are told, by which way each of it goes out, and what everybody chose."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "organization_0011"
down_revision = "organization_0010"
branch_labels = None
depends_on = ("kernel_0012",)

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _robots()
    _notices()
    _choices()
    # Workers of the release before leave a kind that they don't know where it is.
    op.execute(
        "INSERT INTO work_schedules (tenant_id, kind, next_run_at, seq)"
        " SELECT id, 'organization.notice_watch', created_at, nextval('work_seq') FROM tenants"
    )


def _robots() -> None:
    tenant_table(
        "group_robots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_sealed", sa.Text(), nullable=False, comment="the key in the webhook's address"),
        sa.Column("key_digest", sa.LargeBinary(), nullable=False, comment="to enter each robot once"),
        sa.Column("kinds", ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    tenant_index("group_robots", "key_digest", unique=True)


def _notices() -> None:
    tenant_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False, comment="the person's or the robot's"),
        sa.Column("staff_id", sa.Uuid()),
        sa.Column("robot_id", sa.Uuid()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("args", JSONB(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("in_console", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("read_at", MOMENT),
        sa.CheckConstraint("recipient_id = coalesce(staff_id, robot_id)", name="recipient"),
        sa.CheckConstraint("num_nonnulls(staff_id, robot_id) = 1", name="one_recipient"),
        sa.ForeignKeyConstraint(["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"]),
        sa.ForeignKeyConstraint(
            ["tenant_id", "robot_id"], ["group_robots.tenant_id", "group_robots.id"], ondelete="CASCADE"
        ),
    )
    tenant_index("notices", "recipient_id", "dedupe_key", unique=True, name="uq_notices_dedupe")
    tenant_index("notices", "staff_id", "id", where="in_console", name="ix_notices_list")
    tenant_index("notices", "staff_id", where="in_console AND read_at IS NULL", name="ix_notices_unread")
    tenant_index("notices", "created_at", name="ix_notices_age")
    tenant_index("notices", "robot_id", where="robot_id IS NOT NULL")
    tenant_table(
        "notice_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False, comment="not before: quiet hours, or a pause after a failure"),
        sa.Column("error_code", sa.Text()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint("state IN ('queued', 'sending', 'sent', 'failed', 'unknown')", name="state"),
        sa.ForeignKeyConstraint(["tenant_id", "notice_id"], ["notices.tenant_id", "notices.id"], ondelete="CASCADE"),
    )
    tenant_index("notice_deliveries", "notice_id", "channel", unique=True, name="uq_notice_deliveries_channel")
    tenant_index(
        "notice_deliveries",
        "recipient_id",
        "channel",
        "id",
        where="state IN ('queued', 'sending')",
        name="ix_notice_deliveries_open",
    )
    tenant_index("notice_deliveries", "due_at", where="state = 'queued'", name="ix_notice_deliveries_due")
    tenant_index(
        "notice_deliveries", "id", where="state IN ('failed', 'unknown')", name="ix_notice_deliveries_not_told"
    )


def _choices() -> None:
    tenant_table(
        "notice_choices",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"]),
        primary_key=("staff_id", "kind", "channel"),
    )
    tenant_table(
        "notice_settings",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), comment="minutes after midnight, in the tenant's time zone"),
        sa.Column("quiet_until", sa.Integer()),
        sa.Column("email", sa.Text(), comment="proven by a code"),
        sa.Column("phone", sa.Text(), comment="proven by a code, as +8613800138000"),
        sa.CheckConstraint("num_nulls(quiet_from, quiet_until) IN (0, 2)", name="quiet"),
        sa.CheckConstraint("quiet_from BETWEEN 0 AND 1439 AND quiet_until BETWEEN 0 AND 1439", name="minutes"),
        sa.ForeignKeyConstraint(["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"]),
        primary_key=("staff_id",),
    )
    tenant_table(
        "address_codes",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id", "staff_id"], ["staff.tenant_id", "staff.id"]),
        primary_key=("staff_id", "channel"),
    )
