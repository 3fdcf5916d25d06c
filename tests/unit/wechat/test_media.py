import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx2
import pytest

from huitouke.wechat.errors import TransportReason, UnexpectedAnswer, WecomError
from huitouke.wechat.media import MediaClient, MediaKind
from tests.unit.wechat.support import ScriptedWecom, answer


@pytest.fixture
def wecom() -> ScriptedWecom:
    return ScriptedWecom()


@pytest.fixture
def media(wecom: ScriptedWecom) -> MediaClient:
    return MediaClient(wecom.client())


def medium(content: bytes, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(200, content=content, headers=named)


async def test_a_file_is_uploaded_as_multipart(wecom: ScriptedWecom, media: MediaClient) -> None:
    wecom.script(answer(type="image", media_id="m1", created_at="1380000000"))

    uploaded = await media.upload(MediaKind.IMAGE, "裙子.png", b"\x89PNG-bytes", "image/png")

    assert uploaded.media_id == "m1"
    assert uploaded.created_at == datetime.fromtimestamp(1380000000, UTC)
    request = wecom.requests[0]
    assert request.url.params["type"] == "image"
    assert request.headers["content-type"].startswith("multipart/form-data")
    assert b'name="media"' in request.content
    assert 'filename="裙子.png"'.encode() in request.content
    assert b"\x89PNG-bytes" in request.content


@pytest.mark.parametrize(
    ("kind", "size_bytes"), [(MediaKind.IMAGE, 5), (MediaKind.VOICE, 2 * 1024 * 1024 + 1), (MediaKind.FILE, 0)]
)
async def test_a_file_of_the_wrong_size_is_not_sent(
    wecom: ScriptedWecom, media: MediaClient, kind: MediaKind, size_bytes: int
) -> None:
    with pytest.raises(ValueError):
        await media.upload(kind, "f", b"x" * size_bytes, "application/octet-stream")
    assert not wecom.requests


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('attachment; filename="photo.jpg"', "photo.jpg"),
        ("attachment; filename=photo.jpg", "photo.jpg"),
        ("attachment; filename*=UTF-8''%E8%A3%99%E5%AD%90.jpg", "裙子.jpg"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment", ""),
    ],
)
async def test_a_medium_is_written_with_its_name(
    wecom: ScriptedWecom, media: MediaClient, disposition: str, filename: str
) -> None:
    wecom.script(medium(b"jpeg" * 1000, content_type="image/jpeg; q=1", content_disposition=disposition))
    sink = io.BytesIO()

    got = await media.get("m1", sink)

    assert (got.filename, got.media_type, got.size_bytes) == (filename, "image/jpeg", 4000)
    assert sink.getvalue() == b"jpeg" * 1000
    assert wecom.requests[0].url.params["media_id"] == "m1"


async def test_a_name_in_raw_utf8_is_read(wecom: ScriptedWecom, media: MediaClient) -> None:
    raw = (b"content-disposition", 'attachment; filename="裙子.jpg"'.encode())
    wecom.script(httpx2.Response(200, content=b"jpeg", headers=[raw, (b"content-type", b"image/jpeg")]))

    assert (await media.get("m1", io.BytesIO())).filename == "裙子.jpg"


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "text/plain", ""])
async def test_an_error_instead_of_a_medium_is_an_error(
    wecom: ScriptedWecom, media: MediaClient, content_type: str
) -> None:
    wecom.script(medium(b'{"errcode":40007,"errmsg":"invalid media_id"}', content_type=content_type))
    sink = io.BytesIO()

    with pytest.raises(WecomError) as caught:
        await media.get("old", sink)

    assert caught.value.errcode == 40007
    assert sink.getvalue() == b""


async def test_a_customers_own_json_file_is_a_medium(wecom: ScriptedWecom, media: MediaClient) -> None:
    content = b'{"errcode":40007}'
    wecom.script(medium(content, content_type="application/json", content_disposition='attachment; filename="a.json"'))
    sink = io.BytesIO()

    assert (await media.get("m1", sink)).filename == "a.json"
    assert sink.getvalue() == content


async def test_beyond_the_limit_nothing_is_kept(wecom: ScriptedWecom, media: MediaClient) -> None:
    wecom.script(medium(b"x" * 2000, content_type="video/mp4", content_disposition="attachment"))
    sink = io.BytesIO()

    with pytest.raises(UnexpectedAnswer) as caught:
        await media.get("m1", sink, limit_bytes=1999)

    assert caught.value.reason is TransportReason.TOO_LARGE
    assert sink.getvalue() == b""


async def test_a_download_that_breaks_off_starts_again_from_nothing(wecom: ScriptedWecom, media: MediaClient) -> None:
    async def breaks_off() -> AsyncIterator[bytes]:
        yield b"first half"
        raise httpx2.ReadError("connection reset")

    headers = {"content-type": "image/jpeg", "content-disposition": "attachment"}
    wecom.script(httpx2.Response(200, content=breaks_off(), headers=headers), medium(b"whole", **headers))
    sink = io.BytesIO(b"kept")
    sink.seek(4)

    assert (await media.get("m1", sink)).size_bytes == 5
    assert sink.getvalue() == b"keptwhole"
