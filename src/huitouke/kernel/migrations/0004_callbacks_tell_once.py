"""`store_callbacks` names a woken key once: a flood for one account told all workers of it with every commit."""

from pathlib import Path

from huitouke.kernel.database.ddl import run_sql_file

revision = "kernel_0004"
down_revision = "kernel_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_file(Path(__file__).parent.parent / "sql" / "store_callbacks.sql")
