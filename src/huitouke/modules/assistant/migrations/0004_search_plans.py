"""Search keeps one plan for all merchants, and gives the counts that the check needs with the entries."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from huitouke.kernel.database.ddl import definer_function, tenant_table

revision = "assistant_0004"
down_revision = "assistant_0003"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Adds to what there is; the search function keeps its arguments and columns, so the version before still runs."""
    tenant_table(
        "knowledge_told",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("terms", ARRAY(sa.Text()), nullable=False, comment="what the check weighs of the entry's wordings"),
        primary_key=("entry_id",),
    )
    for name, arguments in (
        ("search_knowledge", "text[], double precision[], integer"),
        ("knowledge_counts", "text[]"),
        ("find_answers", "text[], double precision[], integer, integer, text[]"),
    ):
        definer_function((_SQL / f"{name}.sql").read_text(encoding="utf-8"), f"{name}({arguments})")
