"""Puts completions together, whole or in pieces, from what OpenAI-compatible endpoints write. Pure.

They agree on less than their name says. Tolerated: thoughts in `reasoning_content`, `reasoning` or tags; content as a
list of parts; arguments of tools as text, as objects, in pieces, without index or id; usage missing, within a choice,
or in every piece; a stream where none was asked for; errors that come with status 200.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from huitouke.modules.assistant.model.failures import error_of, failure_of_finish
from huitouke.modules.assistant.model.port import Completion, Embeddings, FailureKind, ModelFailure, ToolCall
from huitouke.modules.assistant.model.streams import (
    DONE,
    Aloud,
    EventLines,
    is_event_stream,
    thoughts_in,
    without_thoughts,
)

MAX_TOOL_CALLS: Final = 16
MAX_DIMENSIONS: Final = 8_192


@dataclass
class _OpenCall:
    """A tool call whose arguments still come. `written` are its pieces; `given`, arguments that came as an object."""

    id: str
    name: str = ""
    written: list[str] = field(default_factory=list)
    given: dict[str, Any] | None = None


class Assembly:
    """Collects a completion: `document` takes a whole one, `payload` one event of a stream."""

    def __init__(self, asked_model: str) -> None:
        self._model = asked_model
        self._content: list[str] = []
        self._thoughts: list[str] = []
        self._calls: dict[object, _OpenCall] = {}
        self._usage: dict[str, Any] = {}
        self._finish: object = None
        self._done = False
        self._aloud = Aloud()

    @property
    def done(self) -> bool:
        """Whether the stream said that it ends here."""
        return self._done

    def payload(self, payload: str) -> str:
        """Takes an event; gives the words that can be said now. Raises ModelFailure."""
        if payload == DONE:
            self._done = True
            return ""
        return self.document(parse(payload))

    def document(self, document: dict[str, Any]) -> str:
        """Takes a whole completion or a piece of one; gives the words that can be said now. Raises ModelFailure."""
        if document.get("error"):
            raise error_of(document, FailureKind.REFUSED)
        if isinstance(usage := document.get("usage"), dict):
            self._usage = usage
        if "choices" not in document:
            if self._usage and set(document) <= {"id", "object", "created", "model", "usage"}:
                return ""
            raise error_of(document, FailureKind.NOT_JSON)
        if isinstance(model := document.get("model"), str) and model:
            self._model = model
        choices = document["choices"]
        choice = choices[0] if isinstance(choices, list) and choices else None
        return self._choice(choice) if isinstance(choice, dict) else ""

    def rest(self) -> str:
        """Words that were held back in case they began a thought, and did not."""
        return clean(self._aloud.end())

    def completion(self, *, streamed: bool = False, with_tools: bool = False) -> Completion:
        """The whole. A stream without an end raises CUT; nothing said raises EMPTY.

        Without `with_tools` a call of a tool is an answer in another form: its arguments are the text.
        """
        if (failure := failure_of_finish(self._finish)) is not None:
            raise failure
        if streamed and not self._done and self._finish is None:
            raise ModelFailure(FailureKind.CUT, "the stream ended before its end")
        written = clean("".join(self._content))
        text = without_thoughts(written)
        calls = tuple(_call(call) for call in self._calls.values())
        if not text and calls and not with_tools:
            first = next(iter(self._calls.values()))
            text = clean("".join(first.written)) or json.dumps(first.given or {}, ensure_ascii=False)
            calls = ()
        if not text and not calls:
            raise ModelFailure(FailureKind.EMPTY)
        return Completion(
            text=text,
            model=clean(self._model)[:200],
            tokens_in=_count(self._usage, "prompt_tokens", "input_tokens"),
            tokens_out=_count(self._usage, "completion_tokens", "output_tokens"),
            tokens_cached=_cached(self._usage),
            tool_calls=calls,
            thoughts="\n".join(part for part in (clean("".join(self._thoughts)).strip(), thoughts_in(written)) if part),
            cut_off=self._finish == "length",
        )

    def _choice(self, choice: dict[str, Any]) -> str:
        if choice.get("finish_reason"):
            self._finish = choice["finish_reason"]
        if isinstance(usage := choice.get("usage"), dict):  # Kimi's streams
            self._usage = usage
        said = next((part for name in ("message", "delta") if isinstance(part := choice.get(name), dict)), choice)
        thought = next((text for name in ("reasoning_content", "reasoning") if (text := _text(said.get(name)))), "")
        if thought:
            self._thoughts.append(thought)
        calls = said.get("tool_calls")
        for place, call in enumerate(calls if isinstance(calls, list) else []):
            if isinstance(call, dict):
                self._tool(call, place)
        words = _text(said.get("content")) or _text(said.get("text"))
        self._content.append(words)
        return clean(self._aloud.feed(words))

    def _tool(self, piece: dict[str, Any], place: int) -> None:
        index, given_id = piece.get("index"), piece.get("id")
        number: object = index if isinstance(index, int) else place
        call_id = given_id if isinstance(given_id, str) else ""
        # Some count every call as 0 (Ollama, proxies): another id is another call.
        key: object = number
        if call_id and number in self._calls and self._calls[number].id not in ("", call_id):
            key = call_id
        elif not call_id and number in self._calls:
            key = next(name for name in reversed(self._calls) if name == number or isinstance(name, str))
        if key not in self._calls and len(self._calls) >= MAX_TOOL_CALLS:
            raise ModelFailure(FailureKind.TOO_LONG, f"{MAX_TOOL_CALLS} tool calls")
        call = self._calls.setdefault(key, _OpenCall(call_id or f"call_{len(self._calls)}"))
        function = piece.get("function")
        parts = function if isinstance(function, dict) else {}
        if isinstance(name := parts.get("name"), str) and not call.name:
            call.name = name
        arguments = parts.get("arguments")
        if isinstance(arguments, str):
            call.written.append(arguments)
        elif isinstance(arguments, dict):
            call.given = arguments


def read_completion(body: bytes, asked_model: str, *, with_tools: bool = False) -> Completion:
    """The completion in a response's body.

    Raises:
        ModelFailure: NOT_JSON, EMPTY, CUT, or what an error in the body says.
    """
    assembly = Assembly(asked_model)
    if not is_event_stream(body):
        document = parse(body.decode("utf-8", errors="replace").strip().removeprefix("\ufeff"))
        if "choices" not in document:
            raise error_of(document, FailureKind.NOT_JSON)
        assembly.document(document)
        return assembly.completion(with_tools=with_tools)
    lines = EventLines()
    for payload in [*lines.feed(body), *lines.end()]:
        assembly.payload(payload)
        if assembly.done:
            break
    return assembly.completion(streamed=True, with_tools=with_tools)


def read_embeddings(body: bytes, asked_model: str, count: int) -> Embeddings:
    """The `count` vectors in a response's body, in the order of the texts.

    Raises:
        ModelFailure: NOT_JSON, TOO_LONG, or what an error in the body says.
    """
    document = parse(body.decode("utf-8", errors="replace").strip())
    data = document.get("data")
    if not isinstance(data, list):
        raise error_of(document, FailureKind.NOT_JSON)
    vectors: dict[int, tuple[float, ...]] = {}
    for place, entry in enumerate(data):
        index = entry.get("index") if isinstance(entry, dict) else None
        at = index if isinstance(index, int) and not isinstance(index, bool) else place
        vectors[at] = _vector(entry.get("embedding") if isinstance(entry, dict) else None)
    if sorted(vectors) != list(range(count)) or len({len(vector) for vector in vectors.values()}) != 1:
        raise ModelFailure(FailureKind.NOT_JSON, f"{len(vectors)} vectors for {count} texts")
    usage = document.get("usage")
    return Embeddings(
        vectors=tuple(vectors[at] for at in range(count)),
        model=clean(str(document.get("model") or asked_model))[:200],
        tokens_in=_count(usage if isinstance(usage, dict) else {}, "prompt_tokens", "total_tokens"),
    )


def parse(text: str) -> dict[str, Any]:
    """The JSON object that a text is. Raises ModelFailure(NOT_JSON)."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFailure(FailureKind.NOT_JSON, clean(text[:120])) from error
    if not isinstance(document, dict):
        raise ModelFailure(FailureKind.NOT_JSON, clean(text[:120]))
    return document


