"""What inbound items do to a conversation, as pure functions: rows out of rows, no database.

A page's items are applied in its order. Each customer message opens a new window, of as many messages and as much time
as the rules of the channel say (微信客服: five and 48 hours, path/94677); what left after it, or is to leave, counts,
so that late and repeated pages come to the same numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from huitouke.kernel.events import Event
from huitouke.kernel.ids import new_id
from huitouke.modules.conversations.channels import ChannelRules
from huitouke.modules.conversations.channels.inbound import (
    AccountChanged,
    Entered,
    Inbound,
    Recalled,
    SendingFailed,
    ServicerTook,
    SessionEnded,
    WindowNews,
    summary,
)
from huitouke.modules.conversations.events import (
    Closed,
    HandedBack,
    HandedOver,
    MessageReceived,
    MessageSent,
    Reopened,
    SessionEntered,
)
from huitouke.modules.conversations.service.event_texts import LIFETIME, EventText, left_out
from huitouke.modules.conversations.service.sending import preview

CLOCK_GRAIN: Final = timedelta(seconds=1)
"""Channels tell whole seconds: what we sent within the same second came before the message or after it."""

JUST_ENDED: Final = timedelta(minutes=2)
"""Who writes within this time after our end of a session may have written before it: the channel is asked."""

STILL_NEW: Final = timedelta(minutes=10)
"""Beyond this it is history that is only now taken in."""

NO_ASSISTANT: Final = "no_assistant"
"""Reason of a handover that nobody asked for: the account's assistant is off."""


@dataclass(slots=True)
class ConversationState:
    """The columns of a conversation that inbound items may change; same names as in the table."""

    id: UUID
    customer_id: UUID
    customer_address: str
    state: str
    handler: str
    staff_id: UUID | None
    servicer_userid: str | None
    session_state: int
    seq: int
    state_seq: int
    last_message_at: datetime
    last_preview: str
    last_msgtype: str
    last_sender: str
    last_customer_seq: int
    last_customer_message_at: datetime | None
    unread: int
    window_left: int
    window_expires_at: datetime | None
    handover_id: UUID | None
    handover_to: str | None
    handover_servicer: str | None
    handover_reason: str | None
    handover_summary: str | None
    handover_problem: str | None
    waiting_since: datetime | None
    closed_at: datetime | None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A row of `messages`."""

    id: UUID
    conversation_id: UUID
    seq: int
    changed_seq: int
    direction: str
    sender_kind: str
    sender_userid: str | None
    msgtype: str
    text: str | None
    content: str
    state: str
    external_msgid: str | None
    sent_at: datetime
    created_at: datetime
    ai: bool = False
    sender_id: UUID | None = None
    file_id: UUID | None = None
    failure_code: str | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """A file of a message that is still with the platform."""

    message_id: UUID
    conversation_id: UUID
    media_id: str
    msgtype: str


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """A text of the account to send for an event's code."""

    message: MessageRow
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """The channel could not deliver what it had accepted."""

    msgid: str
    code: str
    seq: int
    state: ConversationState


@dataclass(frozen=True, slots=True)
class Recall:
    """A message was taken back."""

    msgid: str
    at: datetime
    seq: int


@dataclass(slots=True)
class Effects:
    """All that a page does, to be written set by set."""

    messages: list[MessageRow] = field(default_factory=list)
    fetches: list[Fetch] = field(default_factory=list)
    answers: list[EventAnswer] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    recalls: list[Recall] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    handovers: list[UUID] = field(default_factory=list)
    """Handovers that began because the account has no assistant."""
    doubtful: list[UUID] = field(default_factory=list)
    """Conversations that opened again so soon that the channel may have ended the session after the message."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What of the account decides."""

    rules: ChannelRules
    assistant_enabled: bool
    texts: Mapping[EventText, str]
    """What the account says on events; kinds that are off are missing."""
    since: datetime
    """When the account was connected: nothing that is older was to be answered by us."""
    now: datetime
    arrived_at: datetime
    """When we heard that there is something."""


def apply(
    state: ConversationState, items: Sequence[Inbound], sent: Sequence[datetime | None], setting: Setting, out: Effects
) -> None:
    """Applies one conversation's items in order; `sent` is when what counts against the window left (None: not yet)."""
    for item in items:
        match item.who:
            case "customer":
                _customer_wrote(state, item, sent, setting, out)
            case "servicer":
                _servicer_wrote(state, item, setting, out)
            case "event":
                _happened(state, item, setting, out)
    state.seq += 1
    state.state_seq = state.seq
    state.changed_at = setting.now


