"""The fence itself, table by table: with the application's role and raw SQL, another tenant's rows are out of reach.

In a clone of its own every tenant's table is stripped of its checks (as the owner, who may) and given one row; then
the application's role tries to get at it as another tenant, as nobody, and as the tenant itself.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from huitouke.kernel.database import Database
from huitouke.kernel.ids import new_id
from tests.support.database import clone, make_template

MINE, THEIRS = new_id(), new_id()

TABLES = """
SELECT c.oid, c.relname AS name FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND coalesce(obj_description(c.oid), '') NOT LIKE 'scope=platform: %' AND c.relname <> 'alembic_version'
 ORDER BY c.relname
"""

COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
       a.attidentity <> '' OR a.attgenerated <> '' AS made,
       EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = a.attrelid AND x.indisprimary AND a.attnum = ANY (x.indkey))
         AS key
  FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""

CHECKS = "SELECT conname FROM pg_constraint WHERE conrelid = $1 AND contype IN ('c', 'f') AND conparentid = 0"

VALUES = {
    "uuid": f"'{new_id()}'::uuid",
    "bytea": "'\\x00'::bytea",
    "timestamp with time zone": "'2026-01-01'",
    "date": "'2026-01-01'",
}


@dataclass(frozen=True)
class Fenced:
    """A clone in which every tenant's table holds one row of MINE."""

    application: "asyncpg.Connection[Any]"
    tables: list[str]
    inserts: dict[str, str]
    """Per table a statement that writes a row of MINE, which was run once as the owner."""


@pytest.fixture(scope="module")
async def fenced(database: Database, worker_id: str) -> AsyncIterator[Fenced]:
    address = os.environ["HUITOUKE_TEST_POSTGRES"].replace("%7Bdatabase%7D", "{database}")
    urls = await clone(await make_template(address), f"fence_{worker_id}")
    assert urls.owner is not None
    owner = await asyncpg.connect(urls.owner)
    tables = [row["name"] for row in await owner.fetch(TABLES)]
    for row in await owner.fetch(TABLES):
        for check in await owner.fetch(CHECKS, row["oid"]):
            await owner.execute(f'ALTER TABLE "{row["name"]}" DROP CONSTRAINT IF EXISTS "{check["conname"]}" CASCADE')
    inserts = {row["name"]: await _plant(owner, row["oid"], row["name"]) for row in await owner.fetch(TABLES)}
    await owner.close()
    application = await asyncpg.connect(urls.application)
    yield Fenced(application, tables, inserts)
    await application.close()


async def _plant(owner: "asyncpg.Connection[Any]", oid: int, table: str) -> str:
    columns = [column for column in await owner.fetch(COLUMNS, oid) if not column["made"]]
    for column in columns:
        if column["required"] and not column["key"]:
            await owner.execute(f'ALTER TABLE "{table}" ALTER COLUMN "{column["name"]}" DROP NOT NULL')
    keys = [column for column in columns if column["key"]]
    names = ", ".join(f'"{column["name"]}"' for column in keys)
    values = ", ".join(
        f"'{MINE}'" if column["name"] == "tenant_id" else VALUES.get(column["type"], "'1'") for column in keys
    )
    statement = f'INSERT INTO "{table}" ({names}) VALUES ({values})'
    await owner.execute(statement)
    return statement


async def _as_tenant(connection: "asyncpg.Connection[Any]", tenant: UUID | None, statement: str) -> Any:
    async with connection.transaction():
        await connection.execute("SELECT set_config('huitouke.tenant_id', $1, true)", str(tenant or ""))
        return await connection.fetch(statement)


async def test_the_tenant_itself_sees_its_row(fenced: Fenced) -> None:
    for table in fenced.tables:
        assert len(await _as_tenant(fenced.application, MINE, f'SELECT 1 FROM "{table}"')) == 1, table


async def test_another_tenant_sees_nothing(fenced: Fenced) -> None:
    for table in fenced.tables:
        assert await _as_tenant(fenced.application, THEIRS, f'SELECT 1 FROM "{table}"') == [], table


async def test_without_a_tenant_nothing_is_seen(fenced: Fenced) -> None:
    for table in fenced.tables:
        assert await _as_tenant(fenced.application, None, f'SELECT 1 FROM "{table}"') == [], table


async def test_another_tenant_changes_and_deletes_nothing(fenced: Fenced) -> None:
    for table in fenced.tables:
        for statement in (
            f"UPDATE \"{table}\" SET tenant_id = '{THEIRS}' RETURNING 1",
            f'DELETE FROM "{table}" RETURNING 1',
        ):
            try:
                assert await _as_tenant(fenced.application, THEIRS, statement) == [], statement
            except asyncpg.InsufficientPrivilegeError as refused:  # append-only tables grant neither
                assert "permission denied" in str(refused), statement


async def test_nobody_writes_a_row_for_another_tenant(fenced: Fenced) -> None:
    for table in fenced.tables:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _as_tenant(fenced.application, THEIRS, fenced.inserts[table])
