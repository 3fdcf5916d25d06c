"""What comes from a channel, in our own words: who said or did what, when, in which conversation.

Each channel translates what its platform tells into these; nothing behind the port knows the platform's own.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

import orjson

Who = Literal["customer", "servicer", "event"]
"""`servicer`: somebody of the merchant who answers in the platform's own app."""

WindowNews = Literal["over", "used_up", "session_ended"]
"""What a failure tells beyond itself: no time left, no messages left, the platform's session is at its end."""

MAX_TEXT_CHARACTERS: Final = 20_000

_ZERO_BYTE: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""The escape itself, and not a backslash that somebody typed before "u0000"."""


@dataclass(frozen=True, slots=True)
class Entered:
    """The customer opened the chat, by the link or place `scene`. `code` permits one message, "" none."""

    scene: str = ""
    scene_param: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class ServicerTook:
    """A servicer has the session now. `code` permits one message about it, "" none."""

    userid: str | None
    code: str = ""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session is over. `code` permits one message about it, "" none."""

    code: str = ""


@dataclass(frozen=True, slots=True)
class SendingFailed:
    """A message of ours that the channel had accepted did not arrive. `code` is stored and explained by the channel."""

    msgid: str
    code: str
    window: WindowNews | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """Whoever wrote the message `msgid` took it back."""

    msgid: str


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """Something of the account itself, and of no conversation: who receives, a switch. Open screens read it again."""


ChannelEvent = Entered | ServicerTook | SessionEnded | SendingFailed | Recalled | AccountChanged


@dataclass(frozen=True, slots=True)
class Inbound:
    """One item, of the customer at `address`. `msgid` is the same whenever the item comes again.

    For `who` "event" `event` says what happened; None is a line of the conversation that changes nothing.
    """

    msgid: str
    address: str
    at: datetime
    who: Who
    msgtype: str
    text: str | None
    content: Mapping[str, Any]
    media_id: str | None = None
    """What the channel calls the file of the message, until it is fetched."""
    servicer_userid: str | None = None
    event: ChannelEvent | None = None


def tidied(items: Sequence[Inbound], now: datetime) -> list[Inbound]:
    """The items in their order, each msgid once, as they can be stored. A time in the future counts as now."""
    found: dict[str, Inbound] = {}
    for item in items:
        one = _tidied(item, now)
        found.setdefault(one.msgid, one)
    return list(found.values())


def summary(msgtype: str, text: str | None, content: Mapping[str, Any]) -> str:
    """What a list shows of a message: its text, or the title of what was sent. Empty where neither exists."""
    if text:
        return text
    for name in ("title", "name", "head_content", "product_titles"):
        value = content.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def storable(text: str) -> str:
    """PostgreSQL's texts can't hold U+0000, and one such character must not stop a page."""
    return text.replace("\0", "")


def _tidied(item: Inbound, now: datetime) -> Inbound:
    return replace(
        item,
        msgid=storable(item.msgid),
        address=storable(item.address),
        at=min(item.at, now),
        text=None if item.text is None else storable(item.text)[:MAX_TEXT_CHARACTERS],
        content=_without_zero_bytes(item.content),
        servicer_userid=storable(item.servicer_userid or "") or None,
    )


def _without_zero_bytes(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """PostgreSQL's jsonb can't hold U+0000."""
    dumped = orjson.dumps(value)
    if b"\\u0000" not in dumped:
        return value
    cleaned: dict[str, Any] = orjson.loads(_ZERO_BYTE.sub(rb"\1", dumped))
    return cleaned
