"""SMS to customers: asked about when they leave, sent at most once, receipts and answers taken in once."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx2
import orjson
import pytest
from sqlalchemy import select, text

from huitouke.kernel import clock
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.settings import get_settings
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.service import problems, sms
from huitouke.modules.organization.sms_models import SmsMessage, SmsReplyRow
from tests.modules.conversations.desk import Desk
from tests.modules.wechat_sandbox.shop import Sandbox

SECRET = "a-secret-of-the-sms-account"
SIGN = "拾光衣橱"
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
async def shop(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """With an account at the sandbox's provider."""
    key = f"LTAI{new_id().hex[:12]}"
    account = {
        "access_key_id": key,
        "access_key_secret": SECRET,
        "signs": {SIGN: "approved"},
        "templates": {"SMS_1": {"text": "您的验证码是${code}。"}, "SMS_2": {"text": "上新啦，拒收请回复R"}},
    }
    await desk.shop.sandbox.put("sms/account", account)
    monkeypatch.setenv("HUITOUKE_SMS_BASE_URL", desk.shop.sandbox.address)
    get_settings.cache_clear()
    async with transaction(desk.context) as ctx:
        templates = {"code": "SMS_1", "offer": "SMS_2"}
        await sms.set_sms_account(ctx, key, Secret(SECRET), SIGN, templates)
    yield desk
    monkeypatch.undo()
    get_settings.cache_clear()


def number() -> str:
    return f"+861380{new_id().int % 10**7:07d}"


async def queued(desk: Desk, phone: str, **more: Any) -> UUID:
    wanted = {"template": "code", "params": {"code": "4711"}, "purpose": "transaction", **more}
    async with transaction(desk.context) as ctx:
        return await organization.queue_sms(ctx, phone=phone, **wanted)


async def message(desk: Desk, message_id: UUID) -> SmsMessage:
    async with transaction(desk.context) as ctx:
        row = await ctx.session.scalar(select(SmsMessage).where(SmsMessage.id == message_id))
    assert row is not None
    return row


async def on_phone(desk: Desk, phone: str) -> list[str]:
    return [one["text"] for one in await desk.shop.sandbox.get("sms/messages", phone=phone.removeprefix("+86"))]


async def test_a_message_reaches_the_phone_and_its_values_are_forgotten(shop: Desk) -> None:
    phone = number()
    sent = await queued(shop, phone)
    await shop.work()
    row = await message(shop, sent)
    assert (row.state, row.params, row.attempts) == ("sent", {}, 1)
    assert await on_phone(shop, phone) == [f"【{SIGN}】您的验证码是4711。"]


async def test_what_can_not_be_sent_is_refused_at_once(desk: Desk, shop: Desk) -> None:
    for wrong in ({"phone": "13800138000"}, {"template": "unknown"}, {"params": {"code": "x" * 201}}):
        with pytest.raises(InvalidInput):
            await queued(shop, **{"phone": number(), **wrong})
    async with transaction(shop.context) as ctx:
        await sms.remove_sms_account(ctx)
    with pytest.raises(problems.NoSmsAccount):
        await queued(shop, number())


async def test_who_answered_that_they_want_none_gets_no_more_offers(shop: Desk, running: tuple[Sandbox, str]) -> None:
    """Asked about when the message leaves; what was bought is still told."""
    phone, other = number(), number()
    await tell(shop, running[1], [answer_of(phone, "TD", 1), answer_of(other, "几点关门", 2)])
    await shop.work()
    now = clock.now().astimezone(ZONE)
    noon = now.replace(hour=12, minute=0, second=0) + timedelta(days=1)
    async with shop.later((noon - now).total_seconds()):
        offers = [await queued(shop, one, template="offer", params={}, purpose="marketing") for one in (phone, other)]
        await queued(shop, phone)
        await shop.work()
    refused, sent = [await message(shop, one) for one in offers]
    assert (refused.state, refused.error_code, sent.state) == ("refused", "refused_marketing", "sent")
    assert await on_phone(shop, phone) == ["【拾光衣橱】您的验证码是4711。"]


async def test_offers_wait_for_the_morning(shop: Desk) -> None:
    now = clock.now().astimezone(ZONE)
    night = now.replace(hour=22, minute=0, second=0) + timedelta(days=1)
    async with shop.later((night - now).total_seconds()):
        phone = number()
        sent = await queued(shop, phone, template="offer", params={}, purpose="marketing")
        await shop.work()
        row = await message(shop, sent)
        assert (row.state, await on_phone(shop, phone)) == ("queued", [])
        due = row.due_at.astimezone(ZONE)
        assert (due.hour, due.minute, due.date()) == (8, 0, night.date() + timedelta(days=1))
    async with shop.later((row.due_at - datetime.now(ZONE)).total_seconds() + 2):
        await shop.work()
    assert (await message(shop, sent)).state == "sent"


