"""Switches and books: faults, clock, callbacks, records, media, and the stream of changes."""

from bisect import bisect_right
from itertools import islice
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import Response, StreamingResponse

from wechat_sandbox.clock import OFFSET_LIMIT_SECONDS
from wechat_sandbox.control.common import REFUSALS, TheWorld
from wechat_sandbox.control.schemas import (
    CallbacksOut,
    ClockInput,
    ClockOut,
    MediaOut,
    RecordOut,
    RecordsOut,
    TokensExpired,
)
from wechat_sandbox.control.views import callback_out, media_url, record_out
from wechat_sandbox.errors import ControlError, invalid, not_found
from wechat_sandbox.faults import Faults
from wechat_sandbox.hub import TooManyStreams
from wechat_sandbox.media import PHONE_LIMIT_BYTES, keep_media, sniff

RECORD_LIMIT = 1_000

router = APIRouter(prefix="/sandbox", tags=["operation"], responses=REFUSALS)

# What a browser may show from this origin without running it.
INLINE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "audio/amr", "video/mp4"})


@router.get("/faults", operation_id="get_faults")
async def get_faults(world: TheWorld) -> Faults:
    return world.faults


@router.put("/faults", operation_id="set_faults")
async def set_faults(world: TheWorld, faults: Faults) -> Faults:
    """Replaces all switches; what is not named goes back to healthy. They outlive a restart."""
    world.faults = faults
    world.remember("faults", faults.model_dump(mode="json"))
    return faults


@router.post("/faults/expire-tokens", operation_id="expire_tokens")
async def expire_tokens(world: TheWorld, corp_id: Annotated[str | None, Query(max_length=64)] = None) -> TokensExpired:
    """All access tokens (of one corp) die now: calls answer 40014 until a new one is fetched."""
    expired = 0
    for token in world.tokens.values():
        if not token.revoked and corp_id in (None, token.corp_id):
            token.revoked = True
            world.save(token)
            expired += 1
    return TokensExpired(expired=expired)


@router.get("/clock", operation_id="get_clock")
async def get_clock(world: TheWorld) -> ClockOut:
    return ClockOut(now=world.clock.now(), offset_seconds=world.clock.offset_seconds)


@router.post("/clock", operation_id="move_clock")
async def move_clock(world: TheWorld, wanted: ClockInput) -> ClockOut:
    """Moves token life, the 48 hours, the 20 seconds and all other windows with it."""
    match wanted.advance_seconds, wanted.offset_seconds:
        case float(advance), None:
            offset = world.clock.offset_seconds + advance
        case None, float(fixed):
            offset = fixed
        case _:
            raise invalid("Give either advance_seconds or offset_seconds.")
    if abs(offset) > OFFSET_LIMIT_SECONDS:
        raise invalid("The clock can be moved by at most a year.")
    world.clock.offset_seconds = offset
    world.remember("clock_offset", offset)
    return ClockOut(now=world.clock.now(), offset_seconds=offset)


@router.get("/callbacks", operation_id="list_callbacks")
async def list_callbacks(
    world: TheWorld,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    corp_id: Annotated[str | None, Query(max_length=64)] = None,
    event: Annotated[str | None, Query(max_length=64)] = None,
) -> CallbacksOut:
    """The last callbacks (1,000 are kept), newest first, with every attempt and its result."""
    found = (one for one in reversed(world.callbacks) if corp_id in (None, one.corp_id) and event in (None, one.event))
    items = [callback_out(one) for one in islice(found, limit)]
    return CallbacksOut(items=items, waiting=world.sender.waiting)


@router.get("/records", operation_id="list_records")
async def list_records(
    world: TheWorld,
    after: Annotated[int, Query(ge=0, description="Only messages with a greater seq")] = 0,
    limit: Annotated[int, Query(ge=1, le=RECORD_LIMIT)] = RECORD_LIMIT,
    corp_id: Annotated[str | None, Query(max_length=64)] = None,
    source: Literal["customer", "servicer", "api"] | None = None,
) -> RecordsOut:
    """The sandbox's own book, oldest first: every customer message and every send it accepted, for reconciliation."""
    start = bisect_right(world.book, after, key=lambda one: one.seq)
    items: list[RecordOut] = []
    next_after: int | None = None
    for message in world.book[start:]:
        if corp_id not in (None, message.corp_id) or source not in (None, message.source):
            continue
        if len(items) == limit:
            next_after = items[-1].seq
            break
        items.append(record_out(message))
    return RecordsOut(items=items, next_after=next_after)


@router.post("/media", operation_id="upload_media", tags=["phone"])
async def upload_media(
    world: TheWorld,
    file: Annotated[UploadFile, File()],
    type: Annotated[Literal["image", "voice", "video", "file"], Form()] = "image",
) -> MediaOut:
    """A picture, voice, video or file from the phone or the employee's client; at most 20 MB."""
    data = await file.read(PHONE_LIMIT_BYTES + 1)
    if len(data) > PHONE_LIMIT_BYTES:
        raise ControlError(413, "too_large", f"A file may have at most {PHONE_LIMIT_BYTES} bytes.")
    if not data:
        raise invalid("The file is empty.")
    content_type = sniff(data, file.filename or "")
    if type == "image" and not content_type.startswith("image/"):
        raise invalid("This is not a picture (JPG, PNG, GIF or WebP).")
    media = keep_media(world, "", type, file.filename or type, content_type, data)
    return MediaOut(
        media_id=media.media_id,
        type=type,
        url=media_url(media.media_id),
        filename=media.filename,
        content_type=content_type,
        bytes=media.bytes,
    )


@router.get("/media/{media_id}", operation_id="get_media", tags=["phone"], response_class=Response)
async def get_media(world: TheWorld, media_id: str) -> Response:
    """The bytes for the pages, also after the three days that apps have."""
    media, data = world.media.get(media_id), world.store.media(media_id)
    if media is None or data is None:
        raise not_found("media", media_id)
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=86400",
    }
    if media.content_type not in INLINE_TYPES:
        headers["Content-Disposition"] = "attachment"
    return Response(data, media_type=media.content_type, headers=headers)


@router.get(
    "/stream",
    operation_id="stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "One Notice as JSON per `data:` line"}},
)
async def stream(
    world: TheWorld,
    customer: Annotated[str | None, Query(max_length=64, description="Only what concerns this customer")] = None,
    employee: Annotated[str | None, Query(max_length=64, description="Only what concerns this employee")] = None,
) -> StreamingResponse:
    """Server-sent events that say what changed; a page fetches it then. `reset` means: fetch everything."""
    try:
        subscriber = world.hub.subscribe(customer, employee)
    except TooManyStreams:
        raise ControlError(503, "too_many_streams", "Too many pages listen at once.") from None
    return StreamingResponse(
        world.hub.stream(subscriber), media_type="text/event-stream", headers={"Cache-Control": "no-cache"}
    )
