"""Reading files by their signed address, with ranges, in a way that no content can do harm."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from huitouke.kernel import clock
from huitouke.kernel.context import job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.files import service
from huitouke.kernel.files.addresses import open_token
from huitouke.kernel.files.sniffing import INLINE
from huitouke.kernel.settings import get_settings

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
MAX_TOKEN_CHARACTERS: Final = 200

router = APIRouter(include_in_schema=False)


@router.api_route("/files/{file_id}", methods=["GET", "HEAD"])
async def read_file(
    file_id: UUID,
    request: Request,
    token: Annotated[str, Query(max_length=MAX_TOKEN_CHARACTERS)],
    download: bool = False,
) -> Response:
    """The file's bytes, or the range asked for."""
    tenant_id, expires_at = open_token(token, file_id, "download" if download else "view")
    context = job_context(tenant_id)
    async with transaction(context) as ctx:
        file = await service.get(ctx, file_id)
    headers = _headers(file, inline=not download and file.media_type in INLINE)
    headers["Cache-Control"] = f"private, max-age={max(0, int((expires_at - clock.now()).total_seconds()))}"
    part = _range(request.headers.get("range"), file.bytes)
    if part is None:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{file.bytes}"})
    start, length = part
    headers["Content-Length"] = str(length)
    status = 200
    if length < file.bytes:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{file.bytes}"
        status = 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=file.media_type)
    content = service.read_part(context, file, start, length)
    return StreamingResponse(content, status_code=status, headers=headers, media_type=file.media_type)


def _headers(file: service.StoredFile, *, inline: bool) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{quote(file.name)}",
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        "Cross-Origin-Resource-Policy": "cross-origin" if get_settings().files_host else "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _range(asked: str | None, size: int) -> tuple[int, int] | None:
    """Start and length of the one range asked for, the whole when none or several are; None when it lies outside."""
    match = _RANGE.fullmatch(asked.strip()) if asked else None
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, length) if length > 0 else None
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    return (start, end - start + 1) if start <= end and start < size else None
