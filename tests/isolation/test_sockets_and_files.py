"""What is no route of the API: the live socket, over a real connection, and files by their signed addresses."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from huitouke.kernel.files.addresses import signed_url
from huitouke.kernel.realtime import limits
from tests.isolation.neighbours import Merchant, merchant, traces_of
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import application, client, signed_in
from tests.support.operations import NO_SUCH_ID
from tests.support.operators import make_operator, operator_client
from tests.support.time import later, today

QUIET_SECONDS = 0.4


@asynccontextmanager
async def socket(
    address: str, one: Merchant | None = None, *, cookie: str | None = None, origin: str | None = "same"
) -> AsyncIterator[ClientConnection]:
    """A socket of that merchant's owner, or of nobody."""
    if one is not None:
        cookie = f"huitouke_session={one.owner.cookies['huitouke_session']}"
    headers = {"Cookie": cookie} if cookie else {}
    if origin is not None:
        headers["Origin"] = address if origin == "same" else origin
    async with connect(f"{address.replace('http', 'ws')}/realtime", additional_headers=headers, proxy=None) as opened:
        yield opened


async def heard(connection: ClientConnection, seconds: float = QUIET_SECONDS) -> list[dict[str, Any]]:
    """What comes until it is quiet."""
    frames = []
    while True:
        try:
            async with asyncio.timeout(seconds):
                frames.append(json.loads(await connection.recv()))
        except TimeoutError:
            return frames


async def say(connection: ClientConnection, **frame: Any) -> None:
    await connection.send(json.dumps(frame))


@pytest.mark.parametrize("cookie", [None, "huitouke_session=x", "huitouke_session=", "a=b", '"', "huitouke_session=é"])
async def test_a_stranger_hears_nothing_and_is_shown_out(
    running: tuple[Sandbox, str], theirs: Merchant, cookie: str | None
) -> None:
    async with socket(running[1], cookie=cookie) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            await say(connection, type="open", streams={theirs.ids["conversation_id"]: 0}, since="1970-01-01T00:00:00Z")
            await connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == limits.SIGNED_OUT


