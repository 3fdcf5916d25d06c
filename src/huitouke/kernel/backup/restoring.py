"""Restoring a backup: everything in one transaction, so that whatever interrupts it leaves the database as it was."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import IO, Final

import asyncpg
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from huitouke.kernel.backup import catalogue
from huitouke.kernel.backup.archive import FILES, TABLES, BackupError, Manifest, Table, members, read_manifest, verify
from huitouke.kernel.backup.writing import Progress
from huitouke.kernel.database.ddl import APP_ROLE
from huitouke.kernel.database.engine import sqlalchemy_url
from huitouke.kernel.database.migrate import alembic_config, hold_migration_lock, upgrade, upgrade_to
from huitouke.kernel.files.stores import Store
from huitouke.kernel.keys import KeyRing
from huitouke.kernel.modules import Modules

READ_BYTES: Final = 256 * 1024

_DROP_OURS: Final = """
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT c.oid::regclass AS name, c.relkind FROM pg_class c
              WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'S')
                AND NOT c.relispartition AND pg_get_userbyid(c.relowner) = current_user
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
                                AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('a', 'i'))) LOOP
    EXECUTE format('DROP %s IF EXISTS %s CASCADE',
                   CASE one.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, one.name);
  END LOOP;
  FOR one IN SELECT p.oid::regprocedure AS name FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace AND pg_get_userbyid(p.proowner) = current_user
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') LOOP
    EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', one.name);
  END LOOP;
