"""Sweeps over the queues look for the least row in the order of seq before they hop over tenants."""

from pathlib import Path

from alembic import op

from huitouke.kernel.database.ddl import run_sql_file

revision = "kernel_0013"
down_revision = "kernel_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The gates keep their arguments and columns, so the version before still runs."""
    run_sql_file(Path(__file__).parent.parent / "sql" / "find_work.sql")
    op.execute("REVOKE ALL ON FUNCTION raise_floor(text, bigint, bigint) FROM PUBLIC")
