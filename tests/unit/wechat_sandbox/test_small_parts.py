"""Truncation, media, rates, transitions: rules without a server."""

import pytest

from wechat_sandbox.entities import STATE_ENDED
from wechat_sandbox.errors import ERRMSG, ApiError
from wechat_sandbox.kf.sessions import API_TRANSITIONS
from wechat_sandbox.media import amr_seconds, sniff
from wechat_sandbox.rates import Rates
from wechat_sandbox.wecom.calls import ENDPOINTS, truncate
from wechat_sandbox.wecom.dispatch import INVENTED


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [("abc", 2, "ab"), ("长长", 5, "长"), ("长长", 6, "长长"), ("👍", 3, ""), ("", 3, "")],
)
def test_texts_are_cut_between_characters(text: str, limit: int, expected: str) -> None:
    assert truncate(text, limit) == expected


def test_voices_are_as_long_as_their_frames() -> None:
    assert amr_seconds(b"#!AMR\n" + (b"\x3c" + b"\0" * 31) * 100) == pytest.approx(2.0)
    assert amr_seconds(b"#!AMR\n" + (b"\x04" + b"\0" * 12) * 50) == pytest.approx(1.0)


def test_content_is_told_by_its_first_bytes_not_by_its_name() -> None:
    assert sniff(b"<script>", "a.png") == "application/octet-stream"
    assert sniff(b"\xff\xd8\xff\xe0", "a.txt") == "image/jpeg"


def test_rates_count_within_the_window_only() -> None:
    rates = Rates()
    for at in (0.0, 10.0, 20.0):
        assert not rates.full(("k",), 3, 60, at)
        rates.count(("k",), 60, at)
    assert rates.full(("k",), 3, 60, 59.0)
    assert not rates.full(("k",), 3, 60, 61.0)
    assert not rates.full(("other",), 3, 60, 20.0)


def test_nothing_leads_out_of_an_ended_session_by_api() -> None:
    assert API_TRANSITIONS[STATE_ENDED] == frozenset()
    assert all(0 not in targets for targets in API_TRANSITIONS.values())


def test_every_refusal_has_a_text_in_the_real_form() -> None:
    for code in ERRMSG:
        body = ApiError(code).body("1.2.3.4", 1_700_000_000)
        assert body["errcode"] == code
        assert str(body["errmsg"]).endswith(
            f"from ip: 1.2.3.4, more info at https://open.work.weixin.qq.com/devtool/query?e={code}"
        )


def test_invented_paths_are_no_endpoints() -> None:
    assert not INVENTED.keys() & ENDPOINTS.keys()