END $$
"""


@dataclass(slots=True)
class Restored:
    """What was brought back."""

    manifest: Manifest
    tables: int = 0
    rows: int = 0
    files: int = 0
    left_out: list[str] = field(default_factory=list)
    """Tables that no installed module makes."""
    migrations: list[str] = field(default_factory=list)
    """Revisions that were applied to bring an older backup to this release."""


def look_into(path: Path, ring: KeyRing, modules: Modules) -> Manifest:
    """Reads the manifest and says whether this installation can restore the backup.

    Raises:
        BackupError: no backup; made by a newer release; keys or plug-ins are missing.
    """
    if not path.is_file():
        raise BackupError(f"there is no file {path}")
    manifest = read_manifest(path)
    lacking = [key for key in manifest.fingerprint.split() if key not in ring.fingerprint().split()]
    if lacking:
        raise BackupError(
            f"the key ring lacks {', '.join(lacking)}, with which the backup's secrets are sealed;"
            " put the ring of that installation in HUITOUKE_KEYS or in the key file"
        )
    script = ScriptDirectory.from_config(alembic_config(modules))
    known = {revision.revision for revision in script.walk_revisions()}
    installed = {label for revision in script.walk_revisions() for label in revision.branch_labels}
    for revision in manifest.revisions:
        if revision.rpartition("_")[0] not in installed:
            raise BackupError(f"the backup holds {revision} of a plug-in that is not installed; install it first")
        if revision not in known:
            raise BackupError(
                f"the backup was made by release {manifest.release} and holds {revision}, which this release"
                " doesn't know; restore it with that release or a newer one"
            )
    return manifest


async def what_would_be_lost(owner_url: str) -> str | None:
    """What stands in the database now, in words; None when there is nobody and nothing in it."""
    connection = await asyncpg.connect(owner_url)
    try:
        if await connection.fetchval("SELECT to_regclass('public.tenants')") is None:
            return None
        merchants = await connection.fetchval("SELECT count(*) FROM public.tenants")
        return f"{merchants} merchants with all they have" if merchants else None
    finally:
        await connection.close()


async def restore(
    owner_url: str, modules: Modules, ring: KeyRing, store: Store, path: Path, incoming: Path, progress: Progress
) -> Restored:
    """Replaces everything in the database by the backup, brought to this release, and puts its files in the store.

    `incoming` is a folder for files on their way. Interrupted, it leaves the database as it was; files that it had
    already put in the store stay there, unnamed by any row, until it is done again.

    Raises:
        BackupError: see `look_into`; the file is damaged; or processes are connected that would write meanwhile.
        asyncpg.PostgresError, OSError: the database or the disk failed.
    """
    manifest = look_into(path, ring, modules)
    progress("comparing checksums")
    await asyncio.to_thread(verify, path)
    engine = create_async_engine(sqlalchemy_url(owner_url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(hold_migration_lock)
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await _refuse_company(driver)
            return await _fill(connection, driver, manifest, modules, store, path, incoming, progress)
    finally:
        await engine.dispose()


async def _refuse_company(driver: catalogue.Connection) -> None:
    others = await driver.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1", APP_ROLE
    )
    if others:
        raise BackupError(f"{others} connections of Huitouke are open; stop serve, work and realtime first")


async def _fill(
    connection: AsyncConnection,
    driver: catalogue.Connection,
    manifest: Manifest,
    modules: Modules,
    store: Store,
    path: Path,
    incoming: Path,
    progress: Progress,
) -> Restored:
    progress("making the tables")
    await driver.execute(_DROP_OURS)
    await connection.run_sync(_make_schema, modules, manifest)
    await driver.execute(catalogue.COPY_SETTINGS)
    there = {table.name: table for table in await catalogue.tables(driver)}
    await driver.execute(f"TRUNCATE {', '.join(map(catalogue.quoted, there))}")  # what migrations put in
    bring_back = await catalogue.drop_foreign_keys(driver)
    done = Restored(manifest)
    wanted = {table.name: table for table in manifest.tables}
    for (folder, name), pieces in groupby(members(path), key=lambda member: _place(member[0])):
        if folder == TABLES:
            done.rows += await _fill_table(driver, wanted[name], there.get(name), pieces, done)
        elif folder == FILES:
            done.files += await _put_files(pieces, store, incoming)
        progress(f"{done.rows} rows, {done.files} files")
    done.tables = len(wanted) - len(done.left_out)
    for name, following in manifest.sequences.items():
        if await driver.fetchval("SELECT to_regclass('public.' || quote_ident($1))", name) is not None:
            await driver.execute("SELECT setval(('public.' || quote_ident($1))::regclass, $2, false)", name, following)
    progress("checking references")
    for statement in bring_back:
        await driver.execute(statement)
    progress("bringing it to this release")
    done.migrations = await connection.run_sync(upgrade, modules)
    return done


def _make_schema(connection: Connection, modules: Modules, manifest: Manifest) -> None:
    """The tables as they were when the backup was made, with partitions for all of its months."""
    made = upgrade_to(connection, modules, manifest.revisions)
    if made != set(manifest.revisions):
        raise BackupError(f"the backup's schema ({', '.join(manifest.revisions)}) can't be made by this release")
    if manifest.months:
        first, last = (datetime.strptime(month, "%Y%m").replace(tzinfo=UTC) for month in manifest.months)
        # The gate goes on to three months after the moment that it is given.
        connection.execute(
            text("SELECT make_partitions(CAST(:last AS timestamptz) - interval '3 months', :first)"),
            {"last": last, "first": first},
        )


async def _fill_table(
    driver: catalogue.Connection,
    table: Table,
    there: Table | None,
    pieces: Iterator[tuple[str, IO[bytes]]],
    done: Restored,
) -> int:
    if there is None:
        done.left_out.append(table.name)
        return 0
    if missing := set(table.columns) - set(there.columns):
        raise BackupError(f"the backup's table {table.name} has columns that it never had: {', '.join(missing)}")

    async def source() -> AsyncIterator[bytes]:
        for _, content in pieces:
            while data := content.read(READ_BYTES):
                yield data

    status = await driver.copy_to_table(
        table.name, schema_name="public", source=source(), columns=table.columns, format="text"
    )
    return int(status.split()[-1])


async def _put_files(pieces: Iterator[tuple[str, IO[bytes]]], store: Store, incoming: Path) -> int:
    count = 0
    for name, content in pieces:
        on_its_way = incoming / f"restore-{os.getpid()}"
        try:
            with on_its_way.open("wb") as file:
                while data := content.read(READ_BYTES):
                    file.write(data)
            await store.put(name.removeprefix(FILES), on_its_way)
        finally:
            on_its_way.unlink(missing_ok=True)
        count += 1
    return count


def _place(member: str) -> tuple[str, str]:
    """`tables/` and the table's name; `files/` and nothing, so that all files are one group; else neither."""
    if member.startswith(TABLES):
        return TABLES, member.removeprefix(TABLES).rpartition("/")[0]
    return (FILES, "") if member.startswith(FILES) else ("", member)
