"""Temporary media (path/90253, 96219): kept by WeCom for 3 days, shared by all apps of a corp."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import BinaryIO

import httpx2

from huitouke.wechat.client import Answer, Call, Upload, WecomClient, parse_answer, read_body, read_json, shaped
from huitouke.wechat.errors import TransportReason, UnexpectedAnswer
from huitouke.wechat.filenames import filename_of

MIB = 1024 * 1024
DOWNLOAD_LIMIT_BYTES = 20 * MIB  # beyond that WeCom serves ranges only (830002)
TRANSFER_TIMEOUT_SECONDS = 120.0  # one upload or download of at most 20 MB
SMALLEST_BYTES = 6  # "more than 5 bytes"
ERROR_BODY_LIMIT_BYTES = 64 * 1024


class MediaKind(StrEnum):
    IMAGE = "image"
    VOICE = "voice"  # AMR only, at most 60 s
    VIDEO = "video"  # MP4 only
    FILE = "file"


UPLOAD_LIMIT_BYTES = {
    MediaKind.IMAGE: 10 * MIB,
    MediaKind.VOICE: 2 * MIB,
    MediaKind.VIDEO: 10 * MIB,
    MediaKind.FILE: 20 * MIB,
}


@dataclass(frozen=True, slots=True)
class UploadedMedia:
    """`created_at` is when its 3 days began."""

    media_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DownloadedMedia:
    """What was written to the sink. `filename` is "" when WeCom names none; `media_type` is WeCom's claim."""

    filename: str
    media_type: str
    size_bytes: int


class _UploadAnswer(Answer):
    media_id: str
    created_at: int  # WeCom sends the seconds as text


class MediaClient:
    def __init__(self, client: WecomClient) -> None:
        self._client = client

    async def upload(self, kind: MediaKind, filename: str, content: bytes, media_type: str) -> UploadedMedia:
        """Store a file for 3 days (path/90253).

        Raises ValueError beyond the kind's size; WecomError 40004 … 40011, 45001 when WeCom dislikes the file.
        A repeat after a time-out only makes a second copy.
        """
        limit_bytes = UPLOAD_LIMIT_BYTES[kind]
        if not SMALLEST_BYTES <= len(content) <= limit_bytes:
            raise ValueError(f"{len(content)} bytes; {kind} takes {SMALLEST_BYTES} to {limit_bytes}")
        call = Call(
            "POST",
            "media/upload",
            params={"type": kind.value},
            upload=Upload("media", filename, content, media_type),
            timeout_seconds=TRANSFER_TIMEOUT_SECONDS,
        )
        answer = shaped(_UploadAnswer, await self._client.run(call, read_json), call.path)
        return UploadedMedia(answer.media_id, datetime.fromtimestamp(answer.created_at, UTC))

    async def get(self, media_id: str, sink: BinaryIO, limit_bytes: int = DOWNLOAD_LIMIT_BYTES) -> DownloadedMedia:
        """Write a medium to `sink`, a seekable file, from where it stands (path/90254).

        Raises WecomError 40007 when it is unknown or older than 3 days, UnexpectedAnswer beyond `limit_bytes`;
        the sink is then as it was before.
        """
        start = sink.tell()

        async def read(call: Call, response: httpx2.Response) -> DownloadedMedia:
            sink.seek(start)
            sink.truncate()
            if not _is_media(response):
                parse_answer(call, await read_body(call, response, ERROR_BODY_LIMIT_BYTES))
                raise UnexpectedAnswer(None, "neither medium nor error", call.path, reason=TransportReason.NOT_JSON)
            try:
                return await _store(call, response, sink, limit_bytes)
            except BaseException:
                sink.seek(start)
                sink.truncate()
                raise

        call = Call("GET", "media/get", {"media_id": media_id}, timeout_seconds=TRANSFER_TIMEOUT_SECONDS)
        return await self._client.run(call, read)


def _is_media(response: httpx2.Response) -> bool:
    """Errors are JSON without a Content-Disposition; a customer's own .json file comes with one."""
    if "content-disposition" in response.headers:
        return True
    media_type = response.headers.get("content-type", "").lower()
    return bool(media_type) and not media_type.startswith(("application/json", "text/"))


async def _store(call: Call, response: httpx2.Response, sink: BinaryIO, limit_bytes: int) -> DownloadedMedia:
    size_bytes = 0
    async for chunk in response.aiter_bytes():
        size_bytes += len(chunk)
        if size_bytes > limit_bytes:
            raise UnexpectedAnswer(None, f"more than {limit_bytes} bytes", call.path, reason=TransportReason.TOO_LARGE)
        sink.write(chunk)
    return DownloadedMedia(
        filename=filename_of(response.headers.get("content-disposition", "")),
        media_type=response.headers.get("content-type", "application/octet-stream").split(";")[0].strip().lower(),
        size_bytes=size_bytes,
    )
