"""The catalogue of the database: no table without its fence, no gate without its tenant."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from huitouke.kernel.database import Database
from huitouke.kernel.database.checks import UnsafeRoleError, assert_application_role
from huitouke.kernel.database.ddl import APP_ROLE
from huitouke.kernel.database.engine import DatabaseUrls

TABLES = """
SELECT c.relname AS name, c.relkind::text AS kind, c.relrowsecurity AS fenced, c.relispartition AS part,
       coalesce(obj_description(c.oid), '') AS comment, pg_get_userbyid(c.relowner) AS owner,
       EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnotnull)
         AS has_tenant,
       (SELECT array_agg(p.privilege_type::text ORDER BY 1) FROM information_schema.role_table_grants p
         WHERE p.table_name = c.relname AND p.grantee = $1) AS rights
  FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
 ORDER BY c.relname
"""

POLICIES = "SELECT tablename, cmd, qual, with_check FROM pg_policies WHERE schemaname = 'public'"

KEYS = """
SELECT c.relname AS table, i.relname AS index, x.indisunique AS unique, a.attname AS first
  FROM pg_index x
  JOIN pg_class i ON i.oid = x.indexrelid
  JOIN pg_class c ON c.oid = x.indrelid
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
 WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
"""

FOREIGN_KEYS = """
SELECT c.conname AS name, c.conrelid::regclass::text AS table, a.attname AS first
  FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
 WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
"""

DEFINERS = """
SELECT p.proname AS name, pg_get_functiondef(p.oid) AS body, p.proconfig AS config,
       has_function_privilege('public', p.oid, 'execute') AS for_everyone
  FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
"""


@pytest.fixture
async def owner(database: Database) -> AsyncIterator["asyncpg.Connection[Any]"]:
    assert database.urls.owner is not None
    connection = await asyncpg.connect(database.urls.owner)
    yield connection
    await connection.close()


async def test_every_table_is_a_tenants_and_fenced_or_the_platforms_with_a_reason(
    owner: "asyncpg.Connection[Any]",
) -> None:
    policies = {row["tablename"]: row for row in await owner.fetch(POLICIES)}
    for table in await owner.fetch(TABLES, APP_ROLE):
        if table["comment"].startswith("scope=platform: "):
            assert len(table["comment"]) > len("scope=platform: ") + 10, f"{table['name']}: the reason is missing"
            continue
        assert table["has_tenant"], f"{table['name']} has neither tenant_id nor a platform reason"
        assert table["fenced"], f"{table['name']} has no row-level security"
        if table["part"]:
            assert table["rights"] is None, f"partition {table['name']} can be reached past its parent"
            continue
        policy = policies[table["name"]]
        assert policy["cmd"] == "ALL"
        for clause in (policy["qual"], policy["with_check"]):
            assert "huitouke.tenant_id" in clause
            assert "NULLIF" in clause


async def test_the_application_owns_nothing(owner: "asyncpg.Connection[Any]") -> None:
    assert {table["owner"] for table in await owner.fetch(TABLES, APP_ROLE)} == {"huitouke_owner"}


async def test_keys_and_unique_indexes_begin_with_the_tenant(owner: "asyncpg.Connection[Any]") -> None:
    platform = {
        row["name"] for row in await owner.fetch(TABLES, APP_ROLE) if row["comment"].startswith("scope=platform: ")
    }
    for index in await owner.fetch(KEYS):
        if index["unique"] and index["table"] not in platform | {"alembic_version"}:
            assert index["first"] == "tenant_id", f"{index['index']} on {index['table']} does not begin with tenant_id"


async def test_foreign_keys_between_tenants_tables_bear_the_tenant(owner: "asyncpg.Connection[Any]") -> None:
    platform = {
        row["name"] for row in await owner.fetch(TABLES, APP_ROLE) if row["comment"].startswith("scope=platform: ")
    }
    for key in await owner.fetch(FOREIGN_KEYS):
        if key["table"] not in platform:
            assert key["first"] == "tenant_id", f"{key['name']} of {key['table']} could point at another tenant's row"


async def test_definer_functions_fix_their_search_path_and_are_not_for_everyone(
    owner: "asyncpg.Connection[Any]",
) -> None:
    for function in await owner.fetch(DEFINERS):
        config = function["config"] or []
        assert any(entry.startswith("search_path=") for entry in config), f"{function['name']} trusts the search path"
        assert not function["for_everyone"], f"{function['name']} may be called by every role"


async def test_a_role_that_could_pass_the_fence_is_refused(database: Database) -> None:
    await assert_application_role(database)
    assert database.urls.owner is not None
    owners = Database(DatabaseUrls(database.urls.owner, database.urls.owner))
    with pytest.raises(UnsafeRoleError, match="owns tables"):
        await assert_application_role(owners)
    await owners.close()
