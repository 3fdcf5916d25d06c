"""Use cases of files: receive, attach, read, expire."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select, update

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import Conflict, InvalidInput, NotFound, TooLarge
from huitouke.kernel.files import pictures, sniffing
from huitouke.kernel.files.addresses import signed_url
from huitouke.kernel.files.models import File
from huitouke.kernel.files.purposes import Purpose, purpose_named
from huitouke.kernel.files.stores import get_store, incoming_folder
from huitouke.kernel.ids import new_id, time_of
from huitouke.kernel.observability import metrics
from huitouke.kernel.settings import get_settings
from huitouke.kernel.work import schedule, scheduled

__all__ = ["StoredFile", "attach", "expire", "get", "get_many", "read", "receive", "signed_url", "store_bytes"]

KEEP_UNATTACHED: Final = timedelta(hours=24)
EXPIRE_KIND: Final = "files.expire"
EXPIRE_BATCH: Final = 200
MAX_NAME_CHARACTERS: Final = 200

log = structlog.get_logger(__name__)


class UnknownKind(InvalidInput):
    """The content is of a kind that the purpose doesn't allow; `allowed` names those it does."""

    type = "files.unknown_kind"


class HeicPicture(InvalidInput):
    """An iPhone's own format, which neither WeChat nor most browsers open. Safari turns it into JPEG by itself where
    a page asks for JPEG; this one came another way."""

    type = "files.heic"


class NameDiffers(InvalidInput):
    """The name's ending says one thing and the content another: whoever gets it would open what they don't expect."""

    type = "files.name_differs"


class EmptyFile(InvalidInput):
    """There is nothing in the file."""

    type = "files.empty"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as use cases see it. `bytes` is its size."""

    id: UUID
    purpose: str
    name: str
    media_type: str
    bytes: int
    created_at: datetime

    @property
    def object_name(self) -> str:
        """Its place in the store below the tenant's folder: `yyyy/mm/id`."""
        return _below_tenant(self.id)


async def receive(context: Context, purpose: str, name: str, stream: AsyncIterator[bytes]) -> StoredFile:
    """Stores what streams in; the limit of the purpose counts while it is read.

    With an open transaction in `context` the row is part of it; otherwise it is committed here. What nobody attaches
    within 24 hours is removed.

    Raises:
        TooLarge: over the purpose's limit.
        UnknownKind, NameDiffers, HeicPicture, EmptyFile, BrokenPicture, TooManyPixels: the content can't be used.
    """
    allowed = purpose_named(purpose)
    path = await asyncio.to_thread(_temporary)
    try:
        size = await _write(path, stream, allowed)
        if size == 0:
            raise EmptyFile(field="file")
        media_type = await asyncio.to_thread(sniffing.media_type_of, path, name)
        if media_type == sniffing.HEIC and allowed.kinds is not None:
            raise HeicPicture(field="file")
        if allowed.kinds is not None and media_type not in allowed.kinds:
            raise UnknownKind(field="file", allowed=allowed.kinds_in_words, media_type=media_type)
        if allowed.passed_on and not sniffing.keeps_its_promise(name, media_type):
            raise NameDiffers(field="file", ending=Path(name).suffix)
        if allowed.reencode_pictures:
            media_type = await pictures.redraw(path)
        size, digest = await asyncio.to_thread(_measure, path)
        file = File(
            id=new_id(),
            purpose=purpose,
            name=_clean_name(name),
            media_type=media_type,
            bytes=size,
            sha256=digest,
            state="waiting",
            created_at=clock.now(),
        )
        stored = _seen(file)
        await get_store().put(place_of(context.tenant_id, stored.id), path)
    finally:
        path.unlink(missing_ok=True)
    if context.open_session is not None:
        await _keep(context, file)
    else:
        async with transaction(context) as ctx:
            await _keep(ctx, file)
    metrics.FILES_STORED_BYTES.labels(purpose=purpose).inc(size)
    return stored


async def store_bytes(context: Context, purpose: str, name: str, data: bytes, media_type: str | None = None) -> UUID:
    """Stores bytes that are in memory (received media, generated files); gives the file's id.

    `media_type` is what the sender says: it is logged when the content says otherwise, and never trusted.
    Raises what `receive` raises.
    """

    async def stream() -> AsyncIterator[bytes]:
        yield data

    stored = await receive(context, purpose, name, stream())
    if media_type is not None and media_type.split(";")[0].strip().lower() != stored.media_type:
        log.info("files.media_type_differs", file_id=str(stored.id), said=media_type, found=stored.media_type)
    return stored.id


