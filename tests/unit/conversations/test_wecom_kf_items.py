"""Items of a page in our words: whatever characters people send, a page must be storable."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from huitouke.modules.conversations.channels.inbound import tidied
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
