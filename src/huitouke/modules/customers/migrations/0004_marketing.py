"""Who doesn't want offers, what of them was sent, and how many a week may be."""

import sqlalchemy as sa

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "customers_0004"
down_revision = "customers_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "marketing_refusals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid()),
        sa.Column("phone", sa.Text()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("refused_at", moment, nullable=False),
        sa.Column("staff_id", sa.Uuid()),
        sa.Column("ended_at", moment),
        sa.Column("ended_reason", sa.Text()),
        sa.Column("ended_by", sa.Uuid()),
        sa.CheckConstraint("(customer_id IS NULL) <> (phone IS NULL)", name="whose"),
        sa.CheckConstraint(
            "source in ('customer_page', 'customer_words', 'sms_reply', 'staff', 'import')", name="source"
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_reason IS NULL)", name="ended_with_reason"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"], ondelete="CASCADE"
        ),
    )
    tenant_index(
        "marketing_refusals",
        *("customer_id", "channel", "source"),
        unique=True,
        name="uq_marketing_refusals_customer",
        where="ended_at IS NULL AND customer_id IS NOT NULL",
    )
    tenant_index(
        "marketing_refusals",
        *("phone", "channel", "source"),
        unique=True,
        name="uq_marketing_refusals_phone",
        where="ended_at IS NULL AND phone IS NOT NULL",
    )
    tenant_index("marketing_refusals", "customer_id")
    tenant_table(
        "marketing_messages",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid()),
        sa.Column("phone", sa.Text()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("left_at", moment, nullable=False),
        sa.CheckConstraint("customer_id IS NOT NULL OR phone IS NOT NULL", name="whose"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"], ondelete="CASCADE"
        ),
        primary_key=("message_id",),
    )
    tenant_index("marketing_messages", "customer_id", "left_at")
    tenant_index("marketing_messages", "phone", "left_at")
    tenant_table(
        "privacy_settings",
        sa.Column("marketing_per_week", sa.SmallInteger(), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.CheckConstraint("marketing_per_week BETWEEN 1 AND 50", name="marketing_per_week"),
        primary_key=(),
    )
