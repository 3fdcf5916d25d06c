import pickle

import pytest

from huitouke.wechat.error_texts import ERRCODE_TEXTS, TRANSPORT_TEXTS
from huitouke.wechat.errors import (
    DuplicateMsgid,
    IpNotTrusted,
    KfSendRefused,
    NotPermitted,
    RateLimited,
    ServicerUnavailable,
    SyncTokenInvalid,
    TokenInvalid,
    TransientError,
    TransitionRefused,
    TransportReason,
    WecomError,
    WrongCorpId,
    WrongSecret,
    error_for,
    explain,
    explain_send_failure,
)
from huitouke.wechat.kf_messages import SendFailType


@pytest.mark.parametrize(
    ("errcode", "expected"),
    [
        (-1, TransientError),
        (45009, RateLimited),
        (45033, RateLimited),
        (40014, TokenInvalid),
        (42001, TokenInvalid),
        (40001, WrongSecret),
        (40091, WrongSecret),
        (40013, WrongCorpId),
        (60020, IpNotTrusted),
        (48002, NotPermitted),
        (48007, NotPermitted),
        (60030, NotPermitted),
        (95001, KfSendRefused),
        (95002, KfSendRefused),
        (95013, KfSendRefused),
        (95018, KfSendRefused),
        (95031, KfSendRefused),
        (95033, DuplicateMsgid),
        (95007, SyncTokenInvalid),
        (95016, TransitionRefused),
        (95014, ServicerUnavailable),
        (99999, WecomError),
    ],
)
def test_each_code_has_the_class_of_its_cure(errcode: int, expected: type[WecomError]) -> None:
    assert type(error_for(errcode, "whatever the text says", "kf/send_msg")) is expected


def test_the_text_of_the_answer_decides_nothing() -> None:
    error = error_for(40058, "invalid secret, not allow to access from your ip, from ip: 1.2.3.4", "gettoken")

    assert type(error) is WecomError


@pytest.mark.parametrize(
    ("errmsg", "ip"),
    [
        ("not allow to access from your ip, hint: [1600], from ip: 101.8.9.10, more info at https://x", "101.8.9.10"),
        ("not allow to access from your ip, from ip: 2408:4001:abc::1, more info at", "2408:4001:abc::1"),
        ("not allow to access from your ip, from ip: 8.8.8.8.", "8.8.8.8"),
        ("not allow to access from your ip", None),
    ],
)
def test_an_untrusted_address_is_told_so_that_it_can_be_entered(errmsg: str, ip: str | None) -> None:
    error = error_for(60020, errmsg, "gettoken")

    assert isinstance(error, IpNotTrusted)
    assert error.ip == ip
    assert ip is None or (ip in error.explain("zh-CN") and ip in error.explain("en"))


def test_a_rate_limit_says_how_long_to_wait() -> None:
    often, together = error_for(45009, "", "kf/sync_msg"), error_for(45033, "", "kf/sync_msg")

    assert isinstance(often, RateLimited)
    assert isinstance(together, RateLimited)
    assert often.retry_after_seconds == 60
    assert together.retry_after_seconds < 5


@pytest.mark.parametrize("code", [*ERRCODE_TEXTS, *TransportReason])
def test_every_sentence_exists_in_both_languages_and_ends(code: int | TransportReason) -> None:
    chinese, english = explain(code, "zh-CN"), explain(code, "en")

    assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
    assert chinese.endswith("。")
    assert english.endswith(".")
    assert len(chinese) < 80
    assert len(english) < 160


def test_every_reason_without_errcode_has_a_sentence() -> None:
    assert set(TRANSPORT_TEXTS) == {reason.value for reason in TransportReason}


def test_an_unknown_code_is_named() -> None:
    assert "98765" in explain(98765, "zh-CN")
    assert "98765" in explain(98765, "en-GB")


def test_an_error_survives_the_way_between_processes() -> None:
    error = error_for(95001, "limit", "kf/send_msg")

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is KfSendRefused
    assert (copy.errcode, str(copy)) == (95001, "kf/send_msg: 95001: limit")


def test_very_long_texts_of_the_other_side_are_cut() -> None:
    assert len(error_for(40058, "x" * 10_000, "p").errmsg) == 500


@pytest.mark.parametrize("fail_type", [*SendFailType, 77])
def test_every_reason_why_a_message_did_not_arrive_has_a_sentence(fail_type: int) -> None:
    assert explain_send_failure(fail_type, "zh-CN").endswith("。")
    assert explain_send_failure(fail_type, "en").endswith(".")
