"""Items of a page in our words: whatever characters people send, a page must be storable."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from huitouke.modules.conversations.channels.inbound import (
    AccountChanged,
    ChannelEvent,
    Entered,
    Inbound,
    Recalled,
    SendingFailed,
    ServicerTook,
    SessionEnded,
    tidied,
)
from huitouke.modules.conversations.channels.wecom_kf_items import translated
from huitouke.wechat.kf_messages import parse_items

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def link(title: str) -> dict[str, Any]:
    return {
        "msgid": "m1",
        "open_kfid": "wk",
        "external_userid": "wm",
        "send_time": 1_700_000_000,
        "origin": 3,
        "msgtype": "link",
        "link": {"title": title, "url": "https://example.test/"},
    }


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("a\0b", "ab"),
        ("\0\0", ""),
        ("typed \\u0000", "typed \\u0000"),
        ("typed \\\\u0000 and\0 real", "typed \\\\u0000 and real"),
        ("\\\0", "\\"),
        ("👩‍👩‍👧‍👦\u202e", "👩‍👩‍👧‍👦\u202e"),
    ],
)
def test_null_characters_are_left_out_and_nothing_else(title: str, kept: str) -> None:
    (one,) = tidied(translated(parse_items([orjson.loads(orjson.dumps(link(title)))]), NOW), NOW)
    assert one.content["title"] == kept


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        (1_700_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (0, NOW),
        (-5, NOW),
        (10**11, NOW),
        (10**18, NOW),
        (10**30, NOW),
    ],
)
def test_a_time_beyond_every_calendar_does_not_hold_up_the_page(sent: int, at: datetime) -> None:
    (one,) = tidied(translated(parse_items([{**link("x"), "send_time": sent}]), NOW), NOW)
    assert one.at == at


def happened(event_type: str, **fields: Any) -> dict[str, Any]:
    event = {"event_type": event_type, "external_userid": "wm", **fields}
    return {"msgid": "e1", "send_time": 1_700_000_000, "origin": 4, "msgtype": "event", "event": event}


@pytest.mark.parametrize(
    ("entry", "event"),
    [
        (happened("enter_session", scene="poster", scene_param="p", welcome_code="W"), Entered("poster", "p", "W")),
        (
            happened("session_status_change", change_type=1, new_servicer_userid="wang", msg_code="C"),
            ServicerTook("wang", "C"),
        ),
        (
            happened("session_status_change", change_type=2, old_servicer_userid="li", new_servicer_userid="wang"),
            ServicerTook("wang"),
        ),
        (happened("session_status_change", change_type=4, old_servicer_userid="li"), ServicerTook("li")),
        (happened("session_status_change", change_type=3, msg_code="C"), SessionEnded("C")),
        (happened("session_status_change", change_type=9), None),
        (happened("msg_send_fail", fail_msgid="m", fail_type=4), SendingFailed("m", "send_fail.4", "over")),
        (happened("msg_send_fail", fail_msgid="m", fail_type=5), SendingFailed("m", "send_fail.5", "session_ended")),
        (happened("msg_send_fail", fail_msgid="m", fail_type=6), SendingFailed("m", "send_fail.6", "used_up")),
        (happened("msg_send_fail", fail_msgid="m", fail_type=99), SendingFailed("m", "send_fail.99")),
        (happened("user_recall_msg", recall_msgid="m"), Recalled("m")),
        (happened("servicer_recall_msg", recall_msgid="m", servicer_userid="wang"), Recalled("m")),
        (happened("servicer_status_change", servicer_userid="wang", status=1), AccountChanged()),
        (happened("reject_customer_msg_switch_change", servicer_userid="wang", reject_switch=1), AccountChanged()),
        (happened("something_new"), None),
    ],
)
def test_what_happened_in_the_words_of_all_channels(entry: dict[str, Any], event: ChannelEvent | None) -> None:
    (one,) = tidied(translated(parse_items([entry]), NOW), NOW)
    assert (one.who, one.address, one.event) == ("event", "wm", event) or (one.msgtype, one.event) == ("unknown", event)


def test_what_comes_twice_counts_once_and_a_time_ahead_is_now() -> None:
    first = Inbound("m\0", "wm", NOW + timedelta(days=1), "customer", "text", "你好\0", {})
    (one,) = tidied([first, first], NOW)
    assert (one.msgid, one.at, one.text) == ("m", NOW, "你好")
