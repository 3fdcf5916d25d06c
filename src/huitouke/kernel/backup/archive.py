"""The file: a tar, compressed with gzip, that any tool can open.

manifest.json                          what it is: release, revisions, key fingerprint, tables (see `Manifest`)
tables/<table>/<number>.copy           rows as PostgreSQL's COPY text, cut anywhere into pieces of 4 MiB
files/<tenant>/<yyyy>/<mm>/<id>        stored files
checksums.json                         SHA-256 of every member before it; a file without it was cut short
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import orjson

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
CHECKSUMS: Final = "checksums.json"
TABLES: Final = "tables/"
FILES: Final = "files/"
COMPRESSION: Final = 1
"""gzip's fastest level: half the size of the best for a fifth of the time is no bad trade at night."""
READ_BYTES: Final = 1024 * 1024


class BackupError(RuntimeError):
    """The backup can't be made or restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns, in the order of the rows' values."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands at the beginning of a backup."""

    made_at: datetime
    release: str
    revisions: tuple[str, ...]
    """Of the schema, as Alembic notes them."""
    fingerprint: str
    """Of the key ring, which is not in the backup."""
    tables: tuple[Table, ...]
    sequences: dict[str, int]
    months: tuple[str, ...]
    """The first and the last `YYYYMM` for which there are partitions; empty without any."""

    def encode(self) -> bytes:
        return orjson.dumps({"format": FORMAT, **asdict(self)}, option=orjson.OPT_INDENT_2)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises BackupError for what this release can't read."""
        try:
            parsed: dict[str, Any] = orjson.loads(data)
            if parsed.pop("format") != FORMAT:
                raise BackupError("the backup was made by a newer release; restore it with that one")
            parsed["made_at"] = datetime.fromisoformat(parsed["made_at"])
            parsed["tables"] = tuple(Table(one["name"], tuple(one["columns"])) for one in parsed["tables"])
            parsed["revisions"] = tuple(parsed["revisions"])
            parsed["months"] = tuple(parsed["months"])
            return cls(**parsed)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackupError("this is no backup of Huitouke: its manifest can't be read") from error


class Writer:
    """Writes a backup under a temporary name beside its place, where `finish` puts it: whole, or not at all."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise BackupError(f"{path} is there already; a backup overwrites nothing")
        self._path = path
        self._partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        # People's words are in it.
        descriptor = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._tar = tarfile.open(  # noqa: SIM115 - `finish` closes it; what isn't finished is thrown away
            fileobj=self._file, mode="w:gz", compresslevel=COMPRESSION, format=tarfile.PAX_FORMAT
        )
        self._checksums: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def add(self, name: str, data: bytes) -> None:
        """Adds a member of bytes that are in memory."""
        self.add_file(name, io.BytesIO(data), len(data))

    def add_file(self, name: str, content: IO[bytes], size: int) -> str:
        """Adds a member of `size` bytes; gives its SHA-256 in hex."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        hashing = _Hashing(content)
        self._tar.addfile(member, hashing)
        self._checksums[name] = hashing.digest.hexdigest()
        return self._checksums[name]

    def finish(self) -> int:
        """Writes the checksums, and the file to the disk and to its place; gives its size in bytes."""
        self.add(CHECKSUMS, orjson.dumps(self._checksums))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        size = self._file.tell()
        self._partial.replace(self._path)
        return size


class _Hashing(io.RawIOBase):
    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._content.read(size)
        self.digest.update(data)
        return data


def members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each member, in order; a content is read before the next member is asked for.

    Raises:
        BackupError: the file is damaged or no backup at all.
    """
    with _damage_in_words(path), tarfile.open(path, mode="r|gz") as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is None:
                raise BackupError(f"{path} is damaged: {member.name} is no file")
            yield member.name, content


@contextmanager
def _damage_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise BackupError(f"{path} is damaged or no backup: {error}") from error


def read_manifest(path: Path) -> Manifest:
    """Raises BackupError when there is none, or none that this release can read."""
    for name, content in members(path):
        if name == MANIFEST:
            return Manifest.decode(content.read())
        break
    raise BackupError(f"{path} is no backup of Huitouke")


def verify(path: Path) -> None:
    """Reads all of it and compares every member with its checksum.

    Raises:
        BackupError: something is damaged, missing or too much.
    """
    found: dict[str, str] = {}
    expected: dict[str, str] | None = None
    with _damage_in_words(path):
        for name, content in members(path):
            if name == CHECKSUMS:
                expected = orjson.loads(content.read())
                continue
            digest = hashlib.sha256()
            while piece := content.read(READ_BYTES):
                digest.update(piece)
            found[name] = digest.hexdigest()
    if expected is None:
        raise BackupError(f"{path} was cut short: its checksums are missing")
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise BackupError(f"{path} is damaged: {wrong[0]} is not as it was written ({len(wrong)} parts in all)")
