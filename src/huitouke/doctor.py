"""`huitouke doctor`: looks at everything an installation needs and says in plain words what is wrong."""

from __future__ import annotations

import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from huitouke.app import WEB_FOLDER
from huitouke.kernel import keys
from huitouke.kernel.database import Database, DatabaseUrls, configure
from huitouke.kernel.database.checks import UnsafeRoleError, assert_application_role
from huitouke.kernel.database.ddl import APP_ROLE, OWNER_ROLE
from huitouke.kernel.database.embedded import create_roles as make_roles
from huitouke.kernel.database.engine import POOL_SIZE
from huitouke.kernel.database.migrate import SchemaAheadError, missing_revisions
from huitouke.kernel.modules import Modules
from huitouke.kernel.notify import Notifier, NotifierError
from huitouke.kernel.observability.health import NotWell, check_partitions
from huitouke.kernel.settings import Settings
from huitouke.standalone import REALTIME_POOL_SIZE

OLDEST_POSTGRES: Final = 150000
NOTIFIER_CONNECTIONS: Final = 2
"""One that notifies and one that listens."""

CONNECTIONS: Final = {
    "serve": POOL_SIZE + NOTIFIER_CONNECTIONS + 1,  # the callback flusher
    "work": POOL_SIZE + NOTIFIER_CONNECTIONS + 1,  # the worker's own
    "realtime": REALTIME_POOL_SIZE + NOTIFIER_CONNECTIONS,
}
"""What a process of that kind opens at most. `serve --with work` needs one more than `serve`."""

COMMAND_CONNECTIONS: Final = 2
"""For a migration, a backup or a `doctor` beside them."""
PASSWORD_BYTES: Final = 24
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class _Unwell(Exception):
    """A check failed; the message says what to do."""


class _Hint(Exception):
    """Nothing is broken, but something is worth knowing."""


async def examine(settings: Settings, modules: Modules, urls: DatabaseUrls, processes: Mapping[str, int]) -> int:
    """Runs all checks and prints a line for each; 1 when one failed. `processes`: how many of each kind there are."""
    database = Database(urls, statement_cache=settings.database_statement_cache)
    configure(database)
    checks: tuple[tuple[str, Callable[[], Awaitable[str]]], ...] = (
        ("数据目录 data folder", lambda: _data_folder(settings)),
        ("密钥 key ring", lambda: _key_ring(settings)),
        ("数据库 database", lambda: _database(urls)),
        ("数据库角色 role", lambda: _role(database)),
        ("表结构 schema", lambda: _schema(database, modules)),
        ("分区 partitions", _partitions),
        ("通知 NOTIFY", lambda: _notify(database)),
        ("连接数 connections", lambda: _connections(urls, processes)),
        ("控制台 console", _console),
        ("外部地址 public address", lambda: _public_address(settings)),
        ("测试开关 test switches", lambda: _test_switches(settings)),
    )
    try:
        return 1 if [name for name, check in checks if not await _report(name, check)] else 0
    finally:
        configure(None)
        await database.close()


def print_settings() -> None:
    """The one list of settings: name, default, meaning."""
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        shown = (
            alias.choices[0] if alias is not None and not isinstance(alias, str) and hasattr(alias, "choices") else name
        )
        print(f"{shown}  (default: {field.default})\n    {field.description}")


def create_roles(settings: Settings) -> int:
    """Makes both roles through DATABASE_OWNER_URL's superuser rights, or prints the SQL for a managed server."""
    if settings.database_owner_url is None:
        print(_roles_in_sql())
        return 0
    import asyncio

    passwords = {role: secrets.token_urlsafe(PASSWORD_BYTES) for role in (OWNER_ROLE, APP_ROLE)}

    async def make() -> None:
        assert settings.database_owner_url is not None
        connection = await asyncpg.connect(settings.database_owner_url.get_secret_value())
        try:
            await make_roles(connection, passwords)
        finally:
            await connection.close()

    asyncio.run(make())
    print("made where they were missing (existing ones keep their password):")
    for role, password in passwords.items():
        print(f"  {role}  password {password}")
    return 0


