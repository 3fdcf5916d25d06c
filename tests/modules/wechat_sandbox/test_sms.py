"""SMS: our client at the sandbox's provider, which checks the signature and answers with the provider's codes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx2
import pytest

from huitouke.sms import AliyunSms, Sms, SmsError
from tests.modules.wechat_sandbox.shop import Sandbox

KEY, SECRET = "LTAI-sandbox-key", "a-secret-of-the-sandbox"
CODE = Sms("+8613800138000", "拾光衣橱", "SMS_1", {"code": "123456"}, "our-id-1")
ACCOUNT = {
    "access_key_id": KEY,
    "access_key_secret": SECRET,
    "signs": {"拾光衣橱": "approved", "新签名": "pending"},
    "templates": {
        "SMS_1": {"text": "您的验证码是${code}，五分钟内有效。"},
        "SMS_2": {"text": "上新啦", "state": "rejected"},
    },
}


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False) as opened:
        yield opened


@pytest.fixture
async def aliyun(sandbox: Sandbox, http: httpx2.AsyncClient) -> AliyunSms:
    await sandbox.put("sms/account", ACCOUNT)
    return AliyunSms(http, KEY, SECRET, lambda: datetime.now(UTC), sandbox.address)


async def test_a_message_reaches_the_phone(sandbox: Sandbox, aliyun: AliyunSms) -> None:
    phone = "13900139001"
    biz_id = await aliyun.send(replace(CODE, phone=f"+86{phone}"))
    (message,) = await sandbox.get("sms/messages", phone=phone)
    assert message["text"] == "【拾光衣橱】您的验证码是123456，五分钟内有效。"
    assert (message["biz_id"], message["out_id"]) == (biz_id, "our-id-1")


@pytest.mark.parametrize(
    ("change", "code", "failure"),
    [
        ({"sign": "新签名"}, "isv.SMS_SIGNATURE_ILLEGAL", "account"),
        ({"template_code": "SMS_2"}, "isv.SMS_TEMPLATE_ILLEGAL", "account"),
        ({"template_code": "SMS_9"}, "isv.SMS_TEMPLATE_ILLEGAL", "account"),
        ({"phone": "+8612"}, "isv.MOBILE_NUMBER_ILLEGAL", "final"),
        ({"params": {}}, "isv.TEMPLATE_MISSING_PARAMETERS", "final"),
    ],
)
async def test_what_the_provider_refuses_says_whose_fault_it_is(
    aliyun: AliyunSms, change: dict[str, object], code: str, failure: str
) -> None:
    with pytest.raises(SmsError) as refused:
        await aliyun.send(replace(CODE, **change))  # type: ignore[arg-type]  # one field each
    assert (refused.value.code, refused.value.failure) == (code, failure)


async def test_no_credit_and_wrong_secrets_are_the_accounts_fault(
    sandbox: Sandbox, aliyun: AliyunSms, http: httpx2.AsyncClient
) -> None:
    await sandbox.put("sms/account", {**ACCOUNT, "credit": 0})
    wrong = AliyunSms(http, KEY, "another-secret", lambda: datetime.now(UTC), sandbox.address)
    unknown = AliyunSms(http, "no-such-key", SECRET, lambda: datetime.now(UTC), sandbox.address)
    for client, code in (
        (aliyun, "isv.AMOUNT_NOT_ENOUGH"),
        (wrong, "SignatureDoesNotMatch"),
        (unknown, "InvalidAccessKeyId.NotFound"),
    ):
        with pytest.raises(SmsError) as refused:
            await client.send(CODE)
        assert (refused.value.code, refused.value.failure) == (code, "account")


async def test_fifty_a_day_are_enough_for_one_phone(aliyun: AliyunSms) -> None:
    message = replace(CODE, phone="+8613900139002")
    for _ in range(50):
        await aliyun.send(message)
    with pytest.raises(SmsError) as refused:
        await aliyun.send(message)
    assert (refused.value.code, refused.value.failure) == ("isv.BUSINESS_LIMIT_CONTROL", "final")


async def test_an_answer_that_got_lost_may_have_been_sent_and_no_answer_was_not(
    sandbox: Sandbox, aliyun: AliyunSms, http: httpx2.AsyncClient
) -> None:
    await sandbox.faults(api_answer_lost_probability=1.0)
    with pytest.raises(SmsError) as lost:
        await aliyun.send(replace(CODE, phone="+8613900139003"))
    await sandbox.faults()
    assert (lost.value.code, lost.value.failure) == ("broken", "unknown")
    nobody = AliyunSms(http, KEY, SECRET, lambda: datetime.now(UTC), "http://127.0.0.1:1")
    with pytest.raises(SmsError) as refused:
        await nobody.send(CODE)
    assert (refused.value.code, refused.value.failure) == ("connect", "retry")


async def test_neither_number_nor_code_nor_secret_stand_in_the_log(
    aliyun: AliyunSms, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await aliyun.send(replace(CODE, phone="+8613900139004"))
    assert "SendSms" in caplog.text or "TemplateCode" in caplog.text
    for secret in ("13900139004", "123456", SECRET):
        assert secret not in caplog.text
    assert "13900139004" not in repr(replace(CODE, phone="+8613900139004"))
