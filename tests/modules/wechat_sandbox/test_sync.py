"""kf/sync_msg: cursors, three days, tokens, pages, what the payloads look like."""

import asyncio
from typing import Any

import pytest

from tests.modules.wechat_sandbox.shop import Receiver, Sandbox, Shop, until

DAY = 86_400


async def test_pages_follow_each_other_by_cursor_until_nothing_is_left(shop: Shop) -> None:
    for number in range(5):
        await shop.writes(f"第{number}条")
    texts, cursor, more = [], "", 1
    while more:
        answer = await shop.sync(cursor=cursor, limit=2)
        texts += [one["text"]["content"] for one in answer["msg_list"]]
        cursor, more = answer["next_cursor"], answer["has_more"]
    assert texts == [f"第{number}条" for number in range(5)]
    assert len(cursor) <= 64
    await shop.writes("新的")
    answer = await shop.sync(cursor=cursor)
    assert [one["text"]["content"] for one in answer["msg_list"]] == ["新的"]


async def test_an_item_says_who_and_when(shop: Shop) -> None:
    sent = await shop.writes("在吗")
    (item,) = await shop.pull()
    assert item == {
        "msgid": sent["msgid"],
        "open_kfid": shop.open_kfid,
        "external_userid": shop.customer,
        "send_time": int(sent["sent_at"]),
        "origin": 3,
        "msgtype": "text",
        "text": {"content": "在吗"},
    }


async def test_what_the_app_sent_is_not_returned(shop: Shop) -> None:
    await shop.writes()
    await shop.send()
    assert [one["origin"] for one in await shop.pull()] == [3]


async def test_only_the_last_three_days_are_returned_even_with_an_old_cursor(shop: Shop, sandbox: Sandbox) -> None:
    await shop.writes("旧的")
    cursor = (await shop.sync())["next_cursor"]
    await shop.writes("也旧")
    await sandbox.advance(3 * DAY + 60)
    await shop.writes("新的")
    for answer in (await shop.sync(), await shop.sync(cursor=cursor)):
        assert [one["text"]["content"] for one in answer["msg_list"]] == ["新的"]


async def test_a_cursor_of_another_account_is_refused(shop: Shop, sandbox: Sandbox) -> None:
    other = await sandbox.post("kf-accounts", {"name": "另一个"}, corp_id=shop.corp_id)
    await shop.writes()
    cursor = (await shop.sync())["next_cursor"]
    assert (await shop.sync(open_kfid=other["open_kfid"], cursor=cursor))["errcode"] == 40058
    assert (await shop.sync(cursor="not a cursor"))["errcode"] == 40058


async def test_pulling_without_a_token_is_limited_to_ten_a_minute(shop: Shop, sandbox: Sandbox) -> None:
    codes = [(await shop.sync())["errcode"] for _ in range(11)]
    assert codes == [0] * 10 + [45009]
    await sandbox.advance(61)
    assert (await shop.sync())["errcode"] == 0


async def test_the_callbacks_token_pulls_without_limit_for_ten_minutes(
    shop: Shop, sandbox: Sandbox, receiver: Receiver
) -> None:
    await shop.writes()
    await until(lambda: bool(receiver.named("kf_msg_or_event")))
    token = receiver.events[0]["Token"]
    assert len(token) <= 128
    assert {(await shop.sync(token=token))["errcode"] for _ in range(15)} == {0}
    other = await sandbox.post("kf-accounts", {"name": "另一个"}, corp_id=shop.corp_id)
    assert (await shop.sync(token=token, open_kfid=other["open_kfid"]))["errcode"] == 95007
    assert (await shop.sync(token="ENCforged"))["errcode"] == 95007
    await sandbox.advance(601)
    assert (await shop.sync(token=token))["errcode"] == 95007


async def test_an_empty_page_may_say_that_there_is_more(shop: Shop, sandbox: Sandbox) -> None:
    await shop.writes()
    await sandbox.faults(sync_empty_page_probability=1.0)
    answer = await shop.sync()
    assert (answer["msg_list"], answer["has_more"]) == ([], 1)
    await sandbox.faults()
    assert len((await shop.sync(cursor=answer["next_cursor"]))["msg_list"]) == 1


PAYLOADS: list[tuple[str, Any]] = [
    ("location", {"latitude": 31.2, "longitude": 121.4, "name": "小店", "address": "一号"}),
    ("link", {"title": "商品", "desc": "好看", "url": "https://example.com", "pic_url": ""}),
    ("business_card", {"userid": "lin"}),
    ("miniprogram", {"title": "小程序", "appid": "wx1", "pagepath": "p.html", "thumb_media_id": ""}),
    ("channels_shop_product", {"product_id": "1", "head_image": "", "title": "裙", "sales_price": "100",
                               "shop_nickname": "店", "shop_head_image": ""}),
    ("channels", {"sub_type": 1, "nickname": "号", "title": "题"}),
]  # fmt: skip


