"""WeCom's callbacks as a stranger, a broken proxy and a flood would send them, at the address of a real app."""

import asyncio
import base64
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from time import monotonic

import httpx2
import pytest
from sqlalchemy import text

from huitouke.kernel.callbacks import Endpoint, app
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.database import Database, transaction
from huitouke.kernel.keys import Secret
from huitouke.modules.organization import service as organization
from huitouke.wechat.crypto import CallbackCrypto, signature
from huitouke.wechat.xml import build_xml
from tests.modules.kernel.work.support import count, count_items
from tests.modules.wechat_sandbox.shop import serving
from tests.support.http import application
from tests.support.world import World, make_world

PATIENCE_SECONDS = 5.0
"""After these WeCom hangs up and sends the callback again."""
"""The sender waits five; a refusal has no reason to take long."""

DTD = b'<!DOCTYPE xml [<!ENTITY a "' + b"x" * 1_000 + b'">'
BOMBS = {
    "billion laughs": DTD
    + b"".join(f'<!ENTITY {one} "{f"&{of};" * 10}">'.encode() for of, one in zip("abcdefgh", "bcdefghi", strict=True))
    + b"]><xml><Event>&i;</Event></xml>",
    "quadratic": DTD + b"]><xml><Event>" + b"&a;" * 15_000 + b"</Event></xml>",
    "external entity": b'<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]><xml><Event>&x;</Event></xml>',
    "external dtd": b'<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/x.dtd"><xml><Event>a</Event></xml>',
    "parameter entity": b'<!DOCTYPE xml [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><xml><Event>a</Event></xml>',
    "deep": b"<xml>" + b"<a>" * 20_000,
    "wide": b"<xml>" + b"<a/>" * 12_000 + b"</xml>",
    "many attributes": b"<xml " + b" ".join(f'a{n}="1"'.encode() for n in range(5_000)) + b"><Event>a</Event>",
    "processing instruction": b'<?xml version="1.0"?><?php x?><xml><Event>a</Event></xml>',
    "utf-16": '<?xml version="1.0"?><xml><Event>a</Event></xml>'.encode("utf-16"),
    "utf-7": b'<?xml version="1.0" encoding="utf-7"?>+ADw-xml+AD4-',
    "no xml": b"{}",
    "nothing": b"",
    "blank": b" \n",
    "only a root": b"<xml/>",
    "cut off": b"<xml><Event>a</Ev",
    "two roots": b"<xml></xml><xml></xml>",
    "null character": b"<xml><Event>a\0</Event></xml>",
    "no utf-8": b"<xml><Event>\xff\xfe</Event></xml>",
}
EVENT = {"ToUserName": "corp", "Event": "kf_msg_or_event", "Token": "t", "OpenKfId": "wk1", "CreateTime": 1}


@dataclass(frozen=True)
class Wecom:
    """The sender: knows the app's keys, as WeCom does."""

    endpoint: Endpoint
    http: httpx2.AsyncClient

    @property
    def path(self) -> str:
        return f"/callbacks/{self.endpoint.kind}/{self.endpoint.callback_id}"

    @property
    def crypto(self) -> CallbackCrypto:
        one = self.endpoint
        return CallbackCrypto(one.token.reveal(), one.aes_key.reveal(), one.receive_id)

    def query(self, encrypted: str, **more: str) -> dict[str, str]:
        signed = signature(self.endpoint.token.reveal(), "1700000000", "nonce", encrypted)
        return {"msg_signature": signed, "timestamp": "1700000000", "nonce": "nonce", **more}

    async def post(self, plain: bytes) -> httpx2.Response:
        """A callback in order, with that inside."""
        encrypted = self.crypto.encrypt(plain)
        return await self.raw(build_xml({"Encrypt": encrypted}), self.query(encrypted))

    async def raw(self, body: bytes, query: dict[str, str]) -> httpx2.Response:
        started = monotonic()
        answer = await self.http.post(self.path, params=query, content=body)
        assert monotonic() - started < PATIENCE_SECONDS
        return answer


@pytest.fixture(scope="module")
async def address(database: Database) -> AsyncIterator[str]:
    async with serving(application()) as url:
        yield url


@pytest.fixture
async def http(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=address, trust_env=False, timeout=30) as client:
        yield client


async def endpoint_of(world: World, corp_id: str = "wwcorp0000000001") -> Endpoint:
    async with transaction(world.context) as ctx:
        made = await organization.create_wecom_app(
            ctx,
            organization.NewWecomApp("客服", corp_id, "1000002", Secret("a-secret-of-a-wecom-app-0123456789abcdefghi")),
        )
        return await callbacks.endpoint_of(ctx, made.id)


@pytest.fixture
async def wecom(world: World, http: httpx2.AsyncClient) -> Wecom:
    return Wecom(await endpoint_of(world), http)


