"""Sweeps over the queues begin where the last ones found nothing below: rows worked off beside a long transaction."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from huitouke.kernel.database.ddl import platform_table, run_sql_file

revision = "kernel_0010"
down_revision = "kernel_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The gates keep their arguments and columns, so the version before still runs."""
    platform_table(
        "queue_floors",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False, comment="no row stands at or below it, nor ever will"),
        sa.Column("next_floor", sa.BigInteger(), comment="the same, once the transactions of then have ended"),
        sa.Column("next_xid", sa.BigInteger(), comment="the next transaction's id of then"),
        sa.Column("next_at", sa.DateTime(timezone=True), comment="by the database's clock"),
        primary_key=("queue",),
        reason="where the sweeps of two queues begin; two rows of numbers",
        rights="",
    )
    op.execute("INSERT INTO queue_floors (queue, floor) VALUES ('work', 0), ('events', 0)")
    run_sql_file(Path(__file__).parent.parent / "sql" / "find_work.sql")
    for function in ("queue_floor(text)", "note_floor(text, bigint, bigint)"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
