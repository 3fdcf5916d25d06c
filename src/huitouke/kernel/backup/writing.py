"""Making a backup, beside whatever goes on: one transaction sees all tables as they were when it began."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, TypeAlias

import asyncpg

from huitouke.kernel import clock
from huitouke.kernel.backup import catalogue
from huitouke.kernel.backup.archive import FILES, MANIFEST, TABLES, BackupError, Manifest, Table, Writer
from huitouke.kernel.database.migrate import MIGRATION_LOCK
from huitouke.kernel.files.service import place_of
from huitouke.kernel.files.stores import ObjectMissingError, Store
from huitouke.kernel.keys import KeyRing
from huitouke.kernel.release import release

PIECE_BYTES: Final = 4 * 1024 * 1024
IN_MEMORY_BYTES: Final = 8 * 1024 * 1024
"""Larger files go over the disk: tar wants a member's size before its bytes."""

Progress: TypeAlias = Callable[[str], None]


@dataclass(slots=True)
class Backup:
    """What was written."""

    fingerprint: str
    tables: int = 0
    rows: int = 0
    files: int = 0
    bytes: int = 0
    """Of the backup itself."""
    damaged: list[str] = field(default_factory=list)
    """Stored files that are missing or not what they were when they were stored."""


async def back_up(owner_url: str, ring: KeyRing, store: Store, path: Path, progress: Progress) -> Backup:
    """Writes a backup to `path`. Takes no lock that anybody but `migrate` and `restore` waits for.

    Raises:
        BackupError: there is nothing to back up, or something is at that path already: a backup overwrites nothing.
        asyncpg.PostgresError, OSError: the database or the disk failed; nothing is left behind.
    """
    connection = await asyncpg.connect(owner_url)
    try:
        # Before the snapshot: a schema that changes meanwhile would be neither the old nor the new one.
        await connection.execute(f"SELECT pg_advisory_lock_shared({MIGRATION_LOCK})")
        with Writer(path) as writer:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await connection.execute(catalogue.COPY_SETTINGS)
                return await _write(connection, ring, store, writer, progress)
    finally:
        await asyncio.shield(connection.close(timeout=5))


async def _write(
    connection: catalogue.Connection, ring: KeyRing, store: Store, writer: Writer, progress: Progress
) -> Backup:
    manifest = Manifest(
        made_at=clock.now(),
        release=release(),
        revisions=await catalogue.revisions(connection),
        fingerprint=ring.fingerprint(),
        tables=await catalogue.tables(connection),
        sequences=await catalogue.sequences(connection),
        months=await catalogue.months(connection),
    )
    if not manifest.revisions:
        raise BackupError("the database is empty: there is nothing to back up")
    writer.add(MANIFEST, manifest.encode())
    made = Backup(ring.fingerprint(), tables=len(manifest.tables))
    for number, table in enumerate(manifest.tables, start=1):
        progress(f"table {number} of {len(manifest.tables)}, {made.rows} rows")
        made.rows += await _write_table(connection, table, writer)
    await _write_files(connection, store, writer, made, progress)
    made.bytes = writer.finish()
    return made


async def _write_table(connection: catalogue.Connection, table: Table, writer: Writer) -> int:
    """Gives the number of rows."""
    waiting = bytearray()
    pieces = 0

    def write() -> None:
        nonlocal pieces
        pieces += 1
        writer.add(f"{TABLES}{table.name}/{pieces:06}.copy", bytes(waiting))
        waiting.clear()

    async def take(data: bytes) -> None:
        waiting.extend(data)
        if len(waiting) >= PIECE_BYTES:
            write()

    query = f"SELECT {catalogue.column_list(table)} FROM public.{catalogue.quoted(table.name)}"  # noqa: S608 - from the catalogue
    status = await connection.copy_from_query(query, output=take, format="text")
    if waiting:
        write()
    return int(status.split()[-1])


async def _write_files(
    connection: catalogue.Connection, store: Store, writer: Writer, made: Backup, progress: Progress
) -> None:
    rows = connection.cursor("SELECT tenant_id, id, bytes, sha256, state FROM public.files ORDER BY tenant_id, id")
    async for row in rows:
        name = place_of(row["tenant_id"], row["id"])
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as spool:
            found = await _read(store, name, row["bytes"], spool)
            if not found and row["state"] == "waiting":
                continue  # nobody attached it, and since the snapshot its day was over
            size = spool.tell()
            spool.seek(0)
            if not found or writer.add_file(f"{FILES}{name}", spool, size) != row["sha256"].hex():
                made.damaged.append(name)
            made.files += found
        progress(f"{made.rows} rows, {made.files} files")


async def _read(store: Store, name: str, length: int, into: IO[bytes]) -> bool:
    try:
        async for piece in store.read(name, 0, length):
            into.write(piece)
    except ObjectMissingError:
        return False
    return True
