"""An endpoint that is slow, endless, swollen, broken or somewhere else costs a bounded time and memory."""

import asyncio
import gzip
import json
import time
from contextlib import aclosing

import pytest

from huitouke.modules.assistant.model import transport
from huitouke.modules.assistant.model.openai_compatible import MAX_BODY_BYTES, OpenAiCompatible
from huitouke.modules.assistant.model.port import ChatMessage, Completion, FailureKind, ModelFailure
from tests.conformance.assistant.endpoint import Endpoint, Reply

ASKED = [ChatMessage("user", "有大一点的吗")]
WHOLE = json.dumps({"choices": [{"message": {"content": "有的。"}, "finish_reason": "stop"}]}).encode()
PIECE = b'data: {"choices": [{"delta": {"content": "\xe6\x9c\x89"}}]}\n\n'


async def failure_of(reply: Reply, *, timeout_seconds: float = 5.0, stream: bool = False) -> tuple[ModelFailure, float]:
    """What went wrong, and after how many seconds."""
    async with Endpoint([reply]) as endpoint:
        model = OpenAiCompatible(f"{endpoint.address}/v1", "m", None)
        started = time.monotonic()
        with pytest.raises(ModelFailure) as caught:
            if stream:
                async for _ in model.stream(ASKED, max_tokens=1, timeout_seconds=timeout_seconds):
                    pass
            else:
                await model.chat(ASKED, max_tokens=1, timeout_seconds=timeout_seconds)
        return caught.value, time.monotonic() - started


@pytest.mark.parametrize("stream", [False, True])
async def test_the_whole_time_is_a_limit_though_bytes_keep_coming(stream: bool) -> None:
    dripping = Reply(200, PIECE * 1_000, "text/event-stream", piece_bytes=len(PIECE), piece_seconds=0.05)
    failure, seconds = await failure_of(dripping, timeout_seconds=0.5, stream=stream)
    assert (failure.kind, failure.detail) == (FailureKind.SLOW, "0.5 s")
    assert seconds < 3


async def test_silence_before_the_first_byte_is_limited_by_the_whole_time() -> None:
    failure, seconds = await failure_of(Reply(200, WHOLE, pause_seconds=20), timeout_seconds=0.4)
    assert (failure.kind, failure.detail) == (FailureKind.SLOW, "0.4 s")
    assert seconds < 3


async def test_silence_in_the_middle_is_limited_before_the_whole_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PIECE_SECONDS", 0.3)
    stuck = Reply(200, PIECE * 2, "text/event-stream", piece_bytes=len(PIECE), piece_seconds=20)
    failure, seconds = await failure_of(stuck, timeout_seconds=30, stream=True)
    assert (failure.kind, failure.detail) == (FailureKind.SLOW, "0.3 s")
    assert seconds < 5


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_without_an_end_is_stopped_at_its_limit(stream: bool) -> None:
    endless = Reply(200, PIECE * 40_000, "text/event-stream", piece_bytes=65_536)
    async with Endpoint([endless]) as endpoint:
        model = OpenAiCompatible(f"{endpoint.address}/v1", "m", None)
        with pytest.raises(ModelFailure, match="too_long"):
            if stream:
                async for _ in model.stream(ASKED, max_tokens=1, timeout_seconds=10):
                    pass
            else:
                await model.chat(ASKED, max_tokens=1, timeout_seconds=10)
    assert len(endless.body) > 5 * MAX_BODY_BYTES


async def test_a_packed_body_that_swells_is_stopped_at_its_limit() -> None:
    failure, _ = await failure_of(Reply(200, gzip.compress(b" " * 200_000_000), encoding="gzip"))
    assert failure.kind is FailureKind.TOO_LONG


async def test_a_packed_body_is_read_though_nobody_asked_for_one() -> None:
    async with Endpoint([Reply(200, gzip.compress(WHOLE), encoding="gzip", piece_bytes=7)]) as endpoint:
        said = await OpenAiCompatible(f"{endpoint.address}/v1", "m", None).chat(ASKED, max_tokens=1, timeout_seconds=5)
    assert said.text == "有的。"
    assert endpoint.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, b"\x1f\x8b broken", encoding="gzip"), FailureKind.NOT_JSON),
        (Reply(200, WHOLE, encoding="br"), FailureKind.NOT_JSON),
        (Reply(200, WHOLE[:-9], cut=True), FailureKind.SERVER),
        (Reply(200, WHOLE[:-9]), FailureKind.NOT_JSON),
        (Reply(200, b"", cut=True), FailureKind.SERVER),
    ],
)
async def test_a_broken_body_is_a_named_failure(reply: Reply, kind: FailureKind) -> None:
    failure, _ = await failure_of(reply)
    assert failure.kind is kind


async def test_what_is_no_http_is_a_named_failure() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        writer.close()

    async with await asyncio.start_server(rude, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        with pytest.raises(ModelFailure) as caught:
            await OpenAiCompatible(address, "m", None).chat(ASKED, max_tokens=1, timeout_seconds=5)
    assert caught.value.kind is FailureKind.SERVER


async def test_a_redirect_is_not_followed() -> None:
    failure, _ = await failure_of(Reply(307, b""))
    assert failure.kind is FailureKind.PATH


async def test_words_come_before_the_answer_is_whole_and_leaving_hangs_up() -> None:
    slow = Reply(200, PIECE * 50, "text/event-stream", piece_bytes=len(PIECE), piece_seconds=0.2)
    async with Endpoint([slow]) as endpoint:
        model = OpenAiCompatible(f"{endpoint.address}/v1", "m", None)
        async with aclosing(model.stream(ASKED, max_tokens=1, timeout_seconds=30)) as pieces:
            async for piece in pieces:
                assert not isinstance(piece, Completion)
                break
        await asyncio.wait_for(endpoint.hung_up.wait(), 30)
    assert endpoint.bytes_sent < len(slow.body)