async def refusals(world: World, wecom: Wecom, wanted: int = 1) -> list[str | None]:
    """Reasons as the page of the channel shows them; they are written beside the answer."""
    async with asyncio.timeout(30):
        while True:
            async with transaction(world.context) as ctx:
                page = await callbacks.list_received(ctx, wecom.endpoint.reference_id)
            if len(page.items) >= wanted:
                return [item.reason for item in page.items]
            await asyncio.sleep(0.02)


async def refused(world: World, wecom: Wecom, answer: httpx2.Response, status: int, reason: str) -> None:
    assert (answer.status_code, answer.content) == (status, b"")
    assert await refusals(world, wecom) == [reason]
    assert (await count(world, "callbacks"), await count_items(world)) == (0, 0)


async def test_a_callback_in_order_is_taken(world: World, wecom: Wecom) -> None:
    assert (await wecom.post(build_xml(EVENT))).status_code == 200
    assert (await count(world, "callbacks"), await count_items(world)) == (1, 1)


async def test_a_wrong_signature_is_refused_and_listed(world: World, wecom: Wecom) -> None:
    encrypted = wecom.crypto.encrypt(build_xml(EVENT))
    query = wecom.query(encrypted) | {"msg_signature": "0" * 40}
    await refused(world, wecom, await wecom.raw(build_xml({"Encrypt": encrypted}), query), 403, "bad_signature")


@pytest.mark.parametrize("missing", ["msg_signature", "timestamp", "nonce"])
async def test_a_part_of_the_signature_that_is_missing_is_a_wrong_signature(
    world: World, wecom: Wecom, missing: str
) -> None:
    encrypted = wecom.crypto.encrypt(build_xml(EVENT))
    query = {name: value for name, value in wecom.query(encrypted).items() if name != missing}
    await refused(world, wecom, await wecom.raw(build_xml({"Encrypt": encrypted}), query), 403, "bad_signature")


async def test_another_corps_callback_is_refused(world: World, wecom: Wecom) -> None:
    other = replace(wecom.endpoint, receive_id="wwanothercorp001")
    answer = await Wecom(other, wecom.http).post(build_xml(EVENT))
    await refused(world, wecom, answer, 403, "bad_receive_id")


async def test_what_another_key_encrypted_is_refused(world: World, wecom: Wecom) -> None:
    other = replace(wecom.endpoint, aes_key=Secret("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"))
    await refused(world, wecom, await Wecom(other, wecom.http).post(build_xml(EVENT)), 403, "bad_ciphertext")


async def test_the_neighbours_callback_is_refused_here(world: World, wecom: Wecom) -> None:
    neighbour = Wecom(await endpoint_of(await make_world()), wecom.http)
    encrypted = neighbour.crypto.encrypt(build_xml(EVENT))
    answer = await wecom.raw(build_xml({"Encrypt": encrypted}), neighbour.query(encrypted))
    await refused(world, wecom, answer, 403, "bad_signature")


@pytest.mark.parametrize("kept", [0, 1, 15, 16, 31, 32, 33, 100], ids=lambda kept: f"{kept} characters")
async def test_a_ciphertext_that_was_cut_off_is_refused(world: World, wecom: Wecom, kept: int) -> None:
    encrypted = wecom.crypto.encrypt(build_xml(EVENT))[:kept]
    answer = await wecom.raw(build_xml({"Encrypt": encrypted}), wecom.query(encrypted))
    await refused(world, wecom, answer, 403, "bad_ciphertext" if encrypted else "bad_xml")


