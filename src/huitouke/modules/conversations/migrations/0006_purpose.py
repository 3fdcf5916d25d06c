"""Every message that leaves says why: an answer, news of an order, or an offer, which not everybody wants."""

import sqlalchemy as sa
from alembic import op

revision = "conversations_0006"
down_revision = "conversations_0005"
branch_labels = None
depends_on = ("customers_0004",)


def upgrade() -> None:
    # What was queued until now, and what the release before queues meanwhile, are answers.
    op.add_column("outbound_messages", sa.Column("purpose", sa.Text(), nullable=False, server_default="service"))
    op.execute(
        "ALTER TABLE outbound_messages ADD CONSTRAINT ck_outbound_messages_purpose"
        " CHECK (purpose IN ('service', 'transaction', 'marketing')) NOT VALID"
    )
    op.execute("ALTER TABLE outbound_messages VALIDATE CONSTRAINT ck_outbound_messages_purpose")
