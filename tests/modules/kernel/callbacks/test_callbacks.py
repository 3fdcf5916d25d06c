"""Callbacks: verified, stored once, acknowledged after the commit; what can't be right is refused and kept to see."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from hashlib import sha256

import httpx2
import pytest
from sqlalchemy import text

from huitouke.kernel import clock
from huitouke.kernel.callbacks import BadCallback, Endpoint, Opened, service
from huitouke.kernel.callbacks.app import BODY_LIMIT_BYTES, CallbackApp
from huitouke.kernel.callbacks.endpoints import FRESH_SECONDS
from huitouke.kernel.callbacks.flusher import Flusher, NotStored
from huitouke.kernel.context import Context
from huitouke.kernel.database import Database, transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import Module
from huitouke.kernel.notify import Signal, Topic, subscribed
from huitouke.kernel.work import runner
from huitouke.kernel.work.testing import drain
from tests.modules.kernel.work.support import count, count_items
from tests.support.world import World


class SignedKind:
    """The smallest protocol: `signature` is an HMAC of the body (or of `echo`) with the endpoint's token."""

    name = "signed"

    def verify(self, endpoint: Endpoint, query: Mapping[str, str]) -> bytes:
        self._check(endpoint, query, query.get("echo", "").encode())
        return query["echo"].encode()

    def open(self, endpoint: Endpoint, query: Mapping[str, str], body: bytes) -> Opened:
        self._check(endpoint, query, body)
        if body == b"trip":
            raise ValueError("a bug of the module")
        account = body.split(b":")[0].decode()
        return Opened(account, body, ("test.pull", account), event="test_event")

    @staticmethod
    def _check(endpoint: Endpoint, query: Mapping[str, str], message: bytes) -> None:
        if not hmac.compare_digest(sign(endpoint, message), query.get("signature", "")):
            raise BadCallback("bad_signature")


def sign(endpoint: Endpoint, message: bytes) -> str:
    return hmac.new(endpoint.token.reveal().encode(), message, sha256).hexdigest()


@pytest.fixture
async def app(database: Database) -> AsyncIterator[CallbackApp]:
    application = CallbackApp([SignedKind()], database)
    await application.start()
    yield application
    await application.stop()


@pytest.fixture
async def outside(app: CallbackApp) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
async def endpoint(world: World) -> Endpoint:
    async with transaction(world.context) as ctx:
        return await service.create_endpoint(ctx, "signed", new_id(), "corp")


def path(endpoint: Endpoint) -> str:
    return f"/callbacks/{endpoint.kind}/{endpoint.callback_id}"


async def post(
    outside: httpx2.AsyncClient, endpoint: Endpoint, body: bytes, signature: str | None = None
) -> httpx2.Response:
    query = {"signature": sign(endpoint, body) if signature is None else signature}
    return await outside.post(path(endpoint), params=query, content=body)


async def test_the_address_check_is_answered_as_it_is(outside: httpx2.AsyncClient, endpoint: Endpoint) -> None:
    answer = await outside.get(path(endpoint), params={"echo": "123é", "signature": sign(endpoint, "123é".encode())})
    assert (answer.status_code, answer.content) == (200, "123é".encode())


async def test_a_callback_is_stored_and_wakes_its_account_once(
    world: World, outside: httpx2.AsyncClient, endpoint: Endpoint
) -> None:
    pulled: list[str] = []

    @runner("test.pull")
    async def pull(context: Context, key: str) -> None:
        if context.tenant_id == world.tenant_id:
            pulled.append(key)

    answers = await asyncio.gather(*(post(outside, endpoint, f"account:{n}".encode()) for n in range(20)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"")}
    assert await count(world, "callbacks") == 20
    assert await count_items(world) == 1

    await drain(modules=[Module("test", runners=(pull,))])
    assert pulled == ["account"]


async def test_a_callback_that_reads_like_an_earlier_one_is_stored_once_and_wakes_each_time(
    world: World, outside: httpx2.AsyncClient, endpoint: Endpoint
) -> None:
    answers = [await post(outside, endpoint, b"account:same") for _ in range(3)]
    answers += await asyncio.gather(*(post(outside, endpoint, b"account:same") for _ in range(5)))

    assert {answer.status_code for answer in answers} == {200}
    assert await count(world, "callbacks") == 1
    async with transaction(world.context) as ctx:
        requested = await ctx.session.scalar(
            text("SELECT requested FROM work_items WHERE tenant_id = :t"), {"t": world.tenant_id}
        )
    # Two messages of one second can make two equal bodies: were the second taken for a mere repeat, it would wait.
    assert requested == 8


