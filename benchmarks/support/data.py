"""Data made once and kept: a template database under the hash of its generator and all migrations, and clones of it."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from benchmarks.support.postgres import address
from benchmarks.support.report import say
from huitouke.kernel.database import DatabaseUrls
from huitouke.kernel.database.launcher import Server
from huitouke.kernel.database.migrate import KERNEL_MIGRATIONS
from huitouke.kernel.modules import load_modules
from tests.support import database as databases

Fill = Callable[[DatabaseUrls], Awaitable[None]]


async def template(
    server: Server, name: str, *, fill: Fill | None = None, made_by: Path | None = None
) -> databases.Template:
    """The migrated database of that name, filled by `fill`; made now where the generator or a migration has changed.

    `made_by` is the file (or folder) with the generator's source; it goes into the hash. Older ones are dropped.
    `fill` gets the addresses of all roles; what it leaves is vacuumed and frozen.
    """
    full_name = f"data_{name}_{data_hash(made_by)}"

    async def fill_and_settle(urls: DatabaseUrls) -> None:
        if fill is None:
            return
        say(f"making the data of {name} …")
        await fill(urls)
        connection = await asyncpg.connect(address(server).format(database=f"{full_name}_new"))
        try:
            await connection.execute("VACUUM (FREEZE, ANALYZE)")
        finally:
            await connection.close()

    await _drop_older(server, name, full_name)
    return await databases.make_template(address(server), full_name, fill_and_settle)


@asynccontextmanager
async def clone(kept: databases.Template, name: str) -> AsyncIterator[DatabaseUrls]:
    """A copy of the template to measure on, gone afterwards."""
    urls = await databases.clone(kept, name, strategy="file_copy")
    try:
        yield urls
    finally:
        await databases.drop(kept, name)


def data_hash(made_by: Path | None = None) -> str:
    """Over the generator's source and everything that migrations are made of."""
    folders = [KERNEL_MIGRATIONS, KERNEL_MIGRATIONS.parent / "sql"]
    for module in load_modules():
        if module.migrations is not None:
            folders += [module.migrations, module.migrations.parent / "sql"]
    files = sorted({file for folder in folders for file in folder.rglob("*") if file.suffix in (".py", ".sql")})
    if made_by is not None:
        files += sorted(made_by.rglob("*.py")) if made_by.is_dir() else [made_by]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


async def _drop_older(server: Server, name: str, wanted: str) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        prefix = f"data_{name}_"
        rows = await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix)
        for row in rows:
            if row["datname"] != wanted and "_" not in row["datname"].removeprefix(prefix).removesuffix("_new"):
                await connection.execute(f'DROP DATABASE "{row["datname"]}" WITH (FORCE)')
    finally:
        await connection.close()
