import logging
import traceback

import httpx2
import pytest

from huitouke.wechat.client import TRIES, Call, WecomClient, parse_answer, token_fetcher
from huitouke.wechat.errors import (
    IpNotTrusted,
    RateLimited,
    TokenInvalid,
    TransientError,
    TransportReason,
    UnexpectedAnswer,
    WecomError,
    WrongSecret,
)
from huitouke.wechat.tokens import MemoryTokenStore, TokenCentre
from tests.unit.wechat.support import BASE_URL, CREDENTIAL, MovableClock, ScriptedWecom, answer


@pytest.fixture
def wecom() -> ScriptedWecom:
    return ScriptedWecom()


async def test_a_call_carries_the_token_and_gives_the_answer(wecom: ScriptedWecom) -> None:
    wecom.script(answer(account_list=[]))

    given = await wecom.client().post("kf/account/list", {"offset": 0, "名": "汉"}, idempotent=True)

    assert given["account_list"] == []
    assert wecom.requests[0].url.path == "/cgi-bin/kf/account/list"
    assert wecom.token_of(0) == "token-1"
    assert wecom.body() == {"offset": 0, "名": "汉"}


@pytest.mark.parametrize("errcode", [40014, 42001])
async def test_a_refused_token_is_renewed_once_and_the_call_repeated_once(wecom: ScriptedWecom, errcode: int) -> None:
    wecom.script(answer(errcode, "invalid access_token"), answer(user="a"))

    assert (await wecom.client().post("kf/send_msg", {}, idempotent=False))["user"] == "a"
    assert [wecom.token_of(0), wecom.token_of(1)] == ["token-1", "token-2"]


async def test_a_token_refused_twice_is_an_error(wecom: ScriptedWecom) -> None:
    wecom.script(answer(40014, "invalid access_token"), answer(40014, "invalid access_token"))

    with pytest.raises(TokenInvalid):
        await wecom.client().get("agent/get")

    assert wecom.tokens_given == 2
    assert len(wecom.requests) == 2


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(answer(-1, "system busy"), id="-1"),
        pytest.param(httpx2.Response(502, content=b"<html>bad gateway</html>"), id="502"),
        pytest.param(httpx2.ReadTimeout("slow"), id="read time-out"),
        pytest.param(httpx2.ConnectError("refused"), id="no connection"),
        pytest.param(httpx2.RemoteProtocolError("closed"), id="connection closed"),
    ],
)
async def test_a_passing_fault_is_repeated_up_to_three_tries(
    wecom: ScriptedWecom, failure: httpx2.Response | Exception
) -> None:
    wecom.script(failure, failure, answer(ok=True))
    assert (await wecom.client().get("agent/get"))["ok"] is True
    assert len(wecom.slept) == 2
    assert wecom.slept[0] < wecom.slept[1] * 3

    wecom.script(failure, failure, failure)
    with pytest.raises(TransientError) as caught:
        await wecom.client().get("agent/get")
    assert caught.value.tries == TRIES
    assert not wecom.replies


@pytest.mark.parametrize(
    "failure", [httpx2.ReadTimeout("slow"), httpx2.WriteError("gone"), httpx2.Response(504, content=b"")]
)
async def test_a_call_that_may_have_happened_is_not_repeated_unless_it_is_idempotent(
    wecom: ScriptedWecom, failure: httpx2.Response | Exception
) -> None:
    wecom.script(failure)

    with pytest.raises(TransientError) as caught:
        await wecom.client().post("message/send", {}, idempotent=False)

    assert caught.value.may_have_happened
    assert len(wecom.requests) == 1


@pytest.mark.parametrize("failure", [httpx2.ConnectError("refused"), httpx2.ConnectTimeout("slow"), answer(-1)])
async def test_a_call_that_surely_did_not_happen_is_always_repeated(
    wecom: ScriptedWecom, failure: httpx2.Response | Exception
) -> None:
    wecom.script(failure, answer(msgid="m"))

    assert (await wecom.client().post("message/send", {}, idempotent=False))["msgid"] == "m"


