"""The account that is drawn up after a storm: it must see what it is there to see."""

from typing import Any, cast
from uuid import UUID

import pytest

from tests.chaos.account import agents_words, answers, inbound, outbound

A, B = UUID(int=1), UUID(int=2)


def row(kind: str, seq: int, **more: Any) -> Any:
    sender, direction = {
        "c": ("customer", "in"),
        "a": ("assistant", "out"),
        "p": ("agent", "out"),
        "s": ("servicer", "out"),
        "g": ("system", "out"),
        "e": ("system", "in"),
    }[kind]
    made = {
        "conversation_id": A,
        "handler": "assistant",
        "conversation_state": "open",
        "waiting_since": None,
        "event_type": None,
        "text": f"text {seq}",
        "failure_code": None,
        "id": UUID(int=seq),
        "seq": seq,
        "direction": direction,
        "sender_kind": sender,
        "msgtype": "text",
        "state": "received" if direction == "in" else "sent",
        "external_msgid": f"m{seq}" if direction == "in" else None,
        "client_id": None,
    }
    return made | more


def rows(kinds: str, **more: Any) -> list[Any]:
    return [row(kind, seq, **more) for seq, kind in enumerate(kinds, 1)]


@pytest.mark.parametrize("kinds", ["ca", "cca", "cacca", "cap", "cp", "cpca", "cs", "gca", "cga"])
def test_what_was_answered_once_is_well(kinds: str) -> None:
    assert answers("x", rows(kinds)) == []


@pytest.mark.parametrize(
    ("kinds", "word"), [("caa", "twice"), ("cacaa", "twice"), ("cac", "nobody"), ("c", "nobody"), ("cg", "nobody")]
)
def test_double_and_missing_answers_are_seen(kinds: str, word: str) -> None:
    (wrong,) = answers("x", rows(kinds))
    assert word in wrong


def test_a_person_who_was_called_or_saw_it_counts_as_an_answer() -> None:
    assert answers("x", rows("cac", handler="agent")) == []
    assert answers("x", rows("cac", waiting_since="since then")) == []
    assert answers("x", [row("c", 1), row("e", 2, msgtype="event", event_type="closed")]) == []
    assert answers("x", [row("c", 1), row("e", 2, msgtype="event", event_type="handed_back")]) != []


def test_a_failed_answer_is_none() -> None:
    assert answers("x", [row("c", 1), row("a", 2, state="failed")]) != []


@pytest.mark.parametrize(
    ("written", "wrong"),
    [(["m1", "m2"], False), (["m2", "m1"], True), (["m1"], True), (["m1", "m2", "m3"], True)],
    ids=["as written", "out of order", "one too many", "one too few"],
)
def test_what_came_in_is_held_against_what_was_written(written: list[str], wrong: bool) -> None:
    assert bool(inbound("x", rows("cc"), [{"msgid": msgid} for msgid in written], "customer")) is wrong


def test_doubled_messages_and_second_conversations_are_seen() -> None:
    twice = [row("c", 1), row("c", 2, external_msgid="m1")]
    assert inbound("x", twice, [{"msgid": "m1"}], "customer") != []
    split = [row("c", 1), row("c", 2, conversation_id=B)]
    assert inbound("x", split, [{"msgid": "m1"}, {"msgid": "m2"}], "customer") != []


def test_what_left_is_held_against_wecoms_book() -> None:
    ours = cast(Any, rows("ca"))
    booked = {"msgid": ours[1]["id"].hex, "text": "【AI】text 2"}
    assert outbound(ours, [booked]) == []
    assert outbound(ours, []) != []
    assert outbound(ours, [booked, booked]) != []
    assert outbound(ours, [booked, {"msgid": "f" * 32, "text": ""}]) != []
    assert outbound(ours, [booked | {"text": "other words"}]) != []
    assert outbound([row("a", 1, state="sending")], []) != []


@pytest.mark.parametrize("state", ["failed", "unknown"])
def test_what_did_not_leave_says_why(state: str) -> None:
    told = row("a", 1, state=state, failure_code="95018")
    assert outbound([told], []) == []
    assert outbound([told | {"failure_code": None}], []) != []
    assert bool(outbound([told], [{"msgid": told["id"].hex, "text": "text 1"}])) is (state == "failed")


def test_an_agents_words_are_there_once() -> None:
    said = row("p", 2, client_id="key")
    on_the_phone = {"msgid": "x", "text": "我来处理 key"}
    assert agents_words([said], ["key"], [on_the_phone]) == []
    assert agents_words([said, said], ["key"], [on_the_phone]) != []
    assert agents_words([said], ["key"], [on_the_phone, on_the_phone]) != []
    assert agents_words([], ["key"], []) != []
    assert agents_words([said], ["key"], []) != []
