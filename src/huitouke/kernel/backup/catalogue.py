"""What PostgreSQL's catalogue says of the tables that a backup holds. All of it runs on the owner's connection."""

from __future__ import annotations

from typing import Any, TypeAlias

import asyncpg

from huitouke.kernel.backup.archive import Table

Connection: TypeAlias = "asyncpg.Connection[Any]"

COPY_SETTINGS = (
    "SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL bytea_output = 'hex';"
    " SET LOCAL extra_float_digits = 1; SET LOCAL timezone = 'UTC'; SET LOCAL statement_timeout = 0;"
    " SET LOCAL idle_in_transaction_session_timeout = 0"
)
"""COPY's text must mean the same on both sides, whatever the servers are set to; a night's work may take long."""

_TABLES = """
    SELECT c.relname AS name, array_agg(a.attname ORDER BY a.attnum) AS columns
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND c.relname <> 'alembic_version'
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
     GROUP BY c.relname ORDER BY c.relname
"""
_MONTHS = """
    SELECT min(right(child.relname, 6)) AS first, max(right(child.relname, 6)) AS last
      FROM pg_inherits i JOIN pg_class child ON child.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
     WHERE child.relnamespace = 'public'::regnamespace AND parent.relkind = 'p' AND child.relkind = 'r'
       AND child.relname ~ '_[0-9]{6}$'
"""
_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text AS "table", conname AS name, pg_get_constraintdef(oid) AS definition
      FROM pg_constraint
     WHERE contype = 'f' AND conparentid = 0 AND connamespace = 'public'::regnamespace ORDER BY 1, 2
"""


async def tables(connection: Connection) -> tuple[Table, ...]:
    """The tables with their stored columns; of a partitioned one the parent alone, through which all rows are seen."""
    return tuple(Table(row["name"], tuple(row["columns"])) for row in await connection.fetch(_TABLES))


async def revisions(connection: Connection) -> tuple[str, ...]:
    """What Alembic has noted; empty for a database that was never migrated."""
    if await connection.fetchval("SELECT to_regclass('public.alembic_version')") is None:
        return ()
    rows = await connection.fetch("SELECT version_num FROM public.alembic_version ORDER BY version_num")
    return tuple(row["version_num"] for row in rows)


async def months(connection: Connection) -> tuple[str, ...]:
    """The first and the last month with partitions, as `YYYYMM`."""
    row = await connection.fetchrow(_MONTHS)
    return (row["first"], row["last"]) if row is not None and row["first"] is not None else ()


async def sequences(connection: Connection) -> dict[str, int]:
    """The next number of each sequence. They don't wait for transactions, so this is at least the snapshot's."""
    names = await connection.fetch(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S' ORDER BY 1"
    )
    found = {}
    for (name,) in names:  # a handful
        row = await connection.fetchrow(f"SELECT * FROM public.{quoted(name)}")  # noqa: S608 - from the catalogue
        assert row is not None
        found[name] = row["last_value"] + int(row["is_called"])
    return found


async def drop_foreign_keys(connection: Connection) -> list[str]:
    """Takes all foreign keys away, so that tables fill in any order; gives the statements that bring them back."""
    keys = await connection.fetch(_FOREIGN_KEYS)
    for key in keys:
        await connection.execute(f"ALTER TABLE {key['table']} DROP CONSTRAINT {quoted(key['name'])}")
    return [f"ALTER TABLE {key['table']} ADD CONSTRAINT {quoted(key['name'])} {key['definition']}" for key in keys]


def quoted(name: str) -> str:
    """A name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def column_list(table: Table) -> str:
    """The columns for SQL."""
    return ", ".join(map(quoted, table.columns))
