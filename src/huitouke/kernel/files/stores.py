"""Where the bytes of files lie: a folder, or (with the extra `s3`) any S3-compatible store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

import anyio

from huitouke.kernel.settings import Settings, get_settings

CHUNK_BYTES: Final = 64 * 1024


class ObjectMissingError(RuntimeError):
    """The row is there, its bytes are not: a store that was emptied or not restored."""


class StoreMissingError(RuntimeError):
    """The store that the settings name can't be used; the message says what to do."""


class Store(Protocol):
    """Keeps objects by name. Names are `tenant/yyyy/mm/id`."""

    async def put(self, name: str, path: Path) -> None:
        """Takes the file at `path` in, whole or not at all; the file may be gone afterwards."""
        ...

    def read(self, name: str, start: int, length: int) -> AsyncIterator[bytes]:
        """`length` bytes from `start`, in chunks. Raises ObjectMissingError."""
        ...

    async def delete(self, name: str) -> None:
        """Removes the object; nothing happens when there is none."""
        ...


class FolderStore:
    """Objects as files below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, name: str, path: Path) -> None:
        """Moves the file to its place; it is on the disk when this returns."""
        await asyncio.to_thread(self._put, name, path)

    async def read(self, name: str, start: int, length: int) -> AsyncIterator[bytes]:
        """Reads in a thread, chunk by chunk."""
        try:
            file = await anyio.open_file(self.folder / name, "rb")
        except FileNotFoundError as error:
            raise ObjectMissingError(name) from error
        async with file:
            await file.seek(start)
            left = length
            while left > 0:
                chunk = await file.read(min(CHUNK_BYTES, left))
                if not chunk:
                    return
                left -= len(chunk)
                yield chunk

    async def delete(self, name: str) -> None:
        """Unlinks the file."""
        await anyio.Path(self.folder / name).unlink(missing_ok=True)

    def _put(self, name: str, path: Path) -> None:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(target)


def incoming_folder(settings: Settings) -> Path:
    """Where uploads lie until they are whole: the same file system as the folder store, so that moving is renaming."""
    folder = settings.data_dir / "files" / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@lru_cache(maxsize=1)
def get_store() -> Store:
    """The store of this process.

    Raises:
        StoreMissingError: a bucket is set, but the extra `s3` is not installed.
    """
    settings = get_settings()
    if settings.files_s3_bucket is None:
        return FolderStore(settings.data_dir / "files" / "objects")
    try:
        # An extra, and heavy: only where a bucket is set.
        from huitouke.kernel.files.s3 import S3Store
    except ImportError as error:
        raise StoreMissingError("FILES_S3_BUCKET is set; install the extra: pip install 'huitouke[s3]'") from error
    return S3Store(settings)