async def test_a_rate_limit_is_not_repeated_but_says_when(wecom: ScriptedWecom) -> None:
    wecom.script(answer(45009, "api freq out of limit"))

    with pytest.raises(RateLimited) as caught:
        await wecom.client().get("agent/get")

    assert caught.value.retry_after_seconds > 0
    assert not wecom.slept


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (httpx2.Response(404, content=b"not found"), TransportReason.NOT_FOUND),
        (httpx2.Response(302, headers={"location": "https://login.proxy.test"}), TransportReason.NOT_JSON),
        (httpx2.Response(200, content=b"<html>captive portal</html>"), TransportReason.NOT_JSON),
        (httpx2.Response(200, content=b"[]"), TransportReason.NOT_JSON),
        (httpx2.Response(200, content=b'{"errcode": "x"}'), TransportReason.NOT_JSON),
    ],
)
async def test_an_answer_that_is_not_wecoms_is_said_so_and_not_repeated(
    wecom: ScriptedWecom, reply: httpx2.Response, reason: TransportReason
) -> None:
    wecom.script(reply)

    with pytest.raises(UnexpectedAnswer) as caught:
        await wecom.client().get("agent/get")

    assert caught.value.reason is reason
    assert caught.value.explain("en")


async def test_an_answer_beyond_the_limit_is_cut_off(wecom: ScriptedWecom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huitouke.wechat.client.ANSWER_LIMIT_BYTES", 1000)
    wecom.script(answer(padding="x" * 2000))

    with pytest.raises(UnexpectedAnswer) as caught:
        await wecom.client().get("agent/get")

    assert caught.value.reason is TransportReason.TOO_LARGE


async def test_only_the_errcode_decides_whatever_the_text_says(wecom: ScriptedWecom) -> None:
    wecom.script(answer(0, "Warning: wrong json format. invalid access_token", url="u"))

    assert (await wecom.client().get("agent/get"))["url"] == "u"


def wecom_that_refuses_gettoken(errcode: int, errmsg: str) -> WecomClient:
    clock = MovableClock()
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _request: answer(errcode, errmsg)))
    centre = TokenCentre(MemoryTokenStore(clock), token_fetcher(http, BASE_URL), clock)
    return WecomClient(http, centre, CREDENTIAL, BASE_URL)


async def test_a_wrong_secret_is_said_so() -> None:
    client = wecom_that_refuses_gettoken(40001, f"invalid credential {CREDENTIAL.secret}, hint: [1], from ip: 1.2.3.4")

    with pytest.raises(WrongSecret) as caught:
        await client.get("agent/get")

    assert "Secret" in caught.value.explain("zh-CN")
    assert CREDENTIAL.secret not in str(caught.value)
    assert CREDENTIAL.secret not in repr(caught.value)


async def test_an_untrusted_address_is_said_so() -> None:
    client = wecom_that_refuses_gettoken(60020, "not allow to access from your ip, hint: [1], from ip: 1.2.3.4, more")

    with pytest.raises(IpNotTrusted) as caught:
        await client.get("agent/get")

    assert caught.value.ip == "1.2.3.4"


async def test_gettoken_without_a_token_is_refused() -> None:
    client = wecom_that_refuses_gettoken(0, "ok")

    with pytest.raises(UnexpectedAnswer):
        await client.get("agent/get")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b'{"errcode":0,"text":"cut \\ud83d"}', "cut \ufffd"),
        (b'{"errcode":0,"text":"cut \\ude00 here"}', "cut \ufffd here"),
        (b'{"errcode":0,"text":"whole \\ud83d\\ude00 and cut \\ud83d"}', "whole \U0001f600 and cut \ufffd"),
        (b'{"errcode":0,"text":"\xe4\xbd"}', "\ufffd"),
    ],
)
def test_half_a_character_does_not_make_an_answer_unreadable(sent: bytes, read: str) -> None:
    assert parse_answer(Call("POST", "kf/sync_msg"), sent)["text"] == read


@pytest.mark.parametrize("sent", [b"", b"<html>", b"[" * 100_000, b"[]", b'{"a":', b"\xff\xfe"])
def test_what_is_no_json_object_is_said_so(sent: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_answer(Call("POST", "kf/sync_msg"), sent)


async def test_token_and_secret_reach_neither_logs_nor_exceptions(
    wecom: ScriptedWecom, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = wecom.client()
    url = f"{BASE_URL}/cgi-bin/agent/get?access_token=token-1"
    wecom.script(*[httpx2.ConnectError(f"can't reach {url}")] * TRIES)

    with pytest.raises(TransientError) as caught:
        await client.get("agent/get")
    wecom.script(answer(40058, f"token token-1 for {url}"))
    with pytest.raises(WecomError) as refused:
        await client.get("agent/get")

    printed = caplog.text + "".join(
        "".join(traceback.format_exception(error)) + repr(error) for error in (caught.value, refused.value)
    )
    assert "agent/get" in printed
    assert "corpsecret=***" in printed
    assert CREDENTIAL.secret not in printed
    assert "token-1" not in printed
    assert len(wecom.requests) == TRIES + 1