def _customer_wrote(
    state: ConversationState, item: Inbound, sent: Sequence[datetime | None], setting: Setting, out: Effects
) -> None:
    if _ended_just_now(state, item.at, setting.now):
        out.doubtful.append(state.id)
    _session_may_be_over(state, item.at, setting)
    state.session_state = setting.rules.sessions.after_customer.get(state.session_state, state.session_state)
    if state.state == "closed":
        _open(state, item.at, setting, out)
    elif state.handler == "assistant" and not setting.assistant_enabled:  # it was switched off meanwhile
        _wait_for_a_person(state, item.at, out)
    row = _add(state, item, "in", "customer", "received", setting, out)
    state.unread += 1
    state.last_customer_seq = row.seq
    if state.last_customer_message_at is None or item.at >= state.last_customer_message_at:
        state.last_customer_message_at = item.at
        state.window_expires_at = item.at + setting.rules.window
        used = sum(left is None or left > item.at + CLOCK_GRAIN for left in sent)
        state.window_left = max(0, setting.rules.window_messages - used)
    out.events.append(
        MessageReceived(
            customer_id=state.customer_id,
            conversation_id=state.id,
            message_id=row.id,
            seq=row.seq,
            msgtype=row.msgtype,
            handler=state.handler,
            arrived_at=setting.arrived_at,
        )
    )


def _session_may_be_over(state: ConversationState, at: datetime, setting: Setting) -> None:
    """A session lasts as long as the window; nobody is told when it runs out (微信客服: 48 hours, path/94669)."""
    last = state.last_customer_message_at
    if state.handler == "servicer" and last is not None and at > last + setting.rules.window:
        _end_session(state, at, setting.rules)


def _ended_just_now(state: ConversationState, at: datetime, now: datetime) -> bool:
    """Whether the message may be older than the end of the session, which no callback tells of."""
    if state.state != "closed" or state.closed_at is None:
        return False
    return at < state.closed_at + JUST_ENDED and now < state.closed_at + STILL_NEW


def _open(state: ConversationState, at: datetime, setting: Setting, out: Effects) -> None:
    """The first message, or the first one after the end."""
    if state.last_customer_message_at is not None:
        out.events.append(Reopened(customer_id=state.customer_id, conversation_id=state.id))
    _no_handover(state)
    state.state, state.closed_at = "open", None
    state.staff_id = state.servicer_userid = None
    if setting.assistant_enabled:
        state.handler = "assistant"
    else:
        _wait_for_a_person(state, at, out)


def _wait_for_a_person(state: ConversationState, at: datetime, out: Effects) -> None:
    """The account has no assistant: the console's queue, with one card to people's WeCom."""
    state.handler = "agent"
    state.waiting_since, state.handover_id = at, new_id()
    state.handover_to, state.handover_reason = "console", NO_ASSISTANT
    out.handovers.append(state.handover_id)
    out.events.append(
        HandedOver(
            customer_id=state.customer_id,
            conversation_id=state.id,
            to="console",
            reason=NO_ASSISTANT,
            handover_id=state.handover_id,
        )
    )


def _servicer_wrote(state: ConversationState, item: Inbound, setting: Setting, out: Effects) -> None:
    """What a servicer writes in the channel's own app is shown, and says who has the session."""
    row = _add(state, item, "out", "servicer", "sent", setting, out)
    state.unread = 0
    if state.closed_at is None or item.at >= state.closed_at.replace(microsecond=0):
        _give_to_servicer(state, item.servicer_userid, setting.rules)
    out.events.append(
        MessageSent(
            customer_id=state.customer_id,
            conversation_id=state.id,
            message_id=row.id,
            seq=row.seq,
            msgtype=row.msgtype,
            sender_kind="servicer",
            ai=False,
        )
    )


def _happened(state: ConversationState, item: Inbound, setting: Setting, out: Effects) -> None:
    match item.event:
        case Entered(scene, scene_param, code):
            _event_line(state, item, "greeting", code, setting, out)
            out.events.append(
                SessionEntered(
                    customer_id=state.customer_id, conversation_id=state.id, scene=scene, scene_param=scene_param
                )
            )
            _answer_event(state, "greeting", code, item.at, setting, out)
        case ServicerTook(userid, code):
            _event_line(state, item, "taken", code, setting, out)
            _give_to_servicer(state, userid, setting.rules)
            _answer_event(state, "taken", code, item.at, setting, out)
        case SessionEnded(code):
            _event_line(state, item, "closing", code, setting, out)
            _end_session(state, item.at, setting.rules)
            out.events.append(HandedBack(customer_id=state.customer_id, conversation_id=state.id))
            out.events.append(Closed(customer_id=state.customer_id, conversation_id=state.id))
            _answer_event(state, "closing", code, item.at, setting, out)
        case SendingFailed(msgid, code, window):
            state.seq += 1
            _window_after_failure(state, window, setting)
            out.failures.append(Failure(msgid, code, state.seq, state))
        case Recalled(msgid):
            state.seq += 1
            out.recalls.append(Recall(msgid, item.at, state.seq))
        case None:
            _add(state, item, "in", "system", "received", setting, out, quiet=True)
        case AccountChanged():  # nothing of a conversation
            return


