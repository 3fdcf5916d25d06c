"""The client against a real socket that misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic

import httpx2
import pytest

from huitouke.wechat import client as client_module
from huitouke.wechat.client import WecomClient
from huitouke.wechat.errors import TransientError, TransportReason, UnexpectedAnswer
from huitouke.wechat.tokens import Credential, FetchedToken, MemoryTokenStore, TokenCentre

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


def clock() -> datetime:
    return datetime(2026, 11, 21, tzinfo=UTC)


async def no_sleep(_seconds: float) -> None:
    return None


async def fetch(_credential: Credential) -> FetchedToken:
    return FetchedToken("token", 7200)


@asynccontextmanager
async def wecom(*answers: Answering) -> AsyncIterator[WecomClient]:
    """A client of a server that treats one connection after the other as `answers` say."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await left.pop(0)(writer)
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with httpx2.AsyncClient(trust_env=False) as http:
            centre = TokenCentre(MemoryTokenStore(clock), fetch, clock)
            yield WecomClient(http, centre, Credential("ww", "s", "k"), f"http://127.0.0.1:{port}", sleep=no_sleep)
    finally:
        server.close()


def says(body: bytes, *, status: str = "200 OK", length: int | None = None) -> Answering:
    async def answer(writer: asyncio.StreamWriter) -> None:
        size = len(body) if length is None else length
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()

    return answer


async def hangs_up(_writer: asyncio.StreamWriter) -> None:
    return None


async def stays_silent(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def trickles(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def test_after_a_hang_up_and_a_bad_gateway_the_third_try_answers() -> None:
    async with wecom(hangs_up, says(b"", status="502 Bad Gateway"), says(b'{"errcode":0,"name":"ok"}')) as client:
        assert (await client.get("agent/get"))["name"] == "ok"


async def test_a_body_that_breaks_off_is_a_broken_connection() -> None:
    async with wecom(*[says(b'{"errcode":0', length=500)] * 3) as client:
        with pytest.raises(TransientError) as caught:
            await client.get("agent/get")

    assert caught.value.reason is TransportReason.BROKEN
    assert caught.value.may_have_happened


async def test_nobody_there_is_no_connection_and_surely_did_not_happen() -> None:
    async with wecom() as client:
        pass
    async with httpx2.AsyncClient(trust_env=False) as http:
        centre = TokenCentre(MemoryTokenStore(clock), fetch, clock)
        alone = WecomClient(http, centre, client.credential, "http://127.0.0.1:9", sleep=no_sleep)
        with pytest.raises(TransientError) as caught:
            await alone.post("message/send", {}, idempotent=False)

    assert caught.value.reason is TransportReason.CONNECT
    assert not caught.value.may_have_happened
    assert caught.value.tries == 3


async def test_silence_ends_with_the_read_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_TIMEOUT", httpx2.Timeout(0.1))
    async with wecom(stays_silent) as client:
        with pytest.raises(TransientError) as caught:
            await client.post("message/send", {}, idempotent=False)

    assert caught.value.reason is TransportReason.TIMEOUT


async def test_an_answer_that_trickles_in_ends_with_the_whole_time_out() -> None:
    started = monotonic()
    call = client_module.Call("GET", "agent/get", idempotent=False, timeout_seconds=0.2)
    async with wecom(trickles) as client:
        with pytest.raises(TransientError) as caught:
            await client.run(call, client_module.read_json)

    assert caught.value.reason is TransportReason.TIMEOUT
    assert monotonic() - started < 2


async def test_a_path_that_does_not_exist_is_said_so() -> None:
    async with wecom(says(b"404 page not found", status="404 Not Found")) as client:
        with pytest.raises(UnexpectedAnswer) as caught:
            await client.post("externalcontact/send_msg", {}, idempotent=True)

    assert caught.value.reason is TransportReason.NOT_FOUND
