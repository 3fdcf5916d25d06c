"""message/send, recall and template cards at employees."""

from typing import Any

from tests.modules.wechat_sandbox.shop import Receiver, Sandbox, Shop, until


def card(task_id: str = "task-1", **more: Any) -> dict[str, Any]:
    return {
        "card_type": "button_interaction",
        "task_id": task_id,
        "main_title": {"title": "有顾客在等", "desc": "想退货"},
        "horizontal_content_list": [{"keyname": "顾客", "value": "阿明"}],
        "button_list": [{"text": "我来接", "key": "take"}, {"text": "稍后", "key": "later"}],
        **more,
    }


async def send(shop: Shop, msgtype: str, payload: Any, touser: str = "lin", **more: Any) -> dict[str, Any]:
    fields = {"touser": touser, "agentid": shop.agentid, "msgtype": msgtype, msgtype: payload, **more}
    return dict(await shop.call("message/send", **fields))


async def inbox(shop: Shop, userid: str = "lin") -> list[dict[str, Any]]:
    return list(await shop.sandbox.get(f"employees/{userid}/app-messages", corp_id=shop.corp_id))


async def test_texts_and_cards_reach_the_employees_named(shop: Shop) -> None:
    sent = await send(shop, "text", {"content": "有新消息"}, touser="LIN|Stranger")
    assert (sent["errcode"], sent["invaliduser"]) == (0, "stranger")
    await send(shop, "markdown", {"content": "**急**"}, touser="@all")
    await send(shop, "textcard", {"title": "题", "description": "述", "url": "https://example.com"})
    assert [one["text"] for one in await inbox(shop)] == ["题", "**急**", "有新消息"]
    assert [one["text"] for one in await inbox(shop, "wang")] == ["**急**"]


async def test_a_message_to_nobody_is_refused(shop: Shop) -> None:
    assert (await send(shop, "text", {"content": "x"}, touser="nobody"))["errcode"] == 81013
    assert (await send(shop, "text", {"content": ""}))["errcode"] == 44004
    assert (await send(shop, "text", {"content": "x"}, agentid=1))["errcode"] == 301002
    assert (await send(shop, "hologram", {}))["errcode"] == 40008


async def test_more_than_thirty_a_minute_vanish_without_a_word(shop: Shop, sandbox: Sandbox) -> None:
    codes = {(await send(shop, "text", {"content": str(number)}))["errcode"] for number in range(35)}
    assert codes == {0}
    assert len(await inbox(shop)) == 30
    await sandbox.advance(61)
    await send(shop, "text", {"content": "later"})
    assert len(await inbox(shop)) == 31


async def test_the_duplicate_check_keeps_the_same_message_from_coming_twice(shop: Shop, sandbox: Sandbox) -> None:
    first = await send(shop, "text", {"content": "一次"}, enable_duplicate_check=1)
    again = await send(shop, "text", {"content": "一次"}, enable_duplicate_check=1)
    assert first["msgid"] == again["msgid"]
    assert len(await inbox(shop)) == 1
    await sandbox.advance(1_801)
    await send(shop, "text", {"content": "一次"}, enable_duplicate_check=1)
    assert len(await inbox(shop)) == 2


async def test_a_message_is_recalled_within_a_day(shop: Shop, sandbox: Sandbox) -> None:
    sent = await send(shop, "text", {"content": "错了"})
    assert (await shop.call("message/recall", msgid=sent["msgid"]))["errcode"] == 0
    assert (await inbox(shop))[0]["recalled"] is True
    late = await send(shop, "text", {"content": "旧"})
    await sandbox.advance(86_401)
    assert (await shop.call("message/recall", msgid=late["msgid"]))["errcode"] == 42052


async def test_a_press_on_a_button_calls_the_app_which_may_replace_it_once(
    shop: Shop, sandbox: Sandbox, receiver: Receiver
) -> None:
    sent = await send(shop, "template_card", card(), touser="lin|wang")
    assert sent["response_code"]
    (shown,) = await inbox(shop)
    assert (shown["card"]["title"], [one["key"] for one in shown["card"]["buttons"]]) == (
        "有顾客在等",
        ["take", "later"],
    )
    await sandbox.post(f"employees/lin/app-messages/{shown['id']}/click", {"key": "take"}, corp_id=shop.corp_id)
    await until(lambda: bool(receiver.named("template_card_event")))
    event = receiver.named("template_card_event")[0]
    assert (event["FromUserName"], event["EventKey"], event["TaskId"]) == ("lin", "take", "task-1")
    assert (event["CardType"], event["AgentID"]) == ("button_interaction", str(shop.agentid))

    change = {"agentid": shop.agentid, "response_code": event["ResponseCode"], "button": {"replace_name": "林已接"}}
    done = await shop.call("message/update_template_card", userids=["lin", "wang"], **change)
    assert done["errcode"] == 0
    assert [(await inbox(shop, who))[0]["card"]["replaced_name"] for who in ("lin", "wang")] == ["林已接"] * 2
    assert (await shop.call("message/update_template_card", userids=["lin"], **change))["errcode"] == 40058
    again = sandbox.post(f"employees/wang/app-messages/{shown['id'] + 1}/click", {"key": "take"}, corp_id=shop.corp_id)
    assert await sandbox.refused(again) == 409


async def test_a_response_code_lives_72_hours(shop: Shop, sandbox: Sandbox) -> None:
    sent = await send(shop, "template_card", card())
    await sandbox.advance(72 * 3_600 + 1)
    change = {"agentid": shop.agentid, "response_code": sent["response_code"], "button": {"replace_name": "x"}}
    assert (await shop.call("message/update_template_card", userids=["lin"], **change))["errcode"] == 40058


async def test_cards_are_checked(shop: Shop, sandbox: Sandbox) -> None:
    assert (await send(shop, "template_card", card(card_type="poster")))["errcode"] == 40058
    assert (await send(shop, "template_card", card(task_id="")))["errcode"] == 40058
    assert (await send(shop, "template_card", card(button_list=[])))["errcode"] == 40058
    assert (await send(shop, "template_card", card()))["errcode"] == 0
    assert (await send(shop, "template_card", card()))["errcode"] == 40058, "a task id is used once"
    (shown,) = await inbox(shop)
    press = sandbox.post(f"employees/lin/app-messages/{shown['id']}/click", {"key": "none"}, corp_id=shop.corp_id)
    assert await sandbox.refused(press) == 404