@pytest.mark.parametrize("origin", [None, "https://evil.test", "null", "http://[", "", "http://127.0.0.1:1"])
async def test_a_foreign_page_gets_no_socket_with_the_persons_cookie(
    running: tuple[Sandbox, str], theirs: Merchant, origin: str | None
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket(running[1], theirs, origin=origin):
            pass
    assert refused.value.response.status_code == 403


async def test_the_neighbours_conversation_is_one_that_never_existed(
    running: tuple[Sandbox, str], mine: Merchant, theirs: Merchant
) -> None:
    async with socket(running[1], mine) as connection:
        await heard(connection)
        answers = []
        for id in (theirs.ids["conversation_id"], str(NO_SUCH_ID)):
            await say(connection, type="open", streams={id: 0})
            answers.append(await heard(connection))
            assert answers[-1] == [{"type": "error", "code": "not_found", "stream": "conversation", "id": id}]


async def test_what_happens_at_the_neighbours_is_not_heard(
    running: tuple[Sandbox, str], mine: Merchant, theirs: Merchant
) -> None:
    secrets = await traces_of(theirs) - {theirs.ids["conversation_id"]}
    own = mine.ids["conversation_id"]
    async with socket(running[1], mine) as connection, socket(running[1], theirs) as neighbour:
        wish = {own: 0, theirs.ids["conversation_id"]: 0}
        await say(connection, type="open", streams=wish, since="1970-01-01T00:00:00Z")
        await say(neighbour, type="open", streams={theirs.ids["conversation_id"]: 0})
        before = await heard(connection)
        await heard(neighbour)

        await theirs.owner.post(
            f"/api/conversations/{theirs.ids['conversation_id']}/messages", json={"text": f"只在这里 {theirs.word}"}
        )
        await theirs.owner.post(f"/api/conversations/{theirs.ids['conversation_id']}/hand-back")

        assert any(theirs.word in json.dumps(frame, ensure_ascii=False) for frame in await heard(neighbour))
        frames = before + await heard(connection)
    assert {frame["id"] for frame in frames if frame["type"] == "frame"} == {own}
    (changed,) = [frame["ids"] for frame in frames if frame["type"] == "changed"]
    assert changed == [own]
    told = json.dumps(frames, ensure_ascii=False)
    assert [secret for secret in secrets if secret in told] == []


async def test_a_signed_out_persons_socket_ends(running: tuple[Sandbox, str], theirs: Merchant) -> None:
    async with signed_in(application(), theirs.desk.aning.sign_in_name) as person:
        cookie = f"huitouke_session={person.cookies['huitouke_session']}"
        await person.delete("/api/session")
        async with socket(running[1], cookie=cookie) as connection:
            with pytest.raises(ConnectionClosed):
                await connection.recv()


async def test_sockets_of_a_suspended_merchant_end_within_a_second(running: tuple[Sandbox, str]) -> None:
    async with merchant(*running) as one, socket(running[1], one) as connection:
        await heard(connection)
        async with operator_client(application(), await make_operator()) as operator:
            path = f"/operator/api/tenants/{one.desk.context.tenant_id}/suspend"
            answer = await operator.post(path, json={"reason": "欠费"})
            assert answer.status_code < 300, answer.text
        assert await ends(connection) == limits.SIGNED_OUT


async def test_an_operators_socket_ends_with_the_visit_and_the_merchants_stay(
    running: tuple[Sandbox, str], mine: Merchant
) -> None:
    tenant_id = mine.desk.context.tenant_id
    async with operator_client(application(), await make_operator()) as operator:
        asked = await operator.post(f"/operator/api/tenants/{tenant_id}/visits", json={"reason": "看看"})
        visit = asked.json()["id"]
        await mine.owner.post(f"/api/visits/{visit}/grant", json={"hours": 1})
        await operator.post(f"/operator/api/visits/{visit}/enter")
        cookie = f"huitouke_session={operator.cookies['huitouke_session']}"
        async with socket(running[1], cookie=cookie) as looking, socket(running[1], mine) as own:
            assert (await heard(looking))[0]["type"] == "hello"
            await heard(own)
            await mine.owner.post(f"/api/visits/{visit}/end")
            assert await ends(looking) == limits.SIGNED_OUT
            assert {frame["type"] for frame in await heard(own)} - {"heartbeat"} == {"hint"}


async def ends(connection: ClientConnection) -> int | None:
    """With which code the server closes it, within a second."""
    with pytest.raises(ConnectionClosed) as closed:
        async with asyncio.timeout(1):
            while True:
                await connection.recv()
    return closed.value.rcvd.code if closed.value.rcvd is not None else None


@pytest.fixture
async def anybody() -> AsyncIterator[httpx2.AsyncClient]:
    async with client(application()) as opened:
        yield opened


async def test_a_signed_address_opens_its_file_and_no_other(
    mine: Merchant, theirs: Merchant, anybody: httpx2.AsyncClient
) -> None:
    assert theirs.word in (await anybody.get(theirs.file_url)).text

    token = parse_qs(urlsplit(mine.file_url).query)["token"][0]
    answers = [
        await anybody.get(f"/files/{theirs.ids['file_id']}", params={"token": token}),
        await mine.owner.get(f"/files/{theirs.ids['file_id']}", params={"token": token}),
        await mine.owner.get(f"/files/{theirs.ids['file_id']}"),
        await mine.owner.get(signed_url(mine.desk.context, theirs.desk.account.id)),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 422, 404]
    assert not any(theirs.word in answer.text for answer in answers)


async def test_an_address_signed_for_one_tenant_finds_no_file_of_another(
    mine: Merchant, theirs: Merchant, anybody: httpx2.AsyncClient
) -> None:
    """Even a bug that signed the wrong id would meet the fence."""
    answer = await anybody.get(signed_url(mine.desk.context, UUID(theirs.ids["file_id"])))
    assert (answer.status_code, theirs.word in answer.text) == (404, False)


async def test_no_change_of_a_token_is_taken(theirs: Merchant, anybody: httpx2.AsyncClient) -> None:
    token = parse_qs(urlsplit(theirs.file_url).query)["token"][0]
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    altered = [bytes([*raw[:at], raw[at] ^ bit, *raw[at + 1 :]]) for at in range(len(raw)) for bit in (1, 128)]
    altered += [raw[:-1], raw + b"\0", raw[::-1], b"", raw[:24] + bytes(32)]
    for wrong in altered:
        changed = base64.urlsafe_b64encode(wrong).rstrip(b"=").decode()
        answer = await anybody.get(f"/files/{theirs.ids['file_id']}", params={"token": changed})
        assert answer.status_code == 403, wrong
    assert (await anybody.get(theirs.file_url + "&download=1")).status_code == 403


async def test_an_address_ends_and_does_not_come_back(theirs: Merchant, anybody: httpx2.AsyncClient) -> None:
    await later(3601)
    try:
        assert (await anybody.get(theirs.file_url)).status_code == 403
    finally:
        await today()