@pytest.mark.parametrize(("msgtype", "payload"), PAYLOADS)
async def test_the_phone_sends_every_kind(shop: Shop, sandbox: Sandbox, msgtype: str, payload: Any) -> None:
    path = f"customers/{shop.customer}/chats/{shop.open_kfid}/messages"
    await sandbox.post(path, {"msgtype": msgtype, msgtype: payload})
    (item,) = await shop.pull()
    assert (item["msgtype"], item[msgtype]) == (msgtype, payload)
    assert (await shop.chat())[0]["text"]


async def test_kinds_without_content_have_only_their_name(shop: Shop, sandbox: Sandbox) -> None:
    path = f"customers/{shop.customer}/chats/{shop.open_kfid}/messages"
    await sandbox.post(path, {"msgtype": "note"})
    (item,) = await shop.pull()
    assert item["msgtype"] == "note"
    assert "note" not in item
    assert await sandbox.refused(sandbox.post(path, {"msgtype": "text"})) == 422
    assert await sandbox.refused(sandbox.post(path, {"msgtype": "image", "image": {"media_id": "x"}})) == 404


async def test_a_recalled_message_is_told_about(shop: Shop, sandbox: Sandbox) -> None:
    sent = await shop.writes("写错了")
    path = f"customers/{shop.customer}/chats/{shop.open_kfid}/messages/{sent['msgid']}/recall"
    await sandbox.post(path)
    assert [one["recall_msgid"] for one in await shop.events("user_recall_msg")] == [sent["msgid"]]
    assert (await shop.chat())[0]["recalled"] is True
    late = await shop.writes("太晚了")
    await sandbox.advance(121)
    assert await sandbox.refused(sandbox.post(path.replace(sent["msgid"], late["msgid"]))) == 409


async def test_a_click_on_a_menu_sends_its_text_with_the_menus_id(shop: Shop, sandbox: Sandbox) -> None:
    await shop.writes()
    menu = {"head_content": "您想问", "list": [{"type": "click", "click": {"id": "size", "content": "尺码"}}]}
    sent = await shop.send(msgtype="msgmenu", msgmenu=menu)
    path = f"customers/{shop.customer}/chats/{shop.open_kfid}/menu-click"
    await sandbox.post(path, {"msgid": sent["msgid"], "id": "size"})
    assert (await shop.pull())[-1]["text"] == {"content": "尺码", "menu_id": "size"}
    assert await sandbox.refused(sandbox.post(path, {"msgid": sent["msgid"], "id": "none"})) == 404


async def test_the_contact_list_counts_what_is_unread(shop: Shop, sandbox: Sandbox) -> None:
    await shop.writes()
    await shop.send("一")
    await shop.send("二")
    (chat,) = await sandbox.get(f"customers/{shop.customer}/chats")
    assert (chat["unread"], chat["last_text"], chat["session_state"]) == (2, "二", 1)
    await sandbox.post(f"customers/{shop.customer}/chats/{shop.open_kfid}/read", {})
    (chat,) = await sandbox.get(f"customers/{shop.customer}/chats")
    assert chat["unread"] == 0


async def test_chat_pages_go_back_and_forward(shop: Shop, sandbox: Sandbox) -> None:
    for number in range(5):
        await shop.writes(str(number))
    path = f"customers/{shop.customer}/chats/{shop.open_kfid}/messages"
    newest = await sandbox.get(path, limit=2)
    assert ([one["text"] for one in newest["items"]], newest["has_more"]) == (["3", "4"], True)
    older = await sandbox.get(path, limit=5, before=newest["items"][0]["seq"])
    assert ([one["text"] for one in older["items"]], older["has_more"]) == (["0", "1", "2"], False)
    newer = await sandbox.get(path, limit=2, after=older["items"][0]["seq"])
    assert ([one["text"] for one in newer["items"]], newer["has_more"]) == (["1", "2"], True)


async def test_open_pages_hear_what_changed(shop: Shop, sandbox: Sandbox) -> None:
    async with sandbox.http.stream("GET", "/sandbox/stream", params={"customer": shop.customer}) as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == ": connected"
        await shop.writes()
        async with asyncio.timeout(30):
            heard = [line async for line in _take(lines, 2)]
    assert '"kind":"session"' in heard[0]
    assert '"kind":"message"' in heard[1]
    assert shop.customer in heard[1]


async def _take(lines: Any, count: int) -> Any:
    async for line in lines:
        if line.startswith("data: "):
            yield line
            count -= 1
        if not count:
            return
