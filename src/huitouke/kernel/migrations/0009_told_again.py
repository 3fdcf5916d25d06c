"""`store_callbacks` tells of keys that waited already too: a worker that looked meanwhile passed over locked rows."""

from pathlib import Path

from huitouke.kernel.database.ddl import run_sql_file

revision = "kernel_0009"
down_revision = "kernel_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql_file(Path(__file__).parent.parent / "sql" / "store_callbacks.sql")