def clean(text: str) -> str:
    """The text as it can be stored and sent: halves of characters joined or replaced, without NUL.

    JSON may hold `\\ud83d` alone, a stream may cut a character between two pieces, and neither PostgreSQL nor UTF-8
    takes what is left.
    """
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _call(call: _OpenCall) -> ToolCall:
    arguments = call.given
    if arguments is None:
        written = "".join(call.written).strip()
        try:
            arguments = json.loads(written) if written else {}
            if isinstance(arguments, str):  # encoded twice
                arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            arguments = None
    if not isinstance(arguments, dict):
        return ToolCall(clean(call.id), clean(call.name), None)
    try:
        return ToolCall(clean(call.id), clean(call.name), _clean_value(arguments))
    except RecursionError:
        return ToolCall(clean(call.id), clean(call.name), None)


def _clean_value(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean_value(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _clean_value(item) for key, item in value.items()}
    return value


def _text(value: object) -> str:
    """Text, or the texts of a list of parts."""
    if isinstance(value, list):
        return "".join(part["text"] for part in value if isinstance(part, dict) and isinstance(part.get("text"), str))
    return value if isinstance(value, str) else ""


def _vector(value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_DIMENSIONS:
        raise ModelFailure(FailureKind.NOT_JSON, "no vector of numbers")
    if not all(isinstance(number, (int, float)) and abs(number) < 1e30 for number in value):
        raise ModelFailure(FailureKind.NOT_JSON, "no vector of numbers")
    return tuple(float(number) for number in value)


def _cached(usage: dict[str, Any]) -> int | None:
    details = usage.get("prompt_tokens_details")
    if isinstance(details, dict) and (count := _count(details, "cached_tokens")) is not None:
        return count
    return _count(usage, "prompt_cache_hit_tokens", "cached_tokens")  # DeepSeek; Kimi


def _count(usage: dict[str, Any], *names: str) -> int | None:
    for name in names:
        value = usage.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31:
            return value
    return None
