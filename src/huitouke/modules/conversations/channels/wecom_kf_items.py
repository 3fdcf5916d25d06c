"""Items of `sync_msg` (path/94670) in the words of `inbound`."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from huitouke.modules.conversations.channels.inbound import (
    AccountChanged,
    ChannelEvent,
    Entered,
    Inbound,
    Recalled,
    SendingFailed,
    ServicerTook,
    SessionEnded,
    Who,
    WindowNews,
    storable,
)
from huitouke.wechat.kf_messages import (
    EnterSessionEvent,
    EventMessage,
    FileMessage,
    ImageMessage,
    KfEvent,
    MsgSendFailEvent,
    Origin,
    RejectSwitchEvent,
    SendFailType,
    ServicerRecallEvent,
    ServicerStatusEvent,
    SessionChange,
    SessionStatusEvent,
    SyncItem,
    TextMessage,
    UnknownMessage,
    UserRecallEvent,
    VideoMessage,
    VoiceMessage,
)

SEND_FAIL: Final = "send_fail."
"""Prefix of failure codes that come from the event msg_send_fail."""

NOT_FOR_SCREENS: Final = frozenset({"content", "media_id", "welcome_code", "msg_code", "open_kfid", "external_userid"})
"""What of a payload stands elsewhere already, or is a one-time code that only the sender needs."""

_WHO: Final[Mapping[int, Who]] = {Origin.CUSTOMER: "customer", Origin.SERVICER: "servicer"}
_WINDOW: Final[Mapping[int, WindowNews]] = {
    SendFailType.AFTER_48_HOURS: "over",
    SendFailType.MORE_THAN_FIVE: "used_up",
    SendFailType.SESSION_CLOSED: "session_ended",
}


def translated(items: Sequence[SyncItem], now: datetime) -> list[Inbound]:
    """The items in the order of the page; what has no readable time counts as now. Never raises because of one."""
    return [_translated(item, now) for item in items]


def _translated(item: SyncItem, now: datetime) -> Inbound:
    message = item.message
    past = 0 < message.send_time < now.timestamp()  # a number beyond every calendar is no date either
    return Inbound(
        msgid=storable(message.msgid) or _digest(item.raw),
        address=message.external_userid,
        at=datetime.fromtimestamp(message.send_time, UTC) if past else now,
        who="event" if isinstance(message, EventMessage) else _WHO.get(message.origin, "event"),
        msgtype="unknown" if isinstance(message, UnknownMessage) else message.msgtype,
        text=message.text.content if isinstance(message, TextMessage) else None,
        content=_content(item),
        media_id=_media_id(item),
        servicer_userid=message.servicer_userid or None,
        event=_event(message.event) if isinstance(message, EventMessage) else None,
    )


def _event(event: KfEvent) -> ChannelEvent | None:
    match event:
        case EnterSessionEvent():
            return Entered(event.scene, event.scene_param, event.welcome_code)
        case SessionStatusEvent(change_type=SessionChange.END):
            return SessionEnded(event.msg_code)
        case SessionStatusEvent(change_type=SessionChange.FROM_POOL | SessionChange.TRANSFER | SessionChange.REOPEN):
            return ServicerTook(event.new_servicer_userid or event.old_servicer_userid or None, event.msg_code)
        case SessionStatusEvent():  # a change that is newer than this code
            return None
        case MsgSendFailEvent():
            return SendingFailed(event.fail_msgid, f"{SEND_FAIL}{event.fail_type}", _WINDOW.get(event.fail_type))
        case UserRecallEvent() | ServicerRecallEvent():
            return Recalled(event.recall_msgid)
        case ServicerStatusEvent() | RejectSwitchEvent():
            return AccountChanged()


def _content(item: SyncItem) -> Mapping[str, Any]:
    """The payload under the msgtype's own name; for kinds newer than this code all that came."""
    if isinstance(item.message, UnknownMessage):
        return item.raw
    payload = item.raw.get(item.message.msgtype)
    if not isinstance(payload, Mapping):
        return {}
    return {name: value for name, value in payload.items() if name not in NOT_FOR_SCREENS}


def _media_id(item: SyncItem) -> str | None:
    match item.message:
        case ImageMessage(image=part) | VoiceMessage(voice=part) | VideoMessage(video=part) | FileMessage(file=part):
            return part.media_id
        case _:
            return None


def _digest(raw: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