async def test_what_may_have_gone_out_is_not_repeated_and_its_receipt_tells(
    shop: Desk, running: tuple[Sandbox, str]
) -> None:
    await shop.shop.sandbox.faults(api_answer_lost_probability=1.0, api_paths=[])
    phone = number()
    sent = await queued(shop, phone)
    await shop.work()
    await shop.shop.sandbox.faults()
    async with shop.later(3600):
        await shop.work()
    assert ((await message(shop, sent)).state, len(await on_phone(shop, phone))) == ("unknown", 1)

    await tell(
        shop, running[1], [{"phone_number": phone[3:], "success": True, "err_code": "DELIVERED", "out_id": sent.hex}]
    )
    assert (await message(shop, sent)).state == "delivered"


async def test_a_kill_between_accepted_and_committed_sends_once(shop: Desk) -> None:
    phone = number()
    sent = await queued(shop, phone)
    async with transaction(shop.context) as ctx:
        leaving = await sms.begin(ctx, sent)
    assert leaving is not None
    await sms.sms_provider(leaving.access_key_id, leaving.secret).send(leaving.message)  # and here it is killed
    await shop.work()
    row = await message(shop, sent)
    assert (row.state, row.error_code, len(await on_phone(shop, phone))) == ("unknown", sms.INTERRUPTED, 1)


async def test_an_account_that_is_refused_says_so_and_nothing_is_repeated(shop: Desk) -> None:
    async with transaction(shop.context) as ctx:
        account = await sms.sms_account(ctx)
        assert account is not None
        await sms.set_sms_account(ctx, account.access_key_id, Secret("wrong-secret"), SIGN, account.templates)
    sent = await queued(shop, number())
    await shop.work()
    row = await message(shop, sent)
    async with transaction(shop.context) as ctx:
        account = await sms.sms_account(ctx)
    assert account is not None
    assert (row.state, row.error_code) == ("failed", "SignatureDoesNotMatch")
    assert (account.state, account.last_error_code) == ("failing", "SignatureDoesNotMatch")


async def test_an_answer_is_taken_in_once_and_its_event_holds_neither_number_nor_text(
    shop: Desk, running: tuple[Sandbox, str]
) -> None:
    phone = number()
    await tell(shop, running[1], [answer_of(phone, "R", 42)])
    await tell(shop, running[1], [answer_of(phone, "R", 42)])
    async with transaction(shop.context) as ctx:
        (row,) = (await ctx.session.scalars(select(SmsReplyRow))).all()
        (reply,) = await organization.sms_replies(ctx, [row.id])
        events = await ctx.session.scalars(
            text("SELECT payload::text FROM events WHERE tenant_id = :t AND type = 'organization.sms_replied'"),
            {"t": ctx.tenant_id},
        )
        payloads = list(events)
    assert (reply.phone, reply.text) == (phone, "R")
    assert len(payloads) == 1
    assert phone[3:] not in payloads[0]
    assert orjson.loads(payloads[0]) == {"reply_id": str(row.id)}


async def test_the_secret_stands_nowhere(shop: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    phone = number()
    await queued(shop, phone)
    await shop.work()
    async with transaction(shop.context) as ctx:
        rows = await ctx.session.scalars(text("SELECT row_to_json(a)::text FROM sms_accounts AS a"))
        assert SECRET not in "".join(rows)
    for hidden in (SECRET, phone[3:], "4711"):
        assert hidden not in caplog.text


def answer_of(phone: str, words: str, number: int) -> dict[str, Any]:
    return {"phone_number": phone[3:], "content": words, "send_time": "2026-11-22 12:00:00", "sequence_id": number}


async def tell(desk: Desk, address: str, entries: list[dict[str, Any]]) -> None:
    """As the provider does: it wants to read that it was understood."""
    async with transaction(desk.context) as ctx:
        account = await sms.sms_account(ctx)
        assert account is not None
        endpoint = await sms.endpoint(ctx, account)
    async with httpx2.AsyncClient(trust_env=False) as provider:
        answer = await provider.post(f"{address}/callbacks/sms/{endpoint.callback_id}", json=entries)
    assert (answer.status_code, answer.json()["code"]) == (200, 0)
    await desk.work()
