"""Items of `sync_msg` in our own words: who said or did what, when, in which conversation."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import orjson

from huitouke.wechat.kf_messages import (
    EventMessage,
    FileMessage,
    ImageMessage,
    KfEvent,
    Origin,
    SyncItem,
    TextMessage,
    UnknownMessage,
    VideoMessage,
    VoiceMessage,
)

Who = Literal["customer", "servicer", "event"]

MAX_TEXT_CHARACTERS: Final = 20_000

_ZERO_BYTE: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""The escape itself, and not a backslash that somebody typed before "u0000"."""


NOT_FOR_SCREENS: Final = frozenset({"content", "media_id", "welcome_code", "msg_code", "open_kfid", "external_userid"})
"""What of a payload stands elsewhere already, or is a one-time code that only the sender needs."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """One item. For `event`, `event` holds it; None where WeCom sent one that is newer than this code."""

    msgid: str
    address: str
    at: datetime
    who: Who
    msgtype: str
    text: str | None
    content: Mapping[str, Any]
    media_id: str | None
    servicer_userid: str | None
    event: KfEvent | None


def inbound(items: Sequence[SyncItem], now: datetime) -> list[Inbound]:
    """The items in the order of the page, each msgid once. A time in the future counts as now."""
    found: dict[str, Inbound] = {}
    for item in items:
        one = _inbound(item, now)
        found.setdefault(one.msgid, one)
    return list(found.values())


def _inbound(item: SyncItem, now: datetime) -> Inbound:
    message = item.message
    past = 0 < message.send_time < now.timestamp()  # a number beyond every calendar is no date either
    at = datetime.fromtimestamp(message.send_time, UTC) if past else now
    if isinstance(message, EventMessage):
        who: Who = "event"
    else:
        who = (
            "servicer"
            if message.origin == Origin.SERVICER
            else "customer"
            if message.origin == Origin.CUSTOMER
            else "event"
        )
    return Inbound(
        msgid=_storable(message.msgid) or _digest(item.raw),
        address=_storable(message.external_userid),
        at=at,
        who=who,
        msgtype="unknown" if isinstance(message, UnknownMessage) else message.msgtype,
        text=_storable(message.text.content)[:MAX_TEXT_CHARACTERS] if isinstance(message, TextMessage) else None,
        content=_content(item),
        media_id=_media_id(item),
        servicer_userid=_storable(message.servicer_userid) or None,
        event=message.event if isinstance(message, EventMessage) else None,
    )


def _content(item: SyncItem) -> Mapping[str, Any]:
    """The payload under the msgtype's own name; for kinds newer than this code all that came."""
    if isinstance(item.message, UnknownMessage):
        return _without_zero_bytes(dict(item.raw))
    payload = item.raw.get(item.message.msgtype)
    if not isinstance(payload, Mapping):
        return {}
    return _without_zero_bytes({name: value for name, value in payload.items() if name not in NOT_FOR_SCREENS})


def _storable(text: str) -> str:
    """PostgreSQL's texts can't hold U+0000, and one such character must not stop a page."""
    return text.replace("\0", "")


def _without_zero_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL's jsonb can't hold U+0000."""
    dumped = orjson.dumps(value)
    if b"\\u0000" not in dumped:
        return value
    cleaned: dict[str, Any] = orjson.loads(_ZERO_BYTE.sub(rb"\1", dumped))
    return cleaned


def _media_id(item: SyncItem) -> str | None:
    match item.message:
        case ImageMessage(image=part) | VoiceMessage(voice=part) | VideoMessage(video=part) | FileMessage(file=part):
            return part.media_id
        case _:
            return None


def _digest(raw: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def summary(msgtype: str, text: str | None, content: Mapping[str, Any]) -> str:
    """What a list shows of a message: its text, or the title of what was sent. Empty where neither exists."""
    if text:
        return text
    for name in ("title", "name", "head_content", "product_titles"):
        value = content.get(name)
        if isinstance(value, str) and value:
            return value
    return ""
