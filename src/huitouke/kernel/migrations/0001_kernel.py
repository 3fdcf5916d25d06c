"""The ground: schema rights, helper functions, tenants, partitions."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import APP_ROLE, platform_table, run_sql_file

revision = "kernel_0001"
down_revision = None
branch_labels = ("kernel",)
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    op.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}")
    op.execute(f"GRANT SELECT ON alembic_version TO {APP_ROLE}")
    platform_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("placement", sa.Text(), nullable=False, comment="name of the database server; 'default' for all"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'suspended', 'closed')", name="ck_tenants_state"),
        primary_key=("id",),
        reason="the list of tenants itself; holds no tenant's business data",
        rights="select, insert, update",
    )
    run_sql_file(SQL / "partitions.sql")
