"""The run's server: a template migrated once, and clones of it."""

import fcntl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from huitouke.kernel.database import Database, configure, engine
from huitouke.kernel.database.ddl import APP_ROLE, OWNER_ROLE
from huitouke.kernel.database.embedded import create_roles
from huitouke.kernel.database.engine import DatabaseUrls
from huitouke.kernel.database.migrate import migrate
from huitouke.kernel.modules import load_modules


@dataclass(frozen=True)
class Template:
    """A migrated database that is only ever copied. `address` is the superuser's URL with {database} in it."""

    address: str
    name: str


Fill = Callable[[DatabaseUrls], Awaitable[None]]


async def make_template(address: str, name: str = "template_huitouke", fill: Fill | None = None) -> Template:
    """Migrates the template once per run, and fills it; workers that come later find it."""
    template = Template(address, name)
    with _one_at_a_time(address):
        connection = await asyncpg.connect(address.format(database="postgres"))
        try:
            await create_roles(connection, {OWNER_ROLE: "owner", APP_ROLE: "app"})
            if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", template.name):
                return template
            unfinished = f"{template.name}_new"
            await connection.execute(f'DROP DATABASE IF EXISTS "{unfinished}" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{unfinished}" OWNER {OWNER_ROLE}')
            await migrate(_as_role(address, unfinished, OWNER_ROLE), load_modules())
            if fill is not None:
                await fill(_urls(address, unfinished))
            await connection.execute(f'ALTER DATABASE "{template.name}_new" RENAME TO "{template.name}"')
        finally:
            await connection.close()
    return template


async def clone(template: Template, name: str, *, strategy: str = "wal_log") -> DatabaseUrls:
    """A fresh copy of the template; an older one of that name is dropped.

    `strategy` is PostgreSQL's: `wal_log` for small templates, `file_copy` for those of gigabytes.
    """
    with _one_at_a_time(template.address):
        connection = await asyncpg.connect(template.address.format(database="postgres"))
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            await connection.execute(
                f'CREATE DATABASE "{name}" TEMPLATE "{template.name}" OWNER {OWNER_ROLE} STRATEGY {strategy}'
            )
        finally:
            await connection.close()
    return _urls(template.address, name)


async def drop(template: Template, name: str) -> None:
    """Drops a clone, whoever is still connected."""
    connection = await asyncpg.connect(template.address.format(database="postgres"))
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


def _urls(address: str, database: str) -> DatabaseUrls:
    application = _as_role(address, database, APP_ROLE)
    return DatabaseUrls(application, application, _as_role(address, database, OWNER_ROLE))


def _as_role(address: str, database: str, role: str) -> str:
    parts = urlsplit(address.format(database=database))
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}@{host}"))


@contextmanager
def _one_at_a_time(address: str) -> Iterator[None]:
    """A template can't be copied while another worker copies or makes it."""
    path = Path(tempfile.gettempdir()) / f"huitouke-test-{sha256(address.encode()).hexdigest()[:16]}.lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@asynccontextmanager
async def own_database(address: str, name: str) -> AsyncIterator[Database]:
    """A clone that stands in for the worker's database for a while.

    For tests that do all the work there is: in the worker's own database tenants of other tests have left theirs.
    """
    before = engine.configured()
    opened = Database(await clone(await make_template(address), name))
    configure(opened)
    try:
        yield opened
    finally:
        configure(before)
        await opened.close()
