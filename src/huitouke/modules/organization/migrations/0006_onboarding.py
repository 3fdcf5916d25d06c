"""How far a new owner has come on the way to the first answered customer, and what the shop told of itself."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from huitouke.kernel.database.ddl import tenant_table

revision = "organization_0006"
down_revision = "organization_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "onboarding",
        sa.Column("industry", sa.Text(), comment="key of the industry; null: not chosen"),
        sa.Column("facts", JSONB(), nullable=False, comment="what the shop told of itself, by the fact's key"),
        sa.Column("facts_at", moment, comment="when the page of facts was left, filled in or not"),
        sa.Column("started_at", moment, nullable=False, comment="the first week is counted from here"),
        sa.Column("updated_at", moment, nullable=False),
        primary_key=(),
    )
