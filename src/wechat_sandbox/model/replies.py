"""The bodies of chat completions: whole and in pieces, well and deliberately broken."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from wechat_sandbox.ids import random_text

PIECE_CHARACTERS = 6
BABBLE_CHARACTERS = 200_000
BABBLE_WORDS = (
    "因此", "然而", "尺码", "星期三", "蓝色的", "退货", "其实", "云", "大约", "我们", "海鲜", "请", "不过", "三十七",
    "快递", "会", "月亮", "优惠", "也许", "而且",
)  # fmt: skip


@dataclass(frozen=True)
class Reply:
    """What the model says: a text, or a call of `tool` with `text` as its JSON arguments."""

    text: str
    tool: str | None
    model: str
    prompt_tokens: int
    completion_tokens: int

    @property
    def finish_reason(self) -> str:
        return "tool_calls" if self.tool else "stop"

    @property
    def usage(self) -> dict[str, int]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
        }


def tokens_of(text: str) -> int:
    """A rough count: Chinese models take about 0.6 tokens a character."""
    return max(1, round(len(text) * 0.6))


def completion(reply: Reply, created: int) -> dict[str, Any]:
    """The body of a completion that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": None if reply.tool else reply.text}
    if reply.tool:
        function = {"name": reply.tool, "arguments": reply.text}
        message["tool_calls"] = [{"id": f"call_{random_text(24)}", "type": "function", "function": function}]
    return {
        "id": f"chatcmpl-{random_text(24)}",
        "object": "chat.completion",
        "created": created,
        "model": reply.model,
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason, "logprobs": None}],
        "usage": reply.usage,
    }


def chunks(reply: Reply, created: int, include_usage: bool) -> Iterator[bytes]:
    """The events of a streamed completion, without the closing [DONE]."""
    head = {
        "id": f"chatcmpl-{random_text(24)}",
        "object": "chat.completion.chunk",
        "created": created,
        "model": reply.model,
    }

    def event(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return _data({**head, "choices": [choice]})

    if reply.tool:
        function = {"name": reply.tool, "arguments": ""}
        call = {"index": 0, "id": f"call_{random_text(24)}", "type": "function", "function": function}
        yield event({"role": "assistant", "content": None, "tool_calls": [call]})
    else:
        yield event({"role": "assistant", "content": ""})
    for start in range(0, len(reply.text), PIECE_CHARACTERS):
        piece = reply.text[start : start + PIECE_CHARACTERS]
        if reply.tool:
            yield event({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        else:
            yield event({"content": piece})
    yield event({}, reply.finish_reason)
    if include_usage:
        yield _data({**head, "choices": [], "usage": reply.usage})


DONE = b"data: [DONE]\n\n"


def _data(body: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"


def babble(characters: int = BABBLE_CHARACTERS) -> str:
    """Words without sense, as a model that has lost the thread writes them."""
    source = random.Random(time.monotonic_ns())
    words: list[str] = []
    length = 0
    while length < characters:
        word = source.choice(BABBLE_WORDS)
        words.append(word)
        length += len(word)
    return "".join(words)