async def test_whole_blocks_of_noise_are_refused(world: World, wecom: Wecom) -> None:
    for size in (16, 32, 48, 1_024):
        encrypted = base64.b64encode(bytes(range(256)) * 8)[: size * 4 // 3 // 4 * 4].decode()
        answer = await wecom.raw(build_xml({"Encrypt": encrypted}), wecom.query(encrypted))
        assert answer.status_code == 403


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_in_the_open_is_refused_before_it_goes_off(world: World, wecom: Wecom, name: str) -> None:
    answer = await wecom.raw(BOMBS[name], wecom.query("x"))
    await refused(world, wecom, answer, 403, "bad_xml" if len(BOMBS[name]) <= 64 * 1024 else "body_too_large")


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_inside_is_refused_as_well(world: World, wecom: Wecom, name: str) -> None:
    """Even WeCom itself, or who has the keys, can't set one off."""
    answer = await wecom.post(BOMBS[name])
    assert (answer.status_code, answer.content) == (403, b"")
    assert (await refusals(world, wecom))[0] in ("bad_xml", "body_too_large")
    assert (await count(world, "callbacks"), await count_items(world)) == (0, 0)


async def test_an_oversized_body_is_refused_announced_or_not(world: World, wecom: Wecom) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b"x" * 64 * 1024

    assert (await wecom.raw(b"x" * (app.BODY_LIMIT_BYTES + 1), wecom.query("x"))).status_code == 413
    sent = wecom.http.post(wecom.path, params=wecom.query("x"), content=endless())
    with contextlib.suppress(httpx2.TransportError):  # the server may hang up on what it will not read
        assert (await sent).status_code == 413
    assert set(await refusals(world, wecom, 2)) == {"too_large"}


async def test_a_body_that_never_comes_is_given_up(
    world: World, wecom: Wecom, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "ANSWER_SECONDS", 0.2)
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {wecom.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n<xml>".encode())
    await writer.drain()
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    assert await refusals(world, wecom) == ["too_slow"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods_are_not_for_callbacks(wecom: Wecom, method: str) -> None:
    assert (await wecom.http.request(method, wecom.path)).status_code == 405


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path[:-1],
        lambda path: path + "0",
        lambda path: path[:-32] + path[-32:].upper(),
        lambda path: path + "/",
        lambda path: path + "%00",
        lambda path: path.replace("wecom", "other"),
        lambda path: path.replace("wecom", "wecom/.."),
        lambda path: "/callbacks/wecom/" + "0" * 32,
        lambda path: "/callbacks/wecom/" + "x" * 5_000,
        lambda path: "/callbacks/",
        lambda path: "/callbacks/wecom/' OR 1=1",
    ],
)
async def test_an_unknown_address_does_not_exist(world: World, wecom: Wecom, change: Callable[[str], str]) -> None:
    encrypted = wecom.crypto.encrypt(build_xml(EVENT))
    answer = await wecom.http.post(
        change(wecom.path), params=wecom.query(encrypted), content=build_xml({"Encrypt": encrypted})
    )
    assert answer.status_code == 404
    assert await count(world, "callbacks") == 0


async def test_queries_beyond_any_callback_are_refused(wecom: Wecom) -> None:
    assert (await wecom.http.post(wecom.path, params={"nonce": "x" * 20_000})).status_code == 414
    assert (await wecom.http.post(wecom.path + "?" + "a=1&" * 100)).status_code == 400
    assert (await wecom.http.post(wecom.path + "?nonce=%ff")).status_code == 400
    assert (await wecom.http.get(wecom.path)).status_code == 403


async def test_the_address_check_answers_the_echo_and_only_to_who_has_the_keys(wecom: Wecom) -> None:
    echo = wecom.crypto.encrypt(b"1616140317555161061")
    good = await wecom.http.get(wecom.path, params=wecom.query(echo, echostr=echo))
    bad = await wecom.http.get(wecom.path, params=wecom.query(echo, echostr=echo) | {"nonce": "x"})
    assert (good.status_code, good.text) == (200, "1616140317555161061")
    assert (bad.status_code, bad.content) == (403, b"")


async def test_a_replay_is_accepted_and_changes_nothing(world: World, wecom: Wecom) -> None:
    """WeCom itself repeats what was not answered in time: a repeat may not be an error, nor count twice."""
    encrypted = wecom.crypto.encrypt(build_xml(EVENT))
    body, query = build_xml({"Encrypt": encrypted}), wecom.query(encrypted)
    answers = await asyncio.gather(*(wecom.raw(body, query) for _ in range(10)))
    answers += [await wecom.post(build_xml(EVENT)) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert (await count(world, "callbacks"), await count_items(world)) == (1, 1)


async def test_thousands_at_once_over_two_hundred_tenants_each_find_their_own(
    database: Database, http: httpx2.AsyncClient
) -> None:
    tenants, each = 200, 15
    worlds = [await make_world(f"商户{n}") for n in range(tenants)]
    senders = [Wecom(await endpoint_of(world), http) for world in worlds]
    slots = asyncio.Semaphore(200)

    async def send(sender: Wecom, number: int) -> int:
        plain = build_xml({**EVENT, "OpenKfId": f"wk{number % 3}", "Token": f"t{number}"})
        encrypted = sender.crypto.encrypt(plain)
        async with slots:
            body = build_xml({"Encrypt": encrypted})
            answer = await sender.http.post(sender.path, params=sender.query(encrypted), content=body)
        return answer.status_code

    wanted = [send(sender, number) for number in range(each) for sender in senders]
    assert Counter(await asyncio.gather(*wanted)) == {200: tenants * each}

    for world in worlds:
        async with transaction(world.context) as ctx:
            stored = await ctx.session.scalars(
                text("SELECT DISTINCT endpoint_id FROM callbacks WHERE tenant_id = :t"), {"t": world.tenant_id}
            )
            assert len(list(stored)) == 1
        assert (await count(world, "callbacks"), await count_items(world)) == (each, 3)
