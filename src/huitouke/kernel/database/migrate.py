"""Brings the schema to the newest state: one Alembic environment, a branch for the kernel and for each module."""

import asyncio
from pathlib import Path
from typing import Final

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from huitouke.kernel import clock
from huitouke.kernel.database.engine import Database, sqlalchemy_url
from huitouke.kernel.modules import Modules

log = structlog.get_logger(__name__)

MIGRATION_LOCK: Final = 0x48544B4D  # "HTKM": only one `migrate` at a time, in the whole cluster
LOCK_TIMEOUT_SECONDS: Final = 3
LOCK_ATTEMPTS: Final = 20
PAUSE_SECONDS: Final = 0.5
LOCK_NOT_AVAILABLE: Final = "55P03"

KERNEL_MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"


def alembic_config(modules: Modules) -> Config:
    """The configuration that knows every module's folder of versions."""
    folders = [KERNEL_MIGRATIONS, *(module.migrations for module in modules if module.migrations is not None)]
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(folder) for folder in folders))
    return config


async def migrate(owner_url: str, modules: Modules) -> list[str]:
    """Applies what is missing, as the owner, under a lock; gives the revisions that were applied.

    A migration waits for a table's lock at most three seconds, so that requests behind it are not held up, and is
    tried again.

    Raises:
        sqlalchemy.exc.DBAPIError: a migration fails; nothing of this run is applied.
    """
    engine = create_async_engine(sqlalchemy_url(owner_url), poolclass=NullPool)
    try:
        for attempt in range(1, LOCK_ATTEMPTS + 1):
            try:
                async with engine.begin() as connection:
                    return await connection.run_sync(_upgrade, alembic_config(modules))
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or attempt == LOCK_ATTEMPTS:
                    raise
                log.info("migrate.waiting_for_lock", attempt=attempt)
                await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await engine.dispose()
    raise AssertionError("the last attempt returns or raises")


async def missing_revisions(database: Database, modules: Modules) -> list[str]:
    """The revisions this code knows and the schema lacks; empty when the schema is at this release or ahead."""
    script = ScriptDirectory.from_config(alembic_config(modules))
    async with database.engine.connect() as connection:
        applied = set((await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars())
    known = {revision.revision for revision in script.walk_revisions()}
    present: set[str] = set()
    for head in applied & known:
        present.update(revision.revision for revision in script.iterate_revisions(head, "base"))
    return sorted(known - present)


def _upgrade(connection: Connection, config: Config) -> list[str]:
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    left = _put_aside_uninstalled(connection, config)
    before = set(MigrationContext.configure(connection).get_current_heads())
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")
    after = set(MigrationContext.configure(connection).get_current_heads())
    for revision in left:
        connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    now = clock.now()
    connection.execute(text("SELECT make_partitions(:now)"), {"now": now})
    return sorted(after - before)


def _put_aside_uninstalled(connection: Connection, config: Config) -> list[str]:
    """Takes away, for the time of the upgrade, the revisions of plug-ins that are no longer installed.

    Alembic stops at a revision that it doesn't know; their tables stay until `huitouke module drop`. An unknown
    revision of a module that *is* installed stays: then the schema is ahead of this code, and Alembic says so.
    """
    if not connection.execute(text("SELECT to_regclass('public.alembic_version')")).scalar():
        return []
    script = ScriptDirectory.from_config(config)
    installed = {label for revision in script.walk_revisions() for label in revision.branch_labels}
    applied = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    left = [revision for revision in applied if revision.rpartition("_")[0] not in installed]
    for revision in left:
        connection.execute(text("DELETE FROM alembic_version WHERE version_num = :revision"), {"revision": revision})
    return left