async def test_of_an_account_that_waits_already_workers_are_told_again(
    world: World, outside: httpx2.AsyncClient, endpoint: Endpoint
) -> None:
    """A worker that looks while a callback holds the account's row passes it over, and forgets that it was told."""
    places: list[int] = []
    told = asyncio.Event()

    def tell(signal: Signal) -> None:
        if signal.tenant_id == world.tenant_id:
            places.append(signal.number)
            told.set()

    with subscribed(Topic.WORK, tell):
        for number in range(3):
            told.clear()
            await post(outside, endpoint, f"account:{number}".encode())
            await asyncio.wait_for(told.wait(), 5)
        await asyncio.gather(*(post(outside, endpoint, f"account:flood {n}".encode()) for n in range(50)))
        await asyncio.sleep(0.2)

    assert len(set(places)) == 1, "it is the same place in the queue"
    assert 4 <= len(places) < 20, "a flood is not told of callback by callback"


@pytest.mark.parametrize(
    ("body", "signature", "status", "reason"),
    [
        (b"account:1", "0" * 64, 403, "bad_signature"),
        (b"account:1", "", 403, "bad_signature"),
        (b"trip", None, 403, "unreadable"),
        (b"x" * (BODY_LIMIT_BYTES + 1), "", 413, "too_large"),
    ],
    ids=["wrong signature", "no signature", "a module that trips", "too large"],
)
async def test_what_can_not_be_right_is_refused_and_listed(
    world: World,
    outside: httpx2.AsyncClient,
    endpoint: Endpoint,
    body: bytes,
    signature: str | None,
    status: int,
    reason: str,
) -> None:
    answer = await post(outside, endpoint, body, signature)

    assert (answer.status_code, answer.content) == (status, b"")
    assert await count(world, "callbacks") == 0
    (line,) = await _listed(world, endpoint, 1)
    assert (line.state, line.reason, line.event) == ("refused", reason, None)


async def test_a_body_that_lies_about_its_length_is_cut_off(endpoint: Endpoint, app: CallbackApp) -> None:
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    async def send(message: object) -> None:
        sent.append(message)  # type: ignore[arg-type]  # ASGI messages are mappings

    scope = {"type": "http", "method": "POST", "path": path(endpoint), "query_string": b"", "headers": []}
    await app(scope, receive, send)
    assert sent[0]["status"] == 413


@pytest.mark.parametrize(
    "address",
    ["/callbacks/signed/" + "0" * 32, "/callbacks/unknown/" + "0" * 32, "/callbacks/signed/../x", "/callbacks/"],
)
async def test_an_unknown_address_does_not_exist(outside: httpx2.AsyncClient, address: str) -> None:
    assert (await outside.post(address, content=b"x")).status_code == 404


async def test_other_methods_are_refused(outside: httpx2.AsyncClient, endpoint: Endpoint) -> None:
    assert (await outside.put(path(endpoint), content=b"x")).status_code == 405


async def test_only_the_newest_hundred_refusals_are_kept(world: World, endpoint: Endpoint) -> None:
    for number in range(110):
        async with transaction(world.context) as ctx:
            await service.record_refusal(ctx, endpoint.id, new_id(), f"reason_{number}", clock.now())
    assert await count(world, "callback_refusals") == 100
    (newest, *_) = await _listed(world, endpoint, 1)
    assert newest.reason == "reason_109"


