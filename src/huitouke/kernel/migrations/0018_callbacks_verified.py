"""When an address was last checked by the sender: whoever sets it up sees that it worked before a callback comes."""

import sqlalchemy as sa
from alembic import op

revision = "kernel_0018"
down_revision = "kernel_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "callback_endpoints",
        sa.Column("verified_at", sa.DateTime(timezone=True), comment="the sender's last check that was answered"),
    )
