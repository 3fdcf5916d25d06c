"""media/upload and media/get (path/90253)."""

from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from wechat_sandbox.errors import ApiError
from wechat_sandbox.media import PHONE_LIMIT_BYTES, check_upload, keep_media, live_media
from wechat_sandbox.wecom.calls import Answer, Call, endpoint


@endpoint("media/upload", "POST")
async def media_upload(call: Call) -> Answer:
    """Multipart field `media` with a filename; lives three days. Raises 40005, 41005, 44001 and those of sizes."""
    media_type = call.query.get("type", "")
    async with call.request.form(max_files=2, max_fields=10) as form:
        file = form.get("media")
        if not isinstance(file, UploadFile) or not file.filename:
            raise ApiError(41005)
        data = await file.read(PHONE_LIMIT_BYTES + 1)
        filename = file.filename
    if not data:
        raise ApiError(44001)
    content_type = check_upload(media_type, data)
    media = keep_media(call.world, call.app.corp_id, media_type, filename, content_type, data)
    return {"type": media_type, "media_id": media.media_id, "created_at": str(int(media.created_at))}


@endpoint("media/get", "GET")
def media_get(call: Call) -> Answer:
    """The bytes, or a part by Range; 40007 as JSON when it is unknown or older than three days."""
    media_id = call.query.get("media_id", "")
    if not media_id:
        raise ApiError(41006)
    media = live_media(call.world, call.app.corp_id, media_id)
    data = call.world.store.media(media_id)
    if data is None:
        raise ApiError(40007)
    headers = {
        "Content-Disposition": disposition(media.filename),
        "Accept-Ranges": "bytes",
    }
    wanted = call.request.headers.get("range", "")
    if not wanted:
        return Response(data, media_type=media.content_type, headers=headers)
    part = _range(wanted, len(data))
    if part is None:
        return JSONResponse({}, 416, {"Content-Range": f"bytes */{len(data)}"})
    start, end = part
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
    return Response(data[start:end], 206, headers, media.content_type)


def disposition(filename: str) -> str:
    """Both forms of RFC 6266: an ASCII name for old clients, the real one percent-encoded after RFC 8187."""
    plain = "".join(one if one.isascii() and one.isprintable() and one not in '"\\%' else "_" for one in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _range(text: str, size: int) -> tuple[int, int] | None:
    """(start, end exclusive) of a single byte range; None when it cannot be met."""
    unit, _, span = text.partition("=")
    first, _, last = span.strip().partition("-")
    if unit.strip() != "bytes" or not (first or last) or not (first + last).isdecimal():
        return None
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    return (start, end) if start < end else None
