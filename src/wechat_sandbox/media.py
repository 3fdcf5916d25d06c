"""Pictures, voices, videos and files: what they are, how long they may be, how long they live (path/90253)."""

from wechat_sandbox.entities import Media
from wechat_sandbox.errors import ApiError
from wechat_sandbox.ids import new_media_id
from wechat_sandbox.world import World

MEGABYTE = 1_048_576
MEDIA_LIFE_SECONDS = 3 * 86_400
PHONE_LIMIT_BYTES = 20 * MEGABYTE
SMALLEST_MEDIA_BYTES = 5
VOICE_LIMIT_SECONDS = 60

UPLOAD_LIMIT_BYTES = {"image": 10 * MEGABYTE, "voice": 2 * MEGABYTE, "video": 10 * MEGABYTE, "file": 20 * MEGABYTE}
TOO_LARGE_CODE = {"image": 40009, "voice": 40006, "video": 40011, "file": 40006}

# What a customer sends beyond this arrives as a text that says so (path/94670).
INCOMING_LIMIT_BYTES = {"image": 2 * MEGABYTE, "voice": 2 * MEGABYTE, "video": 10 * MEGABYTE, "file": 20 * MEGABYTE}

AMR_HEADER = b"#!AMR\n"
AMR_FRAME_SECONDS = 0.02
# bytes of a frame after its first, by the mode in bits 3–6 of that first byte (RFC 4867)
AMR_FRAME_BYTES = {0: 12, 1: 13, 2: 15, 3: 17, 4: 19, 5: 20, 6: 26, 7: 31, 8: 5}


def sniff(data: bytes, filename: str) -> str:
    """The media type by content; by name only for what needs no trust."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(AMR_HEADER):
        return "audio/amr"
    if data[4:8] == b"ftyp":
        return "video/mp4"
    return "application/pdf" if filename.lower().endswith(".pdf") else "application/octet-stream"


def amr_seconds(data: bytes) -> float:
    """Length of an AMR voice by its frames of 20 ms each."""
    position, frames = len(AMR_HEADER), 0
    while position < len(data):
        mode = data[position] >> 3 & 0x0F
        position += 1 + AMR_FRAME_BYTES.get(mode, 0)
        frames += 1
    return frames * AMR_FRAME_SECONDS


def check_upload(media_type: str, data: bytes) -> str:
    """The content type of an upload by an app; raises 40005, 40006, 40009, 40011, 40004 or 45007."""
    if media_type not in UPLOAD_LIMIT_BYTES:
        raise ApiError(40005)
    if len(data) <= SMALLEST_MEDIA_BYTES:
        raise ApiError(40006)
    if len(data) > UPLOAD_LIMIT_BYTES[media_type]:
        raise ApiError(TOO_LARGE_CODE[media_type])
    content_type = sniff(data, "")
    allowed = {"image": ("image/jpeg", "image/png"), "voice": ("audio/amr",), "video": ("video/mp4",)}
    if media_type in allowed and content_type not in allowed[media_type]:
        raise ApiError(40004)
    if media_type == "voice" and amr_seconds(data) > VOICE_LIMIT_SECONDS:
        raise ApiError(45007)
    return content_type


def keep_media(world: World, corp_id: str, media_type: str, filename: str, content_type: str, data: bytes) -> Media:
    """Stores the bytes; `corp_id` empty for what a phone uploads."""
    media = Media(
        media_id=new_media_id(),
        corp_id=corp_id,
        media_type=media_type,
        filename=filename[:256],
        content_type=content_type,
        bytes=len(data),
        created_at=world.clock.now(),
        seconds=round(amr_seconds(data)) if content_type == "audio/amr" else 0,
    )
    world.store.put_media(media.media_id, data)
    world.add(media)
    return media


def live_media(world: World, corp_id: str, media_id: str) -> Media:
    """A media of this corp (or from a phone) not older than three days; raises 40007."""
    media = world.media.get(media_id)
    if media is None or media.corp_id not in ("", corp_id):
        raise ApiError(40007)
    if world.clock.now() - media.created_at > MEDIA_LIFE_SECONDS:
        raise ApiError(40007, "expired after 3 days")
    return media
