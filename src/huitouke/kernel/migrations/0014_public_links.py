"""Addresses that strangers open (a shop's chat page), the gate that knows whose they are, and counts of how often."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import ALL_RIGHTS, definer_function, platform_table, tenant_table

revision = "kernel_0014"
down_revision = "kernel_0013"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    tenant_table(
        "public_links",
        sa.Column("code", sa.Text(), nullable=False, comment="50 random bits, in the address"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False, comment="what it opens, by its kind"),
        sa.Column("created_at", MOMENT, nullable=False),
        primary_key=("code",),
    )
    # For the gate, to which the code alone tells the tenant. Not unique: a code that was drawn twice is drawn again.
    op.execute("CREATE INDEX ix_public_links_code ON public_links (code)")
    definer_function((SQL / "link_gates.sql").read_text(encoding="utf-8"), "resolve_link(text, text)")
    platform_table(
        "throttles",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", MOMENT, nullable=False),
        primary_key=("key",),
        reason="how often somebody came lately, by address and by random ids; counted before anything is looked at",
        rights=ALL_RIGHTS,
    )
    op.create_index("ix_throttles_window_ends_at", "throttles", ["window_ends_at"])
