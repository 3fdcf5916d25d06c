"""SMS to customers: the shop's account, what goes out, and what people answer."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "organization_0012"
down_revision = "organization_0011"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
STATES = "'queued', 'sending', 'sent', 'failed', 'unknown', 'refused', 'delivered', 'undelivered'"


def upgrade() -> None:
    tenant_table(
        "sms_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("access_key_id", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("sign", sa.Text(), nullable=False),
        sa.Column("templates", JSONB(), nullable=False, comment="our name of a template: the provider's code"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_error_code", sa.Text()),
        sa.Column("heard", sa.Uuid(), comment="the last callback that was taken in"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint("state IN ('new', 'working', 'failing')", name="state"),
        primary_key=(),
    )
    tenant_table(
        "sms_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False, comment="as +8613800138000"),
        sa.Column("customer_id", sa.Uuid()),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("params", JSONB(), nullable=False, comment="emptied once the message has left"),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("error_code", sa.Text()),
        sa.Column("provider_id", sa.Text()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name="state"),
        sa.CheckConstraint("purpose IN ('service', 'transaction', 'marketing')", name="purpose"),
    )
    tenant_index("sms_messages", "due_at", where="state = 'queued'", name="ix_sms_messages_due")
    tenant_index("sms_messages", "phone", "id", name="ix_sms_messages_phone")
    tenant_table(
        "sms_replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("provider_key", sa.Text(), nullable=False, comment="to take each in once"),
        sa.Column("received_at", MOMENT, nullable=False),
    )
    tenant_index("sms_replies", "provider_key", unique=True)
    tenant_index("sms_replies", "phone", "id", name="ix_sms_replies_phone")
