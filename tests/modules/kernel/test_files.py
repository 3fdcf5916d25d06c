"""Files: received with limits, read by signed addresses, gone when nobody wanted them."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from PIL import Image
from sqlalchemy import text

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import Conflict, NotFound, TooLarge
from huitouke.kernel.files import service, stores
from huitouke.kernel.files.service import EmptyFile, UnknownKind
from huitouke.kernel.ids import new_id
from tests.modules.kernel.test_http import shelf
from tests.support.http import application, client, make_account, signed_in
from tests.support.world import World


def jpeg(size: tuple[int, int] = (8, 8)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, "JPEG")
    return data.getvalue()


@pytest.fixture
async def browser(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    account = await make_account(world)
    async with signed_in(application(shelf()), account.sign_in_name) as opened:
        yield opened


@pytest.fixture(autouse=True)
def the_clock_goes_right():
    yield
    clock.set_offset(0)


async def upload(browser: httpx2.AsyncClient, content: bytes, name: str = "a.jpg", purpose: str = "message_image"):
    return await browser.post(f"/api/files?purpose={purpose}", files={"file": (name, content)})


async def stored(world: World, content: bytes = b"plain words", name: str = "a.txt") -> service.StoredFile:
    file_id = await service.store_bytes(world.context, "message_received", name, content)
    async with transaction(world.context) as ctx:
        return await service.get(ctx, file_id)


def object_path(world: World, file: service.StoredFile) -> Path:
    store = stores.get_store()
    assert isinstance(store, stores.FolderStore)
    return store.folder / str(world.tenant_id) / file.object_name


async def test_an_uploaded_picture_can_be_seen_at_its_address(browser: httpx2.AsyncClient):
    answer = await upload(browser, jpeg(), "一只猫.jpg")

    assert answer.status_code == 201, answer.text
    file = answer.json()
    assert (file["name"], file["media_type"]) == ("一只猫.jpg", "image/jpeg")
    seen = await browser.get(file["url"])
    assert seen.status_code == 200
    assert Image.open(io.BytesIO(seen.content)).size == (8, 8)
    assert seen.headers["content-type"] == "image/jpeg"
    assert seen.headers["content-disposition"].startswith("inline; filename*=UTF-8''%E4%B8%80")
    assert seen.headers["content-security-policy"].startswith("sandbox")
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert "private" in seen.headers["cache-control"]


async def test_the_address_needs_no_cookie_but_its_token(world: World, browser: httpx2.AsyncClient):
    url = (await upload(browser, jpeg())).json()["url"]
    async with client(application(shelf())) as stranger:
        assert (await stranger.get(url)).status_code == 200
        assert (await stranger.get(url.split("?")[0])).status_code == 422
        assert (await stranger.get(url[:-4] + "AAAA")).status_code == 403
        other_file = url.replace(url.split("/files/")[1][:36], str(new_id()))
        assert (await stranger.get(other_file)).status_code == 403
        assert (await stranger.get(url + "&download=1")).status_code == 403


async def test_an_address_ends_within_the_hour(browser: httpx2.AsyncClient):
    url = (await upload(browser, jpeg())).json()["url"]
    clock.set_offset(timedelta(minutes=29).total_seconds())
    assert (await browser.get(url)).status_code == 200
    clock.set_offset(timedelta(minutes=61).total_seconds())
    assert (await browser.get(url)).json()["type"] == "/problems/files.token_invalid"


async def test_what_a_browser_might_run_is_downloaded(world: World, browser: httpx2.AsyncClient):
    page = await stored(world, b"<html><script>alert(1)</script></html>", "page.html")
    answer = await browser.get(service.signed_url(world.context, page.id))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("invoice.pdf", b"MZ\x90\x00\x03"),
        ("invoice.PDF ", b"PK\x03\x04rest"),
        ("photo.jpg", b"MZ\x90\x00\x03"),
        ("table.xlsx", b"Rar!\x1a\x07"),
        ("words.txt", b"%PDF-1.7"),
        ("film.mp4", b"\x7fELF"),
    ],
)
async def test_nothing_is_passed_on_that_is_not_what_its_name_says(
    browser: httpx2.AsyncClient, name: str, content: bytes
):
    answer = await upload(browser, content, name, "message_file")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/files.name_differs")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.pdf", b"%PDF-1.7"), ("a.png", jpeg()), ("a.txt", "词".encode()), ("a.csv", b"\x00\x01"), ("a.dwg", b"AC1032")],
)
async def test_what_its_name_says_or_leaves_open_is_passed_on(browser: httpx2.AsyncClient, name: str, content: bytes):
    answer = await upload(browser, content, name, "message_file")
    assert answer.status_code == 201, answer.text


async def test_parts_can_be_asked_for(world: World, browser: httpx2.AsyncClient):
    file = await stored(world, b"0123456789")
    url = service.signed_url(world.context, file.id)

    async def part(asked: str) -> tuple[int, bytes, str | None]:
        answer = await browser.get(url, headers={"Range": asked})
        return answer.status_code, answer.content, answer.headers.get("content-range")

    assert await part("bytes=2-4") == (206, b"234", "bytes 2-4/10")
    assert await part("bytes=7-") == (206, b"789", "bytes 7-9/10")
    assert await part("bytes=-3") == (206, b"789", "bytes 7-9/10")
    assert await part("bytes=8-99") == (206, b"89", "bytes 8-9/10")
    assert await part("bytes=10-") == (416, b"", "bytes */10")
    assert await part("bytes=5-2") == (416, b"", "bytes */10")
    assert await part("lines=1-2") == (200, b"0123456789", None)
    head = await browser.head(url)
    assert (head.headers["content-length"], head.headers["accept-ranges"]) == ("10", "bytes")


@pytest.mark.parametrize(
    ("content", "purpose", "status", "problem"),
    [
        (b"<svg onload=alert(1)>", "message_image", 422, "files.unknown_kind"),
        (b"\x00\x00\x00\x20ftypheic" + b"\x00" * 40, "message_image", 422, "files.heic"),
        (b"", "message_file", 422, "files.empty"),
        (b"x", "no_such_purpose", 422, "invalid_input"),
        (b"x", "message_received", 422, "invalid_input"),
        (b"\xff\xd8\xff broken", "message_image", 422, "files.broken_picture"),
        (b"x" * (10 * 1024 * 1024 + 20_000), "message_image", 413, "too_large"),
    ],
    ids=["wrong kind", "an iPhone's own", "empty", "unknown purpose", "not for people", "broken", "too large"],
)
async def test_what_can_not_be_used_is_refused_and_leaves_nothing(
    browser: httpx2.AsyncClient, world: World, content: bytes, purpose: str, status: int, problem: str
):
    answer = await upload(browser, content, purpose=purpose)

    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")
    async with transaction(world.context) as ctx:
        assert (await ctx.session.execute(text("SELECT count(*) FROM files"))).scalar_one() == 0
    assert await becomes_empty(stores.incoming_folder(stores.get_settings()))


async def becomes_empty(folder: Path) -> bool:
    """Other workers' uploads pass through the same folder, and are gone in a moment."""
    for _ in range(100):
        if not await asyncio.to_thread(lambda: list(folder.iterdir())):
            return True
        await asyncio.sleep(0.05)
    return False


