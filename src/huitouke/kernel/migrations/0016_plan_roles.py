"""The roles of its own that a new tenant on a plan begins with. Plans that are here have none."""

import sqlalchemy as sa
from alembic import op

revision = "kernel_0016"
down_revision = "kernel_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plans", sa.Column("roles", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
