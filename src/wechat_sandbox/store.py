"""Keeps the sandbox's state in one SQLite file (or in memory), written in groups and read once at the start."""

import sqlite3
from pathlib import Path
from typing import Any

import orjson

from wechat_sandbox.entities import KINDS, Entity

FILE_NAME = "sandbox.sqlite3"
LOCK_SECONDS = 0.5  # another sandbox holds the file for as long as it runs: waiting does not help


class Store:
    """Rows of (kind, id, JSON) plus media bytes.

    `put` and `remove` only note the change; `flush` writes all of them in one transaction (about 50 µs with
    synchronous=OFF: a crash of the machine may lose the last moment, a crash of the process does not).
    """

    def __init__(self, directory: Path | None) -> None:
        if directory is None:
            path = ":memory:"
        else:
            directory.mkdir(parents=True, exist_ok=True)
            path = str(directory / FILE_NAME)
        self._connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS entities (kind TEXT, id TEXT, doc BLOB, PRIMARY KEY (kind, id)) WITHOUT ROWID"
        )
        self._connection.execute("CREATE TABLE IF NOT EXISTS media_bytes (media_id TEXT PRIMARY KEY, data BLOB)")
        self._dirty: dict[tuple[str, str], Entity | None] = {}

    def load(self) -> list[Any]:
        """All entities, in the order of kind and id. Raises TypeError when the file is of another version."""
        classes = {cls.kind: cls for cls in KINDS}
        rows = self._connection.execute("SELECT kind, doc FROM entities ORDER BY kind, id")
        return [classes[kind](**orjson.loads(doc)) for kind, doc in rows]

    def put(self, entity: Entity) -> None:
        self._dirty[(entity.kind, entity.key)] = entity

    def remove(self, entity: Entity) -> None:
        self._dirty[(entity.kind, entity.key)] = None

    def flush(self) -> None:
        """Writes what changed since the last flush; does nothing when nothing did."""
        if not self._dirty:
            return
        dirty, self._dirty = self._dirty, {}
        puts = [(kind, key, orjson.dumps(entity)) for (kind, key), entity in dirty.items() if entity is not None]
        removals = [identity for identity, entity in dirty.items() if entity is None]
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT OR REPLACE INTO entities VALUES (?, ?, ?)", puts)
        self._connection.executemany("DELETE FROM entities WHERE kind = ? AND id = ?", removals)
        self._connection.execute("COMMIT")

    def put_media(self, media_id: str, data: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO media_bytes VALUES (?, ?)", (media_id, data))

    def media(self, media_id: str) -> bytes | None:
        row = self._connection.execute("SELECT data FROM media_bytes WHERE media_id = ?", (media_id,)).fetchone()
        return None if row is None else bytes(row[0])

    def clear(self) -> None:
        """Forgets everything."""
        self._dirty = {}
        self._connection.execute("DELETE FROM entities")
        self._connection.execute("DELETE FROM media_bytes")

    def close(self) -> None:
        self.flush()
        self._connection.close()
