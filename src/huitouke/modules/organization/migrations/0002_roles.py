"""More presets, and roles that merchants make.

Processes of the release before take every role that they don't know for an agent's.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "organization_0002"
down_revision = "organization_0001"
branch_labels = None
depends_on = None

ROLES = "'owner', 'administrator', 'manager', 'operator', 'agent', 'analyst', 'cashier', 'own'"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "roles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("permissions", ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        primary_key=("id",),
    )
    tenant_index("roles", "name", unique=True)
    op.add_column("staff", sa.Column("role_id", sa.Uuid()))
    tenant_index("staff", "role_id", where="role_id IS NOT NULL")
    op.create_foreign_key(
        "fk_staff_role",
        "staff",
        "roles",
        ["tenant_id", "role_id"],
        ["tenant_id", "id"],
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE staff VALIDATE CONSTRAINT fk_staff_role")
    op.execute(
        "ALTER TABLE staff DROP CONSTRAINT role,"  # contracts: nothing, the wider check below takes its place
        f" ADD CONSTRAINT role CHECK (role IN ({ROLES}) AND (role <> 'own' OR role_id IS NOT NULL)) NOT VALID"
    )
    op.execute("ALTER TABLE staff VALIDATE CONSTRAINT role")
