"""Requests as OpenAI-compatible endpoints take them, and what is left out for those that don't take a part of it.

An endpoint says in a 400 or 422 which wish it does not know; the request goes again without it, and the endpoint's
next requests leave it out from the start. Pure but for that memory.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from huitouke.modules.assistant.model.port import ChatMessage, Tool, ToolCall

TEMPERATURE: Final = 0.2
MAX_TRIES: Final = 4
_REMEMBERED: Final = 500
"""Endpoints per process whose ways are remembered."""

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Allowance:
    """A way of an endpoint: `complaint` shows it, `grant` changes the request; it is tried once."""

    name: str
    complaint: re.Pattern[str]
    grant: Callable[[Body], Body]


def _without(*keys: str) -> Callable[[Body], Body]:
    return lambda body: {key: value for key, value in body.items() if key not in keys}


def _streaming(body: Body) -> Body:
    return {**body, "stream": True, "stream_options": {"include_usage": True}}


def _renamed_limit(body: Body) -> Body:
    limit = body.get("max_tokens")
    return {**_without("max_tokens")(body), **({"max_completion_tokens": limit} if limit else {})}


_ALLOWANCES: Final = (
    # Qwen's open models think by default and refuse to do so without a stream (help.aliyun.com, model-studio
    # error-code): not thinking is also what an answer within seconds needs.
    Allowance("thoughtless", re.compile(r"enable[_ ]thinking", re.I), lambda body: {**body, "enable_thinking": False}),
    # QwQ and its like: "This model only support stream mode".
    Allowance(
        "streaming", re.compile(r"only support\w* (?:the )?stream|stream mode|stream(?:=| is )true", re.I), _streaming
    ),
    Allowance("free_form", re.compile(r"response_format|json_object|json mode", re.I), _without("response_format")),
    Allowance("renamed_limit", re.compile(r"max_completion_tokens", re.I), _renamed_limit),
    # Kimi's thinking models: "invalid temperature: only 1 is allowed for this model".
    Allowance("own_temperature", re.compile(r"temperature", re.I), _without("temperature")),
    Allowance("uncounted", re.compile(r"stream_options", re.I), _without("stream_options")),
)

_known: OrderedDict[tuple[str, str], tuple[Allowance, ...]] = OrderedDict()


class Request:
    """One request's body, as this endpoint has shown that it takes it."""

    def __init__(self, endpoint: tuple[str, str], body: Body) -> None:
        self._endpoint = endpoint
        self._granted = _known.get(endpoint, ())
        for allowance in self._granted:
            body = allowance.grant(body)
        self.body = body

    @property
    def streamed(self) -> bool:
        return bool(self.body.get("stream"))

    def encoded(self) -> bytes:
        return json.dumps(self.body, ensure_ascii=False).encode()

    def without_what_it_refuses(self, status: int, said: bytes) -> bool:
        """Whether the refusal names a wish that can be left out; if so it is, here and from now on."""
        if status not in (400, 422) or len(self._granted) >= MAX_TRIES:
            return False
        text = said.decode("utf-8", errors="replace")
        for allowance in _ALLOWANCES:
            if allowance in self._granted or not allowance.complaint.search(text):
                continue
            self.body = allowance.grant(self.body)
            self._granted = (*self._granted, allowance)
            _known[self._endpoint] = self._granted
            _known.move_to_end(self._endpoint)
            if len(_known) > _REMEMBERED:
                _known.popitem(last=False)
            return True
        return False


def chat_body(
    model: str, messages: Sequence[ChatMessage], max_tokens: int, tools: Sequence[Tool], *, stream: bool
) -> Body:
    """A chat request. JSON is asked for where the answer is to be read at once by a program."""
    body: Body = {
        "model": model,
        "messages": [_message(message) for message in messages],
        "max_tokens": max_tokens,
        "temperature": TEMPERATURE,
        "stream": False,
    }
    if tools:
        body["tools"] = [_tool(tool) for tool in tools]
    elif not stream:
        body["response_format"] = {"type": "json_object"}
    return _streaming(body) if stream else body


def _message(message: ChatMessage) -> Body:
    written: Body = {"role": message.role, "content": message.content}
    if message.tool_calls:
        written["tool_calls"] = [_call(call) for call in message.tool_calls]
        if message.thoughts:
            written["reasoning_content"] = message.thoughts
    if message.tool_call_id is not None:
        written["tool_call_id"] = message.tool_call_id
    return written


def _call(call: ToolCall) -> Body:
    arguments = json.dumps(dict(call.arguments or {}), ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _tool(tool: Tool) -> Body:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}
