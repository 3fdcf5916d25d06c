"""Plans with features and quotas; a tenant's plan and its time; what was used, for the operator and per month."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import ALL_RIGHTS, platform_table, tenant_table

revision = "kernel_0011"
down_revision = "kernel_0010"
branch_labels = None
depends_on = None

GIB: Final = 1024**3

PRESETS: Final = (
    ("basic", "基础", "Basic", ["assistant"], (3, 2_000, 1_000_000, 2 * GIB)),
    ("standard", "标准", "Standard", ["assistant", "own_roles"], (10, 20_000, 5_000_000, 20 * GIB)),
    ("premium", "高级", "Premium", ["assistant", "own_roles"], (50, 200_000, 30_000_000, 200 * GIB)),
)
"""The three service packages; the operator changes them as they like."""

QUOTAS: Final = ("seats", "contacts", "ai_tokens", "storage")
TRIAL_DAYS: Final = 14


def upgrade() -> None:
    platform_table(
        "plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="in Chinese"),
        sa.Column("name_en", sa.Text(), nullable=False, comment="in English; empty: the same"),
        sa.Column("features", sa.JSON(), nullable=False, comment="names of what the plan opens"),
        sa.Column("quotas", sa.JSON(), nullable=False, comment="limits by name; a name that is missing has none"),
        sa.Column("trial_days", sa.Integer(), comment="how long a shop that signs up has it; null: not for trying"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("key", name="uq_plans_key"),
        primary_key=("id",),
        reason="what the operator offers to all tenants; read before a tenant's transaction",
        rights="select, insert, update",
    )
    plans = sa.table(
        "plans",
        *(sa.column(name) for name in ("key", "name", "name_en", "trial_days", "position", "archived", "version")),
        sa.column("id", sa.Uuid()),
        sa.column("features", sa.JSON()),
        sa.column("quotas", sa.JSON()),
    )
    for place, (key, name, name_en, features, limits) in enumerate(PRESETS, start=1):
        op.execute(
            plans.insert().values(
                id=UUID(int=0x01920000_0000_7000_8000_000000001000 + place),
                key=key,
                name=name,
                name_en=name_en,
                features=features,
                quotas=dict(zip(QUOTAS, limits, strict=True)),
                trial_days=TRIAL_DAYS if key == "standard" else None,
                position=place,
                archived=False,
                version=1,
            )
        )
    for column in ("plan_id", "next_plan_id"):
        op.add_column("tenants", sa.Column(column, sa.Uuid(), sa.ForeignKey("plans.id", name=f"fk_tenants_{column}")))
    for column, comment in (
        ("plan_expires_at", "the plan's time is over; null: it has no end"),
        ("next_plan_expires_at", "the same of the plan that follows"),
        ("state_changed_at", "when it was suspended, restored or closed"),
    ):
        op.add_column("tenants", sa.Column(column, sa.DateTime(timezone=True), comment=comment))
    why = sa.Column("state_reason", sa.Text(), comment="why it is suspended or closed, for its people")
    op.add_column("tenants", why)
    platform_table(
        "tenant_usage",
        sa.Column("tenant_id", sa.Uuid(), sa.ForeignKey("tenants.id"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="in the tenant's time zone"),
        sa.Column("kind", sa.Text(), nullable=False, comment="a quota's name"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        primary_key=("tenant_id", "kind", "day"),
        reason="figures of use that the operator reads for all tenants; a job writes them tenant by tenant",
        rights=ALL_RIGHTS,
    )
    tenant_table(
        "quota_spending",
        sa.Column("quota", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False, comment="its first day, in the tenant's time zone"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        primary_key=("quota", "month"),
    )
    # Workers of the release before leave a kind that they don't know where it is.
    op.execute(
        "INSERT INTO work_schedules (tenant_id, kind, next_run_at, seq)"
        " SELECT id, kind, created_at, nextval('work_seq')"
        " FROM tenants, (VALUES ('plans.measure'), ('operators.health')) AS k (kind)"
    )