async def test_accepted_and_refused_come_in_one_list_newest_first_page_by_page(
    world: World, outside: httpx2.AsyncClient, endpoint: Endpoint
) -> None:
    for number in range(3):
        await post(outside, endpoint, f"account:{number}".encode())
        await post(outside, endpoint, b"account", "wrong")
        await _listed(world, endpoint, 2 * number + 2)

    states: list[str] = []
    cursor: str | None = None
    while True:
        async with transaction(world.context) as ctx:
            page = await service.list_received(ctx, endpoint.reference_id, limit=2, cursor=cursor)
        states += [line.state for line in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert states == ["refused", "accepted"] * 3


async def test_a_callback_that_comes_again_is_kept_once_and_is_as_new_as_its_last_coming(
    world: World, outside: httpx2.AsyncClient, endpoint: Endpoint
) -> None:
    async def newest() -> service.StoredBody:
        async with transaction(world.context) as ctx:
            found = await service.newest_body(ctx, "signed", "account")
        assert found is not None
        return found

    await post(outside, endpoint, b"account:1")
    first = await newest()
    await asyncio.gather(*(post(outside, endpoint, b"account:1") for _ in range(5)))  # several in one group
    again = await newest()

    assert again.id == first.id
    assert again.received_at > first.received_at
    assert await count(world, "callbacks") == 1


async def test_a_replayed_callback_brings_its_wake_up_again(
    world: World, outside: httpx2.AsyncClient, endpoint: Endpoint
) -> None:
    pulled: list[str] = []

    @runner("test.pull")
    async def pull(context: Context, key: str) -> None:
        if context.tenant_id == world.tenant_id:
            pulled.append(key)

    module = Module("test", runners=(pull,))
    await post(outside, endpoint, b"account:1")
    await drain(modules=[module])
    (line,) = await _listed(world, endpoint, 1)
    async with transaction(world.context) as ctx:
        await service.replay(ctx, line.id)
        with pytest.raises(NotFound):
            await service.replay(ctx, new_id())
    await drain(modules=[module])
    assert pulled == ["account", "account"]


async def test_bodies_can_be_read_in_the_order_in_which_they_came(
    world: World, outside: httpx2.AsyncClient, endpoint: Endpoint
) -> None:
    for number in range(4):
        await post(outside, endpoint, f"account:{number}".encode())
    await post(outside, endpoint, b"another:1")
    async with transaction(world.context) as ctx:
        first = await service.bodies_after(ctx, "signed", "account", limit=3)
        rest = await service.bodies_after(ctx, "signed", "account", after=first[-1].id)
        newest = await service.newest_body(ctx, "signed", "account")
        nothing = await service.newest_body(ctx, "signed", "nobody")
        last = await service.last_accepted_at(ctx, endpoint.reference_id)
    assert [stored.body for stored in first + rest] == [b"account:0", b"account:1", b"account:2", b"account:3"]
    assert newest is not None
    assert newest.body == b"account:3"
    assert nothing is None
    assert last is not None
    assert last >= newest.received_at


async def test_rotated_keys_count_at_once_and_the_old_ones_no_more(
    world: World, outside: httpx2.AsyncClient, endpoint: Endpoint
) -> None:
    assert (await post(outside, endpoint, b"account:old")).status_code == 200
    async with transaction(world.context) as ctx:
        rotated = await service.rotate(ctx, endpoint.id)
    assert rotated.token != endpoint.token
    await asyncio.sleep(FRESH_SECONDS)

    assert (await post(outside, rotated, b"account:new")).status_code == 200
    assert (await post(outside, endpoint, b"account:late")).status_code == 403


@pytest.mark.parametrize("account", ["acc\0ount", "half a character \ud800"], ids=["null", "half"])
async def test_one_bad_row_in_a_group_refuses_only_itself(
    world: World, database: Database, endpoint: Endpoint, account: str
) -> None:
    flusher = Flusher(database)
    await flusher.start()
    good = Opened("account", b"good", None)
    bad = Opened(account, b"bad", None)
    results = await asyncio.gather(
        *(flusher.store(endpoint, opened) for opened in (good, bad, replace(good, body=b"good too"))),
        return_exceptions=True,
    )
    await flusher.stop()

    assert [type(result) for result in results] == [type(None), NotStored, type(None)]
    assert await count(world, "callbacks") == 2


async def test_secrets_of_an_endpoint_are_sealed_in_the_database(world: World, endpoint: Endpoint) -> None:
    async with transaction(world.context) as ctx:
        row = (
            await ctx.session.execute(
                text("SELECT token_sealed, aes_key_sealed FROM callback_endpoints WHERE tenant_id = :t AND id = :id"),
                {"t": world.tenant_id, "id": endpoint.id},
            )
        ).one()
        again = await service.endpoint_of(ctx, endpoint.reference_id)
    assert endpoint.token.reveal() not in row.token_sealed
    assert endpoint.aes_key.reveal() not in row.aes_key_sealed
    assert (again.token, again.aes_key) == (endpoint.token, endpoint.aes_key)
    assert len(endpoint.token.reveal()) == 32
    assert len(endpoint.aes_key.reveal()) == 43


async def _listed(world: World, endpoint: Endpoint, at_least: int) -> list[service.ReceivedCallback]:
    """The list, once it has that many lines: refusals are written beside the request."""
    async with asyncio.timeout(30):
        while True:
            async with transaction(world.context) as ctx:
                page = await service.list_received(ctx, endpoint.reference_id)
            if len(page.items) >= at_least:
                return list(page.items)
            await asyncio.sleep(0.01)
