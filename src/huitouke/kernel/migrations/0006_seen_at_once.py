"""The first entry of an installation is seen at once: readers begin behind the head of a sequence, and one that was
never used tells its first number as its head. And a callback that comes again is as new as its last coming."""

from pathlib import Path

from alembic import op

from huitouke.kernel.database.ddl import run_sql_file

revision = "kernel_0006"
down_revision = "kernel_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SELECT nextval('work_seq'), nextval('event_seq')")
    run_sql_file(Path(__file__).parent.parent / "sql" / "store_callbacks.sql")
