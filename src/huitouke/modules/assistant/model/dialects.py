"""Reads completions of OpenAI-compatible endpoints, which agree on less than their name says.

Tolerated: thoughts in `reasoning_content` or `<think>…</think>`; content as a list of parts; JSON in code fences or
after a sentence; plain text where JSON was asked for; a stream where none was asked for; missing usage; errors that
come with status 200. Pure functions.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from huitouke.modules.assistant.model.port import Completion, FailureKind, ModelFailure

_THOUGHTS: Final = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.S | re.I)
_LATE_END: Final = re.compile(r"\A.*?</think>", re.S | re.I)
_CITATION: Final = re.compile(r"\s*[\[【](\d{1,3})[\]】]")
MAX_OBJECTS_TRIED: Final = 20

_KEY_WORDS: Final = ("api_key", "apikey", "api key", "authentication", "unauthorized", "invalid token")
_BUSY_WORDS: Final = ("rate limit", "ratelimit", "quota", "throttl", "insufficient", "arrears", "balance")


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """The model's verdict. `evidence` are the numbers it cites."""

    can_answer: bool
    answer: str
    evidence: tuple[int, ...]


def read_completion(body: bytes, asked_model: str) -> Completion:
    """The completion in a response's body.

    Raises:
        ModelFailure: NOT_JSON, EMPTY, or what an error in the body says.
    """
    text = body.decode("utf-8", errors="replace").strip()
    document = _streamed(text) if text.startswith(("data:", "event:", ":")) else _document(text)
    if "choices" not in document:
        raise error_of(document, FailureKind.NOT_JSON)
    choices = document["choices"]
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get("message")
    said = without_thoughts(_content(message if isinstance(message, dict) else choice))
    if not said:
        raise ModelFailure(FailureKind.EMPTY)
    usage = document.get("usage")
    counted: dict[str, Any] = usage if isinstance(usage, dict) else {}
    return Completion(
        text=said,
        model=str(document.get("model") or asked_model),
        tokens_in=_count(counted, "prompt_tokens", "input_tokens"),
        tokens_out=_count(counted, "completion_tokens", "output_tokens"),
    )


def error_of(document: dict[str, Any], otherwise: FailureKind) -> ModelFailure:
    """The failure that an error document speaks of; `otherwise` when it speaks of none we know."""
    error = document.get("error")
    parts = error if isinstance(error, dict) else document
    words = [
        str(parts[key])
        for key in ("code", "type", "message", "msg", "status_msg", "detail")
        if isinstance(parts.get(key), (str, int))
    ]
    if isinstance(error, str):
        words.append(error)
    base = document.get("base_resp")
    if isinstance(base, dict):
        words.extend(str(base[key]) for key in ("status_code", "status_msg") if key in base)
    said = " ".join(words)
    lowered = said.lower()
    if any(word in lowered for word in _KEY_WORDS):
        return ModelFailure(FailureKind.KEY, said)
    if "model" in lowered and any(word in lowered for word in ("not_found", "not found", "not exist", "unknown")):
        return ModelFailure(FailureKind.MODEL, said)
    if any(word in lowered for word in _BUSY_WORDS):
        return ModelFailure(FailureKind.BUSY, said)
    return ModelFailure(FailureKind.REFUSED if said else otherwise, said)


def without_thoughts(text: str) -> str:
    """The text without what the model thought aloud; a thought without an end leaves nothing."""
    text = _THOUGHTS.sub("", text)
    return _LATE_END.sub("", text).strip()


def read_answer(text: str) -> ModelAnswer:
    """The structured answer in a completion: the first JSON object that has one, else the text with its citations."""
    for document in _objects(text):
        if "answer" in document or "can_answer" in document:
            answer = document.get("answer")
            said = answer.strip() if isinstance(answer, str) else ""
            can = document.get("can_answer", bool(said))
            return ModelAnswer(
                can_answer=bool(said) and (can is True or str(can).lower() in ("true", "yes", "1", "是")),
                answer=_CITATION.sub("", said).strip(),
                evidence=_numbers(document.get("evidence")) or tuple(int(n) for n in _CITATION.findall(said)),
            )
    if text.lstrip().startswith(("{", "```")):
        return ModelAnswer(False, "", ())  # JSON that broke off
    cited = tuple(dict.fromkeys(int(number) for number in _CITATION.findall(text)))
    plain = _CITATION.sub("", text).strip()
    return ModelAnswer(bool(plain and cited), plain, cited)


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFailure(FailureKind.NOT_JSON, text[:120]) from error
    if not isinstance(document, dict):
        raise ModelFailure(FailureKind.NOT_JSON, text[:120])
    return document


def _streamed(text: str) -> dict[str, Any]:
    """A stream's pieces put together as if it had been one body."""
    content: list[str] = []
    whole: dict[str, Any] = {}
    for line in text.splitlines():
        payload = line.removeprefix("data:").strip()
        if not line.startswith("data:") or payload == "[DONE]":
            continue
        piece = _document(payload)
        if "choices" not in piece:
            raise error_of(piece, FailureKind.NOT_JSON)
        whole.update({key: piece[key] for key in ("model", "usage") if piece.get(key)})
        for choice in piece["choices"] if isinstance(piece["choices"], list) else []:
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if isinstance(delta, dict):
                content.append(_content(delta))
    return {**whole, "choices": [{"message": {"content": "".join(content)}}]}


def _content(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    if isinstance(content, str) and content:
        return content
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls and isinstance(calls[0], dict):
        function = calls[0].get("function")
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(arguments, str):
            return arguments
    text = message.get("text")
    return text if isinstance(text, str) else ""


def _objects(text: str) -> list[dict[str, Any]]:
    decoder = json.JSONDecoder()
    found: list[dict[str, Any]] = []
    starts = [match.start() for match in re.finditer(r"\{", text)][:MAX_OBJECTS_TRIED]
    for start in starts:
        try:
            document, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            found.append(document)
    return found


def _numbers(value: object) -> tuple[int, ...]:
    items = value if isinstance(value, list) else [value]
    found: list[int] = []
    for item in items:
        if isinstance(item, bool):
            continue
        if isinstance(item, int):
            found.append(item)
        elif isinstance(item, str):
            found.extend(int(number) for number in re.findall(r"\d{1,3}", item))
    return tuple(dict.fromkeys(found))


def _count(usage: dict[str, Any], *names: str) -> int | None:
    for name in names:
        value = usage.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None