async def attach(ctx: Context, file_id: UUID, kind: str, object_id: UUID) -> None:
    """Makes the file part of that object, so that it stays. Attaching it there again changes nothing.

    Raises:
        NotFound: there is no such file (any more).
        Conflict: it belongs to something else.
    """
    attached = await ctx.session.execute(
        update(File)
        .where(File.id == file_id, File.state == "waiting")
        .values(state="attached", attached_to_kind=kind, attached_to_id=object_id)
        .returning(File.id)
    )
    if attached.scalar_one_or_none() is not None:
        return
    place = (
        await ctx.session.execute(select(File.attached_to_kind, File.attached_to_id).where(File.id == file_id))
    ).one_or_none()
    if place is None:
        raise NotFound(field="file_id")
    if (place.attached_to_kind, place.attached_to_id) != (kind, object_id):
        raise Conflict(field="file_id", reason="file_attached")


async def get(ctx: Context, file_id: UUID) -> StoredFile:
    """The file of that id.

    Raises:
        NotFound: there is none in this tenant.
    """
    file = (await ctx.session.execute(select(File).where(File.id == file_id))).scalar_one_or_none()
    if file is None:
        raise NotFound(field="file_id")
    return _seen(file)


async def get_many(ctx: Context, file_ids: Iterable[UUID]) -> dict[UUID, StoredFile]:
    """The files of those ids that exist, in one query."""
    wanted = set(file_ids)
    if not wanted:
        return {}
    rows = (await ctx.session.execute(select(File).where(File.id.in_(wanted)))).scalars()
    return {file.id: _seen(file) for file in rows}


async def read(ctx: Context, file_id: UUID) -> AsyncIterator[bytes]:
    """The content in chunks of at most 64 KiB; the row is looked up in the open transaction of `ctx`.

    Raises:
        NotFound: there is no such file.
        ObjectMissingError: the store has lost it.
    """
    async for chunk in read_part(ctx, await get(ctx, file_id)):
        yield chunk


def read_part(context: Context, file: StoredFile, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
    """`length` bytes (all by default) from `start` of a file that was looked up before; needs no transaction."""
    name = place_of(context.tenant_id, file.id)
    return get_store().read(name, start, file.bytes - start if length is None else length)


async def read_bytes(ctx: Context, file_id: UUID) -> bytes:
    """The whole content in memory, for files whose purpose bounds them (imports, media to upload)."""
    return b"".join([chunk async for chunk in read(ctx, file_id)])


@scheduled(EXPIRE_KIND)
async def expire(context: Context) -> datetime | None:
    """Removes what nobody attached within 24 hours, 200 at a time; gives when the next one is due."""
    async with transaction(context) as ctx:
        due = (
            (
                await ctx.session.execute(
                    select(File)
                    .where(File.state == "waiting", File.created_at <= clock.now() - KEEP_UNATTACHED)
                    .order_by(File.created_at)
                    .limit(EXPIRE_BATCH)
                    .with_for_update(skip_locked=True)
                )
            )
            .scalars()
            .all()
        )
        await ctx.session.execute(delete(File).where(File.id.in_([file.id for file in due])))
        oldest = (
            await ctx.session.execute(
                select(File.created_at).where(File.state == "waiting").order_by(File.created_at).limit(1)
            )
        ).scalar_one_or_none()
    for file in due:
        await get_store().delete(place_of(context.tenant_id, file.id))
    return oldest + KEEP_UNATTACHED if oldest is not None else None


async def stored_bytes(ctx: Context) -> int:
    """How much the tenant's files take, in bytes."""
    return int(await ctx.session.scalar(select(func.coalesce(func.sum(File.bytes), 0))) or 0)


async def _keep(ctx: Context, file: File) -> None:
    ctx.session.add(file)
    await schedule(ctx, EXPIRE_KIND, file.created_at + KEEP_UNATTACHED)
    await ctx.session.flush()


async def _write(path: Path, stream: AsyncIterator[bytes], purpose: Purpose) -> int:
    size = 0
    with path.open("wb") as file:
        async for chunk in stream:
            size += len(chunk)
            if size > purpose.limit_bytes:
                raise TooLarge(field="file", limit=f"{purpose.limit_bytes // 1024 // 1024} MB")
            await asyncio.to_thread(file.write, chunk)
    return size


def _measure(path: Path) -> tuple[int, bytes]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return path.stat().st_size, digest


def _temporary() -> Path:
    descriptor, name = tempfile.mkstemp(dir=incoming_folder(get_settings()))
    os.close(descriptor)
    return Path(name)


def _clean_name(name: str) -> str:
    """The last part of what the sender called it, printable, at most 200 characters with its ending."""
    plain = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable()).strip() or "file"
    if len(plain) <= MAX_NAME_CHARACTERS:
        return plain
    ending = Path(plain).suffix[:20]
    return plain[: MAX_NAME_CHARACTERS - len(ending)] + ending


def place_of(tenant_id: UUID, file_id: UUID) -> str:
    """The name of a file's object in the store: `tenant/yyyy/mm/id`."""
    return f"{tenant_id}/{_below_tenant(file_id)}"


def _below_tenant(file_id: UUID) -> str:
    return f"{time_of(file_id):%Y/%m}/{file_id}"


def _seen(file: File) -> StoredFile:
    return StoredFile(file.id, file.purpose, file.name, file.media_type, file.bytes, file.created_at)