def _give_to_servicer(state: ConversationState, servicer_userid: str | None, rules: ChannelRules) -> None:
    state.state, state.handler = "open", "servicer"
    if rules.sessions.with_servicer is not None:
        state.session_state = rules.sessions.with_servicer
    state.staff_id = state.waiting_since = state.closed_at = state.handover_problem = None
    state.servicer_userid = servicer_userid or state.servicer_userid


def _end_session(state: ConversationState, at: datetime, rules: ChannelRules) -> None:
    """Over: the assistant has it again when the customer writes."""
    state.state, state.handler, state.session_state, state.closed_at = "closed", "assistant", rules.sessions.ended, at
    state.staff_id = state.servicer_userid = None
    _no_handover(state)


def _no_handover(state: ConversationState) -> None:
    state.handover_id = state.handover_to = state.handover_servicer = state.waiting_since = None
    state.handover_reason = state.handover_summary = state.handover_problem = None


def _window_after_failure(state: ConversationState, news: WindowNews | None, setting: Setting) -> None:
    """What a failure says about the window: over, used up, or the session ended."""
    sessions, now = setting.rules.sessions, setting.now
    match news:
        case "over":
            state.window_expires_at = now if state.window_expires_at is None else min(state.window_expires_at, now)
        case "used_up":
            state.window_left = 0
        case "session_ended":
            if state.session_state != sessions.with_servicer:
                state.session_state = sessions.ended
        case None:
            return


def _event_line(
    state: ConversationState, item: Inbound, kind: EventText, code: str, setting: Setting, out: Effects
) -> None:
    """The line of the event, which also says when the account's text for it came too late."""
    told_late = kind in setting.texts and code and item.at >= setting.since and _too_late(item.at, kind, setting)
    _add(
        state,
        replace(item, content={**item.content, **left_out(kind)}) if told_late else item,
        "in",
        "system",
        "received",
        setting,
        out,
        quiet=True,
    )


def _too_late(at: datetime, kind: EventText, setting: Setting) -> bool:
    return setting.now >= at + LIFETIME[kind]


def _answer_event(
    state: ConversationState, kind: EventText, code: str, at: datetime, setting: Setting, out: Effects
) -> None:
    """Queues the account's text for the code, unless it has none or the code is over."""
    text = setting.texts.get(kind)
    if not code or text is None or _too_late(at, kind, setting):
        return
    state.seq += 1
    row = MessageRow(
        id=new_id(),
        conversation_id=state.id,
        seq=state.seq,
        changed_seq=state.seq,
        direction="out",
        sender_kind="system",
        sender_userid=None,
        msgtype="text",
        text=text,
        content=_json({"on_event": kind}),
        state="queued",
        external_msgid=None,
        sent_at=setting.now,
        created_at=setting.now,
    )
    _becomes_last(state, row, preview(text))
    out.messages.append(row)
    out.answers.append(EventAnswer(row, code, at + LIFETIME[kind]))


def _add(
    state: ConversationState,
    item: Inbound,
    direction: str,
    sender_kind: str,
    message_state: str,
    setting: Setting,
    out: Effects,
    *,
    quiet: bool = False,
) -> MessageRow:
    """A new row with the next number; `quiet` ones don't become the list's last line."""
    state.seq += 1
    row = MessageRow(
        id=new_id(),
        conversation_id=state.id,
        seq=state.seq,
        changed_seq=state.seq,
        direction=direction,
        sender_kind=sender_kind,
        sender_userid=item.servicer_userid if sender_kind == "servicer" else None,
        msgtype=item.msgtype,
        text=item.text,
        content=_json(dict(item.content)),
        state=message_state,
        external_msgid=item.msgid,
        sent_at=item.at,
        created_at=setting.now,
    )
    out.messages.append(row)
    if item.media_id is not None:
        out.fetches.append(Fetch(row.id, state.id, item.media_id, item.msgtype))
    if not quiet:
        _becomes_last(state, row, preview(summary(item.msgtype, item.text, item.content)))
    return row


def _becomes_last(state: ConversationState, row: MessageRow, shown: str) -> None:
    """A late message doesn't push a newer one out of the list's last line."""
    if row.sent_at < state.last_message_at and state.last_customer_message_at is not None:
        return
    state.last_message_at = max(row.sent_at, state.last_message_at)
    state.last_preview, state.last_msgtype, state.last_sender = shown, row.msgtype, row.sender_kind


def _json(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()
