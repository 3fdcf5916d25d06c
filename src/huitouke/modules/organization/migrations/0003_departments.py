"""Departments, people who don't sign in, and how far a role sees."""

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "organization_0003"
down_revision = "organization_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _departments()
    _people()
    op.add_column("roles", sa.Column("data_scope", sa.Text(), nullable=False, server_default="all"))
    op.execute(
        "ALTER TABLE roles ADD CONSTRAINT data_scope"
        " CHECK (data_scope IN ('own', 'department', 'department_below', 'chosen', 'all')) NOT VALID"
    )
    op.execute("ALTER TABLE roles VALIDATE CONSTRAINT data_scope")
    tenant_table(
        "role_departments",
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        _belongs_to("role_id", "roles"),
        _belongs_to("department_id", "departments"),
        primary_key=("role_id", "department_id"),
    )
    tenant_index("role_departments", "department_id")


def _departments() -> None:
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "departments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("wecom_id", sa.BigInteger()),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.CheckConstraint("parent_id <> id", name="parent"),
        sa.ForeignKeyConstraint(["tenant_id", "parent_id"], ["departments.tenant_id", "departments.id"]),
        primary_key=("id",),
    )
    tenant_index("departments", "parent_id")
    tenant_index("departments", "wecom_id", unique=True)
    tenant_table(
        "staff_departments",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("leads", sa.Boolean(), nullable=False),
        _belongs_to("staff_id", "staff"),
        _belongs_to("department_id", "departments"),
        primary_key=("staff_id", "department_id"),
    )
    tenant_index("staff_departments", "department_id", "staff_id")


def _people() -> None:
    op.alter_column("staff", "user_id", nullable=True)
    op.add_column("staff", sa.Column("source", sa.Text(), nullable=False, server_default="hand"))
    op.add_column("staff", sa.Column("left_at", sa.DateTime(timezone=True)))
    op.execute("ALTER TABLE staff ADD CONSTRAINT source CHECK (source IN ('hand', 'wecom', 'import')) NOT VALID")
    op.execute("ALTER TABLE staff VALIDATE CONSTRAINT source")
    op.execute(
        "ALTER TABLE staff DROP CONSTRAINT state,"  # contracts: nothing, the wider check below takes its place
        " ADD CONSTRAINT state CHECK (state IN ('active', 'disabled', 'left')) NOT VALID"
    )
    op.execute("ALTER TABLE staff VALIDATE CONSTRAINT state")


def _belongs_to(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete="CASCADE")
