"""Inbound rules are pure: the same items in any pages come to the same conversation."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.modules.conversations.channels.inbound import Inbound, tidied
from huitouke.modules.conversations.channels.wecom_kf import WecomKf
from huitouke.modules.conversations.channels.wecom_kf_items import translated
from huitouke.modules.conversations.service.event_texts import EventText
from huitouke.modules.conversations.service.inbound_rules import ConversationState, Effects, Setting, apply
from huitouke.wechat.kf_messages import parse_items

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
RULES = WecomKf.rules
TEXTS: dict[EventText, str] = {"greeting": "您好", "closing": "再见", "taken": "我来了"}


def fresh(**changed: Any) -> ConversationState:
    """A conversation that has not begun."""
    blank: dict[str, Any] = dict.fromkeys(ConversationState.__slots__)
    blank |= {
        "id": UUID(int=1),
        "customer_id": UUID(int=2),
        "customer_address": "wm",
        "state": "closed",
        "handler": "assistant",
        "session_state": 4,
        "seq": 0,
        "state_seq": 0,
        "last_message_at": NOW - timedelta(days=1),
        "last_preview": "",
        "last_msgtype": "event",
        "last_sender": "system",
        "last_customer_seq": 0,
        "unread": 0,
        "window_left": 0,
    }
    return ConversationState(**{**blank, **changed})


def items(*entries: dict[str, Any]) -> list[Inbound]:
    return tidied(translated(parse_items(entries), NOW), NOW)


def text(msgid: str, minute: int = 0, *, origin: int = 3) -> dict[str, Any]:
    return {
        "msgid": msgid,
        "external_userid": "wm",
        "send_time": int((NOW - timedelta(hours=1) + timedelta(minutes=minute)).timestamp()),
        "origin": origin,
        "servicer_userid": "wang" if origin == 5 else "",
        "msgtype": "text",
        "text": {"content": msgid},
    }


def event(msgid: str, minute: int, event_type: str, **fields: Any) -> dict[str, Any]:
    entry = text(msgid, minute, origin=4)
    return {**entry, "msgtype": "event", "event": {"event_type": event_type, "external_userid": "wm", **fields}}


def applied(
    state: ConversationState, *pages: Sequence[Inbound], sent: Sequence[datetime | None] = (), assistant: bool = True
) -> Effects:
    out = Effects()
    for page in pages:
        apply(state, page, sent, Setting(RULES, assistant, TEXTS, NOW - timedelta(days=9), NOW, NOW), out)
    return out


def test_the_first_message_opens_and_the_window_is_five_messages_and_48_hours() -> None:
    state = fresh()
    out = applied(state, items(text("a")))

    assert (state.state, state.session_state, state.window_left, state.unread) == ("open", 0, 5, 1)
    assert state.window_expires_at == NOW - timedelta(hours=1) + timedelta(hours=48)
    assert [event.event_type for event in out.events] == ["conversations.message_received"]


def test_after_the_end_the_next_message_says_that_it_is_open_again() -> None:
    state = fresh(last_customer_message_at=NOW - timedelta(days=2))
    out = applied(state, items(text("a")))

    assert [event.event_type for event in out.events] == ["conversations.reopened", "conversations.message_received"]


@pytest.mark.parametrize(("sent_after_seconds", "left"), [((), 5), ((5, 9), 3), ((-5,), 5), ((0.4,), 5), ((None,), 4)])
def test_what_we_sent_after_the_message_counts_against_its_window(
    sent_after_seconds: tuple[float | None, ...], left: int
) -> None:
    wrote_at = NOW - timedelta(hours=1)
    sent = [None if s is None else wrote_at + timedelta(seconds=s) for s in sent_after_seconds]
    state = fresh()

    applied(state, items(text("a")), sent=sent)

    assert state.window_left == left


def test_numbers_are_given_once_and_the_last_is_the_conversations_own() -> None:
    state = fresh()
    out = applied(state, items(text("a"), text("b"), text("c")))

    assert [row.seq for row in out.messages] == [1, 2, 3]
    assert (state.seq, state.state_seq, state.last_customer_seq) == (4, 4, 3)


@pytest.mark.parametrize(("fail_type", "left", "over"), [(4, 5, True), (6, 0, False), (13, 5, False), (99, 5, False)])
def test_a_report_of_failure_teaches_about_the_window(fail_type: int, left: int, over: bool) -> None:
    state = fresh()
    out = applied(state, items(text("a"), event("e", 1, "msg_send_fail", fail_msgid="x", fail_type=fail_type)))

    assert state.window_left == left
    assert state.window_expires_at is not None
    assert (state.window_expires_at <= NOW) is over
    assert [failure.code for failure in out.failures] == [f"send_fail.{fail_type}"]


def test_a_time_in_the_future_counts_as_now() -> None:
    (item,) = items({**text("a"), "send_time": int((NOW + timedelta(days=3)).timestamp())})

    assert item.at == NOW


def test_a_page_never_fails_because_of_one_strange_item() -> None:
    found = items({"msgid": 7}, {"msgid": "b", "msgtype": "text"}, text("c"))

    assert [item.msgtype for item in found] == ["unknown", "unknown", "text"]


KINDS = [
    lambda n, m: text(f"m{n}", m),
    lambda n, m: text(f"s{n}", m, origin=5),
    lambda n, m: event(f"e{n}", m, "session_status_change", change_type=3, old_servicer_userid="wang"),
    lambda n, m: event(f"r{n}", m, "session_status_change", change_type=4, new_servicer_userid="wang"),
    lambda n, m: event(f"f{n}", m, "msg_send_fail", fail_msgid="x", fail_type=6),
    lambda n, m: event(f"u{n}", m, "user_recall_msg", recall_msgid="m0"),
]


@given(
    kinds=st.lists(st.tuples(st.integers(0, len(KINDS) - 1), st.integers(0, 30)), max_size=12),
    cuts=st.lists(st.integers(0, 12), max_size=4),
    assistant=st.booleans(),
)
def test_the_same_items_in_any_pages_come_to_the_same_conversation(
    kinds: list[tuple[int, int]], cuts: list[int], assistant: bool
) -> None:
    found = items(*(KINDS[kind](number, minute) for number, (kind, minute) in enumerate(kinds)))
    at_once, bit_by_bit = fresh(), fresh()
    bounds = sorted({0, len(found), *(cut for cut in cuts if cut <= len(found))})
    pages = [found[start:end] for start, end in itertools.pairwise(bounds)]

    one = applied(at_once, found, assistant=assistant)
    many = applied(bit_by_bit, *pages, assistant=assistant)

    def seen(state: ConversationState) -> dict[str, Any]:
        numbers = {"seq", "state_seq", "last_customer_seq", "handover_id", "changed_at"}
        return {name: value for name, value in asdict(state).items() if name not in numbers}

    assert seen(at_once) == seen(bit_by_bit)
    assert [row.external_msgid for row in one.messages] == [row.external_msgid for row in many.messages]
    assert [event.event_type for event in one.events] == [event.event_type for event in many.events]


def test_a_servicer_who_takes_a_session_from_the_pool_says_hello_within_48_hours() -> None:
    taken = event("s", 1, "session_status_change", change_type=1, new_servicer_userid="wang", msg_code="CODE")
    out = applied(fresh(), items(taken))

    (answer,) = out.answers
    assert (answer.message.text, answer.code) == ("我来了", "CODE")
    assert answer.expires_at == NOW - timedelta(minutes=59) + timedelta(hours=48)


def test_who_writes_right_after_the_end_may_have_written_into_it() -> None:
    ended = {"state": "closed", "last_customer_message_at": NOW - timedelta(hours=2)}
    at = NOW - timedelta(minutes=60)
    written = Inbound("a", "wm", NOW - timedelta(seconds=5), "customer", "text", "还有", {}, None, None, None)

    assert applied(fresh(**ended, closed_at=NOW - timedelta(seconds=10)), [written]).doubtful == [UUID(int=1)]
    assert applied(fresh(**ended, closed_at=NOW - timedelta(minutes=5)), [written]).doubtful == []
    assert applied(fresh(**ended, closed_at=at), items(text("a"))).doubtful == [], "an hour ago is history"
