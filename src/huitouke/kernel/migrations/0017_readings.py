"""Entries of the log that tell of somebody looking, found without those that tell of changes."""

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import tenant_index

revision = "kernel_0017"
down_revision = "kernel_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_log", sa.Column("reading", sa.Boolean(), nullable=False, server_default=sa.false()))
    tenant_index("audit_log", "id", name="ix_audit_log_readings", where="reading")
