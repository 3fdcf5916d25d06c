"""Whether a tenant's people see the few pages that a new owner needs. Who is here already keeps all of them."""

import sqlalchemy as sa
from alembic import op

revision = "kernel_0015"
down_revision = "kernel_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("simple_mode", sa.Boolean(), nullable=False, server_default=sa.false()))
