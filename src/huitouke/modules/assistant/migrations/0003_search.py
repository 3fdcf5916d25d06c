"""The search function without `numeric` arithmetic and with one index scan per candidate."""

from pathlib import Path

from huitouke.kernel.database.ddl import definer_function

revision = "assistant_0003"
down_revision = "assistant_0002"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"


def upgrade() -> None:
    """Replaces it; arguments and columns are the same, so the version before still runs."""
    definer_function(
        (_SQL / "search_knowledge.sql").read_text(encoding="utf-8"),
        "search_knowledge(text[], double precision[], integer)",
    )
