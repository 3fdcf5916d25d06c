"""Links that open one thing to whoever holds them."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import definer_function, tenant_index, tenant_table

revision = "kernel_0019"
down_revision = "kernel_0018"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "shared_links.sql"


def upgrade() -> None:
    tenant_table(
        "shared_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the address's 256 random bits"),
        sa.Column("kind", sa.Text(), nullable=False, comment="what kind of thing it opens"),
        sa.Column("reference", sa.Text(), nullable=False, comment="which one"),
        sa.Column("label", sa.Text(), nullable=False, comment="for whom, as its maker wrote it"),
        sa.Column("made_by", sa.Uuid()),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("expires_at", _time(), nullable=False),
        sa.Column("revoked_at", _time()),
        sa.CheckConstraint("octet_length(digest) = 32", name="ck_shared_links_digest"),
    )
    # For the gate, to which the token alone tells the tenant. Not unique: 256 random bits are.
    op.execute("CREATE INDEX ix_shared_links_digest ON shared_links (digest)")
    tenant_index("shared_links", "kind", "reference", "id")
    definer_function(SQL.read_text(encoding="utf-8"), "resolve_shared_link(text, bytea, timestamptz)")


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)
