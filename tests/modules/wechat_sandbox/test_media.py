"""media/upload and media/get, and what the phone uploads."""

import pytest

from tests.modules.wechat_sandbox.shop import Sandbox, Shop

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
JPG = b"\xff\xd8\xff" + b"x" * 100
AMR_FRAME = b"\x3c" + b"\0" * 31  # mode 7: 32 bytes for 20 ms
AMR = b"#!AMR\n" + AMR_FRAME * 50
MEGABYTE = 1_048_576


async def upload(shop: Shop, media_type: str, data: bytes, name: str = "图.png") -> dict[str, object]:
    answer = await shop.sandbox.http.post(
        "/cgi-bin/media/upload",
        params={"access_token": shop.token, "type": media_type},
        files={"media": (name, data)},
    )
    return dict(answer.json())


@pytest.mark.parametrize(
    ("media_type", "data", "code"),
    [
        ("image", PNG, 0),
        ("image", JPG, 0),
        ("image", b"GIF89a" + b"x" * 100, 40004),
        ("image", JPG + b"x" * 10 * MEGABYTE, 40009),
        ("voice", AMR, 0),
        ("voice", b"ID3" + b"x" * 100, 40004),
        ("voice", b"#!AMR\n" + AMR_FRAME * 3_001, 45007),
        ("voice", b"#!AMR\n" + b"x" * 2 * MEGABYTE, 40006),
        ("video", b"\0\0\0\x18ftypmp42" + b"x" * 100, 0),
        ("file", b"anything", 0),
        ("file", b"tiny", 40006),
        ("sticker", PNG, 40005),
    ],
)
async def test_uploads_are_checked_by_type_and_size(shop: Shop, media_type: str, data: bytes, code: int) -> None:
    assert (await upload(shop, media_type, data)).get("errcode") == code


async def test_a_media_is_read_back_for_three_days_whole_or_in_parts(shop: Shop, sandbox: Sandbox) -> None:
    media_id = str((await upload(shop, "image", PNG))["media_id"])

    async def read(**headers: str) -> tuple[int, bytes]:
        query = {"access_token": await shop.refresh_token(), "media_id": media_id}
        answer = await sandbox.http.get("/cgi-bin/media/get", params=query, headers=headers)
        return answer.status_code, answer.content

    assert await read() == (200, PNG)
    assert await read(Range="bytes=1-3") == (206, b"PNG")
    assert await read(Range="bytes=-4") == (206, b"xxxx")
    assert (await read(Range="bytes=999-"))[0] == 416
    await sandbox.advance(3 * 86_400 + 10)
    status, content = await read()
    assert status == 200
    assert b"40007" in content
    kept = await sandbox.http.get(f"/sandbox/media/{media_id}")
    assert kept.content == PNG, "the pages still show it"
    assert kept.headers["x-content-type-options"] == "nosniff"


async def test_another_corp_cannot_read_it(shop: Shop, sandbox: Sandbox) -> None:
    from tests.modules.wechat_sandbox.shop import open_shop

    media_id = (await upload(shop, "image", PNG))["media_id"]
    other = await open_shop(sandbox, "别家")
    assert (await other.fetch("media/get", media_id=media_id))["errcode"] == 40007


async def test_a_picture_from_the_phone_reaches_the_app(shop: Shop, sandbox: Sandbox) -> None:
    answer = await sandbox.http.post("/sandbox/media", files={"file": ("a.jpg", JPG)}, data={"type": "image"})
    media_id = answer.json()["media_id"]
    path = f"customers/{shop.customer}/chats/{shop.open_kfid}/messages"
    await sandbox.post(path, {"msgtype": "image", "image": {"media_id": media_id}})
    (item,) = await shop.pull()
    got = await sandbox.http.get("/cgi-bin/media/get", params={"access_token": shop.token, **item["image"]})
    assert got.content == JPG
    assert (await shop.chat())[0]["media"]["url"] == f"/sandbox/media/{media_id}"


async def test_a_picture_that_is_too_large_arrives_as_a_text_that_says_so(shop: Shop, sandbox: Sandbox) -> None:
    large = JPG + b"x" * 2 * MEGABYTE
    answer = await sandbox.http.post("/sandbox/media", files={"file": ("a.jpg", large)}, data={"type": "image"})
    path = f"customers/{shop.customer}/chats/{shop.open_kfid}/messages"
    await sandbox.post(path, {"msgtype": "image", "image": {"media_id": answer.json()["media_id"]}})
    (item,) = await shop.pull()
    assert item["msgtype"] == "text"


@pytest.mark.parametrize(("data", "status"), [(b"<svg onload=alert(1)>", 422), (b"", 422), (b"x" * 21 * MEGABYTE, 413)])
async def test_the_phone_uploads_pictures_only_as_pictures(sandbox: Sandbox, data: bytes, status: int) -> None:
    answer = await sandbox.http.post("/sandbox/media", files={"file": ("a.jpg", data)}, data={"type": "image"})
    assert answer.status_code == status