async def test_strangers_may_not_upload(world: World):
    async with client(application(shelf())) as stranger:
        assert (await upload(stranger, jpeg())).status_code == 401


async def test_a_form_without_the_file_says_so(browser: httpx2.AsyncClient):
    answer = await browser.post("/api/files?purpose=message_image", files={"other": ("a", b"x")})
    assert (answer.status_code, answer.json()["field"]) == (422, "file")


async def test_the_limit_counts_while_it_streams(world: World):
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1024 * 1024

    with pytest.raises(TooLarge):
        await service.receive(world.context, "message_image", "a.jpg", endless())


async def test_the_word_of_the_sender_is_not_trusted(world: World):
    file_id = await service.store_bytes(world.context, "message_received", "a.png", jpeg(), "text/html")
    async with transaction(world.context) as ctx:
        assert (await service.get(ctx, file_id)).media_type == "image/jpeg"


async def test_names_are_kept_without_paths_and_with_an_end(world: World):
    named = await stored(world, name="C:\\Users\\..\\秘密\x00.txt")
    long = await stored(world, name="字" * 400 + ".txt")
    assert named.name == "秘密.txt"
    assert len(long.name) == 200
    assert long.name.endswith(".txt")


async def test_a_file_is_stored_within_the_callers_transaction(world: World):
    with pytest.raises(RuntimeError):
        async with transaction(world.context) as ctx:
            await service.store_bytes(ctx, "message_received", "a.txt", b"words")
            raise RuntimeError
    async with transaction(world.context) as ctx:
        assert (await ctx.session.execute(text("SELECT count(*) FROM files"))).scalar_one() == 0


async def test_a_file_belongs_to_one_thing(world: World):
    file = await stored(world)
    message, another = new_id(), new_id()
    async with transaction(world.context) as ctx:
        await service.attach(ctx, file.id, "message", message)
        await service.attach(ctx, file.id, "message", message)
        with pytest.raises(Conflict):
            await service.attach(ctx, file.id, "message", another)
        with pytest.raises(NotFound):
            await service.attach(ctx, new_id(), "message", message)


async def test_files_of_another_tenant_do_not_exist(world: World, another_world: Callable[[], Awaitable[World]]):
    file = await stored(world)
    other: Context = (await another_world()).context
    async with transaction(other) as ctx:
        with pytest.raises(NotFound):
            await service.get(ctx, file.id)
        assert await service.get_many(ctx, [file.id]) == {}


async def test_what_nobody_attached_is_removed_after_a_day(world: World):
    kept, left = await stored(world), await stored(world)
    async with transaction(world.context) as ctx:
        await service.attach(ctx, kept.id, "message", new_id())
        due = (
            await ctx.session.execute(text("SELECT max(next_run_at) FROM work_schedules WHERE kind = 'files.expire'"))
        ).scalar_one()
    assert timedelta(hours=23) < due - clock.now() <= timedelta(hours=24)

    assert await service.expire(world.context) is not None
    assert object_path(world, left).exists()
    clock.set_offset(timedelta(hours=25).total_seconds())
    assert await service.expire(world.context) is None

    assert object_path(world, kept).exists()
    assert not object_path(world, left).exists()
    async with transaction(world.context) as ctx:
        assert set(await service.get_many(ctx, [kept.id, left.id])) == {kept.id}


async def test_objects_lie_under_their_tenant_and_month(world: World):
    file = await stored(world)
    assert object_path(world, file).read_bytes() == b"plain words"
    assert file.object_name == f"{clock.now():%Y/%m}/{file.id}"


async def test_empty_and_unknown_content_is_told_apart(world: World):
    with pytest.raises(EmptyFile):
        await service.store_bytes(world.context, "message_received", "a", b"")
    with pytest.raises(UnknownKind):
        await service.store_bytes(world.context, "knowledge_import", "a.xlsx", jpeg())
