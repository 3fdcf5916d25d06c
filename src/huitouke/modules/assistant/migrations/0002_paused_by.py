"""Who paused the assistant for everybody, so that colleagues know whom to ask."""

import sqlalchemy as sa
from alembic import op

revision = "assistant_0002"
down_revision = "assistant_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assistant_settings", sa.Column("paused_by", sa.Uuid(), nullable=True))
