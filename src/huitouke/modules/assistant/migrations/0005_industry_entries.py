"""Which entries an industry's template brought: changed facts are filled in again, and nobody's edit is lost."""

import sqlalchemy as sa

from huitouke.kernel.database.ddl import tenant_index, tenant_table

revision = "assistant_0005"
down_revision = "assistant_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tenant_table(
        "industry_entries",
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="of the entry within the industry's template"),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the entry as it was written last by us"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"], ["knowledge_entries.tenant_id", "knowledge_entries.id"], ondelete="CASCADE"
        ),
        primary_key=("industry", "key"),
    )
    tenant_index("industry_entries", "entry_id")
