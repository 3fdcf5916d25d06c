"""Customers and their identities."""

import sqlalchemy as sa

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "customers_0001"
down_revision = None
branch_labels = ("customers",)
depends_on = ("kernel_0001", "organization_0001")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("avatar_url", sa.Text()),
        sa.Column("gender", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text()),
        sa.Column("last_seen_at", moment),
        sa.Column("profile_at", moment),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("gender in ('unknown', 'male', 'female')", name="gender"),
        primary_key=("id",),
    )
    tenant_index("customers", "last_seen_at", "id")
    tenant_table(
        "customer_identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint("kind in ('external_userid', 'unionid', 'openid', 'phone', 'visitor')", name="kind"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"], ["customers.tenant_id", "customers.id"], ondelete="CASCADE"
        ),
        primary_key=("id",),
    )
    tenant_index("customer_identities", "kind", "issuer", "value", unique=True)
    tenant_index("customer_identities", "customer_id")