def _roles_in_sql() -> str:
    return f"""-- Run this as the server's administrator; choose passwords of your own.
CREATE ROLE {OWNER_ROLE} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '{secrets.token_urlsafe(PASSWORD_BYTES)}';
CREATE ROLE {APP_ROLE} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '{secrets.token_urlsafe(PASSWORD_BYTES)}';
ALTER ROLE {APP_ROLE} SET plan_cache_mode = force_custom_plan;
CREATE DATABASE huitouke OWNER {OWNER_ROLE};
-- DATABASE_OWNER_URL names {OWNER_ROLE}, DATABASE_URL names {APP_ROLE}."""


async def _report(name: str, check: Callable[[], Awaitable[str]]) -> bool:
    try:
        print(f"✓ {name}: {await check()}")
    except _Hint as hint:
        print(f"! {name}: {hint}")
    except (
        _Unwell,
        NotWell,
        keys.KeysError,
        UnsafeRoleError,
        NotifierError,
        SchemaAheadError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        OSError,
    ) as error:
        print(f"✗ {name}: {error}")
        return False
    return True


async def _data_folder(settings: Settings) -> str:
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise _Unwell(f"{folder} can't be written; change its owner or set HUITOUKE_DATA_DIR")
    return str(folder.resolve())


async def _key_ring(settings: Settings) -> str:
    return keys.ensure_ring(settings).fingerprint()


async def _database(urls: DatabaseUrls) -> str:
    connection = await asyncpg.connect(urls.application)
    try:
        number = int(await connection.fetchval("SHOW server_version_num"))
        version = await connection.fetchval("SHOW server_version")
    finally:
        await connection.close()
    if number < OLDEST_POSTGRES:
        raise _Unwell(f"PostgreSQL {version} is too old; 15 or newer is needed")
    return f"PostgreSQL {version}"


async def _role(database: Database) -> str:
    await assert_application_role(database)
    return "owns nothing and can't get past row-level security"


async def _schema(database: Database, modules: Modules) -> str:
    missing = await missing_revisions(database, modules)
    if missing:
        raise _Unwell(f"lacks {', '.join(missing)}; run: huitouke migrate")
    return "at this release"


async def _partitions() -> str:
    await check_partitions()
    return "next month's are there"


async def _notify(database: Database) -> str:
    notifier = Notifier(database)
    await notifier.start()
    await notifier.stop()
    return "arrives"


async def _connections(urls: DatabaseUrls, processes: Mapping[str, int]) -> str:
    connection = await asyncpg.connect(urls.direct)
    try:
        limit = int(await connection.fetchval("SHOW max_connections"))
        reserved = int(await connection.fetchval("SHOW superuser_reserved_connections"))
        used = int(
            await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        )
    finally:
        await connection.close()
    needed = COMMAND_CONNECTIONS + sum(CONNECTIONS[kind] * count for kind, count in processes.items())
    kinds = ", ".join(f"{count} {kind} of {CONNECTIONS[kind]}" for kind, count in processes.items() if count)
    told = f"{kinds} need up to {needed} with commands; {limit - reserved} are allowed, {used} open now"
    if needed > limit - reserved:
        raise _Hint(f"{told}. Raise max_connections, or put a pooler before DATABASE_URL")
    return told


async def _console() -> str:
    if not (WEB_FOLDER / "console" / "index.html").is_file():
        raise _Hint("not built; run: make web")
    return "built"


async def _public_address(settings: Settings) -> str:
    parts = urlsplit(settings.public_url)
    if parts.hostname in LOOPBACK:
        raise _Hint(f"{settings.public_url} is this machine alone: WeChat can't reach it. Set HUITOUKE_PUBLIC_URL")
    if parts.scheme != "https":
        raise _Hint(f"{settings.public_url} is not encrypted; put a proxy with a certificate before it")
    return settings.public_url


async def _test_switches(settings: Settings) -> str:
    if settings.testing:
        raise _Hint("HUITOUKE_TESTING is on; never in production")
    return "off"
