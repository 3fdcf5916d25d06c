"""Callbacks: verification, encryption, repeats, and the faults of the way."""

import asyncio

import pytest

from tests.modules.wechat_sandbox.shop import AES_KEY, TOKEN, Receiver, Sandbox, Shop, serving, until

SOON = {"callback_retry_delay_ms": 20}


async def test_a_customers_message_calls_back_with_token_and_account(shop: Shop, receiver: Receiver) -> None:
    await shop.writes()
    await until(lambda: bool(receiver.events))
    event = receiver.events[0]
    assert event["ToUserName"] == shop.corp_id
    assert (event["MsgType"], event["Event"], event["OpenKfId"]) == ("event", "kf_msg_or_event", shop.open_kfid)
    assert event["CreateTime"].isdecimal()
    assert event["Token"]


async def test_the_apps_own_sends_and_moves_call_nothing_back(shop: Shop, receiver: Receiver) -> None:
    await shop.writes()
    await until(lambda: len(receiver.events) == 1)
    await shop.send()
    await shop.move(4)
    await asyncio.sleep(0.1)
    assert len(receiver.events) == 1


async def test_an_account_that_the_app_does_not_manage_calls_nothing_back(
    shop: Shop, sandbox: Sandbox, receiver: Receiver
) -> None:
    await sandbox.patch(f"kf-accounts/{shop.open_kfid}", {"managed_by": []})
    await until(lambda: bool(receiver.named("kf_account_auth_change")))
    assert receiver.events[0]["AuthDelOpenKfId"] == shop.open_kfid
    await shop.writes()
    await asyncio.sleep(0.1)
    assert receiver.named("kf_msg_or_event") == []


# ---- saving the URL


async def test_a_url_that_does_not_echo_is_not_saved(shop: Shop, sandbox: Sandbox) -> None:
    taker = Receiver(echo=lambda plain: b'"' + plain + b'"')
    async with serving(taker) as address:
        saved = await shop.listen(taker, address)
        assert saved["ok"] is False
        assert "echostr" in saved["error"]
        taker.status = 403
        assert "403" in (await shop.listen(taker, address))["error"]
        taker.status, taker.delay_seconds = 200, 1.3
        assert "within 1 s" in (await shop.listen(taker, address))["error"]
    assert "could not be reached" in (await shop.listen(taker, address))["error"]
    (corp,) = (await sandbox.get("state"))["corps"]
    assert corp["apps"][0]["callback"] is None


async def test_a_saved_url_is_shown_with_its_keys(shop: Shop, sandbox: Sandbox, receiver: Receiver) -> None:
    (corp,) = (await sandbox.get("state"))["corps"]
    callback = corp["apps"][0]["callback"]
    assert (callback["token"], callback["encoding_aes_key"]) == (TOKEN, AES_KEY)
    assert callback["verified_at"] is not None


# ---- repeats


async def test_an_answer_other_than_200_is_repeated_three_times(
    shop: Shop, sandbox: Sandbox, receiver: Receiver
) -> None:
    await sandbox.faults(**SOON)
    receiver.status = 500
    await shop.writes()
    await until(lambda: receiver.requests == 4)
    await asyncio.sleep(0.1)
    assert receiver.requests == 4
    (logged,) = (await sandbox.get("callbacks"))["items"]
    assert (logged["state"], [one["status"] for one in logged["attempts"]]) == ("failed", [500] * 4)


async def test_repeating_on_other_answers_can_be_switched_off(shop: Shop, sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.faults(callback_retry_on_non_200=False, **SOON)
    receiver.status = 500
    await shop.writes()
    await until(lambda: receiver.requests == 1)
    await asyncio.sleep(0.1)
    assert receiver.requests == 1


async def test_a_slow_answer_counts_as_none_and_is_repeated(shop: Shop, sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.faults(callback_timeout_ms=50, **SOON)
    receiver.delay_seconds = 0.3
    await shop.writes()
    await until(lambda: receiver.requests == 2)
    receiver.delay_seconds = 0.0
    await until(lambda: receiver.requests >= 3)
    await asyncio.sleep(0.1)
    (logged,) = (await sandbox.get("callbacks"))["items"]
    assert logged["state"] == "delivered"
    assert "no answer within" in logged["attempts"][0]["error"]


async def test_a_server_that_is_down_is_tried_again(shop: Shop, sandbox: Sandbox) -> None:
    await sandbox.faults(**SOON)
    taker = Receiver()
    async with serving(taker) as address:
        assert (await shop.listen(taker, address))["ok"]
    await shop.writes()

    async def finished() -> bool:
        return bool((await sandbox.get("callbacks"))["items"][0]["state"] != "waiting")

    await until(finished)
    (logged,) = (await sandbox.get("callbacks"))["items"]
    assert logged["state"] == "failed"
    assert len(logged["attempts"]) == 4
    assert "ConnectError" in logged["attempts"][0]["error"]


# ---- faults of the way


async def test_lost_callbacks_are_logged_and_the_message_can_still_be_pulled(
    shop: Shop, sandbox: Sandbox, receiver: Receiver
) -> None:
    await sandbox.faults(callback_loss_probability=1.0)
    await shop.writes()
    await asyncio.sleep(0.1)
    assert receiver.requests == 0
    assert [one["state"] for one in (await sandbox.get("callbacks"))["items"]] == ["lost"]
    assert len(await shop.pull()) == 1


async def test_doubled_callbacks_come_twice(shop: Shop, sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.faults(callback_double_probability=1.0)
    await shop.writes()
    await until(lambda: len(receiver.events) == 2)
    assert receiver.events[0] == receiver.events[1]


async def test_delayed_callbacks_come_later(shop: Shop, sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.faults(callback_delay_ms=200)
    await shop.writes()
    await asyncio.sleep(0.1)
    assert receiver.requests == 0
    assert (await sandbox.get("callbacks"))["waiting"] == 1
    await until(lambda: receiver.requests == 1)


async def test_reordered_callbacks_are_overtaken(shop: Shop, sandbox: Sandbox, receiver: Receiver) -> None:
    await sandbox.faults(callback_reorder_probability=1.0, callback_reorder_hold_ms=200)
    await sandbox.patch(f"kf-accounts/{shop.open_kfid}", {"managed_by": []})
    await sandbox.faults()
    await sandbox.patch(f"kf-accounts/{shop.open_kfid}", {"managed_by": [shop.agentid]})
    await until(lambda: len(receiver.events) == 2)
    assert ["AuthAddOpenKfId" in one for one in receiver.events] == [True, False]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"url": "ftp://x", "token": "t", "encoding_aes_key": AES_KEY}, "url"),
        ({"url": "http://localhost:1", "token": "with space", "encoding_aes_key": AES_KEY}, "token"),
        ({"url": "http://localhost:1", "token": "t", "encoding_aes_key": "short"}, "encoding_aes_key"),
    ],
)
async def test_the_admin_page_checks_its_fields(
    shop: Shop, sandbox: Sandbox, config: dict[str, str], field: str
) -> None:
    answer = await sandbox.http.put(f"/sandbox/apps/{shop.agentid}/callback", json=config)
    assert answer.status_code == 422
    assert field in answer.text
