"""Server-sent events as chat endpoints write them, and thoughts that come in pieces. Pure.

Lines may end with LF, CRLF or CR, come in any pieces of bytes, and hold comments (DeepSeek sends `: keep-alive`),
`event:` and `id:` fields, `data:` with and without a space.
"""

from __future__ import annotations

import re
from typing import Final

DONE: Final = "[DONE]"
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_EVENT_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")

_OPENING: Final = re.compile(r"<(think|thinking|reasoning)>", re.I)
_CLOSING: Final = {name: re.compile(f"</{name}>", re.I) for name in ("think", "thinking", "reasoning")}
_TAGS: Final = ("<think>", "<thinking>", "<reasoning>")
_THOUGHT: Final = re.compile(r"<(think|thinking|reasoning)>(.*?)(?:</\1>|\Z)", re.S | re.I)
_LATE_END: Final = re.compile(r"\A(.*?)</think>", re.S | re.I)


def is_event_stream(start: bytes) -> bool:
    """Whether a body that begins so is one of events, whatever its content type says."""
    return start.removeprefix(_BYTE_ORDER_MARK).lstrip(b"\r\n \t").startswith(_EVENT_FIELDS)


class EventLines:
    """Turns bytes into the payloads of `data:` lines; linear in the bytes, which the caller limits."""

    def __init__(self) -> None:
        self._open: list[bytes] = []

    def feed(self, chunk: bytes) -> list[str]:
        """The payloads that these bytes complete."""
        # A CR at the end may be half of a CRLF: it waits, so that the LF makes no line of its own.
        if self._open and self._open[-1].endswith(b"\r"):
            chunk = self._open.pop() + chunk
        *complete, rest = _LINE_END.split(chunk[:-1] if chunk.endswith(b"\r") else chunk)
        if complete:
            complete[0] = b"".join([*self._open, complete[0]])
            self._open = []
        self._open.append(rest + b"\r" if chunk.endswith(b"\r") else rest)
        return [payload for line in complete if (payload := _payload(line))]

    def end(self) -> list[str]:
        """What a last line without an end held."""
        line = b"".join(self._open).rstrip(b"\r")
        self._open = []
        return [payload] if (payload := _payload(line)) else []


def _payload(line: bytes) -> str:
    line = line.removeprefix(_BYTE_ORDER_MARK)
    if not line.startswith(b"data:"):
        return ""
    return line[len(b"data:") :].decode("utf-8", errors="replace").strip()


class Aloud:
    """Lets text pass in pieces and keeps what stands in thought tags; a piece may end within a tag."""

    def __init__(self) -> None:
        self._held = ""
        self._thought = ""  # the name of the tag that is open

    def feed(self, text: str) -> str:
        """What of it can be said already."""
        self._held += text
        said: list[str] = []
        while True:
            if self._thought:
                found = _CLOSING[self._thought].search(self._held)
                if found is None:
                    self._held = self._held[-len(f"</{self._thought}") :]
                    return "".join(said)
                self._held, self._thought = self._held[found.end() :], ""
            elif found := _OPENING.search(self._held):
                said.append(self._held[: found.start()])
                self._held, self._thought = self._held[found.end() :], found[1].lower()
            else:
                ready = len(self._held) - _possible_start(self._held)
                said.append(self._held[:ready])
                self._held = self._held[ready:]
                return "".join(said)

    def end(self) -> str:
        """What was held back in case it was a tag, and was none."""
        said = "" if self._thought else self._held
        self._held = ""
        return said


def without_thoughts(text: str) -> str:
    """The text without what the model thought aloud; a thought without an end leaves nothing."""
    return _LATE_END.sub("", _THOUGHT.sub("", text)).strip()


def thoughts_in(text: str) -> str:
    """What the model thought aloud in tags."""
    found = [match[2].strip() for match in _THOUGHT.finditer(text)]
    late = _LATE_END.match(_THOUGHT.sub("", text))
    return "\n".join([*found, *([late[1].strip()] if late else [])])


def _possible_start(text: str) -> int:
    """How many characters at the end may be the beginning of a tag."""
    place = text.rfind("<")
    if place < 0:
        return 0
    tail = text[place:].lower()
    return len(tail) if any(tag.startswith(tail) for tag in _TAGS) else 0
