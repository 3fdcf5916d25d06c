"""Brings the schema to the newest state: one Alembic environment, a branch for the kernel and for each module."""

import asyncio
from collections.abc import Sequence
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
from huitouke.kernel.release import release as this_release

log = structlog.get_logger(__name__)

MIGRATION_LOCK: Final = 0x48544B4D  # "HTKM": only one `migrate` at a time, in the whole cluster
LOCK_TIMEOUT_SECONDS: Final = 3
LOCK_ATTEMPTS: Final = 20
PAUSE_SECONDS: Final = 0.5
LOCK_NOT_AVAILABLE: Final = "55P03"

KERNEL_MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"


class SchemaAheadError(RuntimeError):
    """The schema is of a newer release than the code; the message says what to do."""


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
        SchemaAheadError: a newer release was here before.
        sqlalchemy.exc.DBAPIError: a migration fails; nothing of this run is applied.
    """
    engine = create_async_engine(sqlalchemy_url(owner_url), poolclass=NullPool)
    try:
        for attempt in range(1, LOCK_ATTEMPTS + 1):
            try:
                async with engine.begin() as connection:
                    await connection.run_sync(hold_migration_lock)
                    return await connection.run_sync(upgrade, modules)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or attempt == LOCK_ATTEMPTS:
                    raise
                log.info("migrate.waiting_for_lock", attempt=attempt)
                await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await engine.dispose()
    raise AssertionError("the last attempt returns or raises")


async def missing_revisions(database: Database, modules: Modules) -> list[str]:
    """The revisions this code knows and the schema lacks; empty when the schema is at this release or ahead.

    While an installation is brought to a new release, processes of the old one run on its schema: a revision that they
    don't know, of a branch that they do, is ahead of all of that branch.

    Raises:
        SchemaAheadError: the schema is more than one release ahead: what this code uses may be gone.
    """
    script = ScriptDirectory.from_config(alembic_config(modules))
    async with database.engine.connect() as connection:
        applied = set((await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars())
        release = await connection.scalar(text("SELECT obj_description('public.alembic_version'::regclass)"))
    known = {revision.revision for revision in script.walk_revisions()}
    present: set[str] = set()
    for head in applied & known:
        present.update(revision.revision for revision in script.iterate_revisions(head, "base"))
    ahead = {_branch(revision) for revision in applied - known} & {_branch(revision) for revision in known}
    if ahead:
        _refuse_two_releases(release)
        # Alembic doesn't note a branch's head on which a noted one of another branch depends.
        seen = {_branch(revision) for revision in applied} - ahead
        present.update(revision for revision in known if _branch(revision) not in seen)
    return sorted(known - present)


def _refuse_two_releases(release: str | None) -> None:
    """`release`: the one that last migrated the schema, as `major.minor.patch`; it notes it in the table's comment."""
    ours, theirs = _minor(this_release()), _minor(release or "")
    if theirs is not None and ours is not None and theirs > (ours[0], ours[1] + 1):
        raise SchemaAheadError(f"the schema is of release {release}, more than one ahead of this one; install that one")


def _minor(release: str) -> tuple[int, int] | None:
    parts = release.split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and parts[0].isdigit() and parts[1].isdigit() else None


def _branch(revision: str) -> str:
    """Revisions are named `<branch>_<number>`."""
    return revision.rpartition("_")[0]


def hold_migration_lock(connection: Connection) -> None:
    """Keeps other migrations, backups and restores away until the transaction ends; waits for them shortly."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})


def upgrade_to(connection: Connection, modules: Modules, revisions: Sequence[str]) -> set[str]:
    """Brings an empty schema to those revisions, in the caller's transaction; gives those that Alembic has noted."""
    config = alembic_config(modules)
    config.attributes["connection"] = connection
    for revision in revisions:
        command.upgrade(config, revision)
    return set(MigrationContext.configure(connection).get_current_heads())


def upgrade(connection: Connection, modules: Modules) -> list[str]:
    """Applies what is missing, in the caller's transaction; gives the revisions that were applied."""
    config = alembic_config(modules)
    left = _put_aside_uninstalled(connection, config)
    _refuse_unknown(connection, config)
    before = set(MigrationContext.configure(connection).get_current_heads())
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")
    after = set(MigrationContext.configure(connection).get_current_heads())
    for revision in left:
        connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    connection.execute(text("SELECT make_partitions(:now)"), {"now": clock.now()})
    _note_release(connection)
    return sorted(after - before)


def _refuse_unknown(connection: Connection, config: Config) -> None:
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    unknown = set(MigrationContext.configure(connection).get_current_heads()) - known
    if unknown:
        raise SchemaAheadError(f"the schema is ahead of this release (it has {', '.join(sorted(unknown))})")


def _note_release(connection: Connection) -> None:
    release = this_release()
    noted = connection.execute(text("SELECT obj_description('public.alembic_version'::regclass)")).scalar()
    if noted != release:
        connection.execute(text(f"COMMENT ON TABLE public.alembic_version IS '{release}'"))


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
