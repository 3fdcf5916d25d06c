"""What customers write arrives once, in order, whatever the way does to it."""

import asyncio
import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from huitouke.kernel import clock
from huitouke.kernel.database import transaction
from huitouke.modules.conversations.channels.wecom_kf_items import translated
from huitouke.modules.conversations.models import ChannelAccount, Conversation, MediaDownload, Message
from huitouke.modules.conversations.reactions import sync
from huitouke.modules.conversations.service.receiving import StalePage, receive_page
from huitouke.modules.customers.tables import Customer
from huitouke.wechat.kf_messages import parse_items
from tests.modules.conversations.desk import Desk
from tests.modules.conversations.pages import customer_text, event, page


async def test_a_customers_message_opens_a_conversation(desk: Desk) -> None:
    row = await desk.customer_writes("有大一点的吗")

    assert (row.state, row.handler, row.unread) == ("open", "assistant", 1)
    assert (row.last_preview, row.last_sender) == ("有大一点的吗", "customer")
    assert row.window_left == 5
    (message,) = await desk.messages()
    assert (message.direction, message.sender_kind, message.text) == ("in", "customer", "有大一点的吗")


async def test_names_come_after_the_message_in_a_batch(desk: Desk) -> None:
    await desk.customer_writes()

    async def named() -> str | None:
        async with transaction(desk.context) as ctx:
            return await ctx.session.scalar(select(Customer.name))

    assert "的顾客" in (await desk.eventually(named) or "")


async def test_doubled_and_lost_callbacks_make_no_difference(desk: Desk) -> None:
    await desk.shop.sandbox.faults(callback_double_probability=1.0, callback_reorder_probability=0.5)
    for text in ("一", "二", "三"):
        await desk.shop.writes(text)

    async def all_three() -> bool:
        return len(await desk.messages()) == 3

    await desk.eventually(all_three)
    await asyncio.sleep(0.6)  # the held-back callbacks, which wake the puller once more
    await desk.work()
    assert [message.text for message in await desk.messages()] == ["一", "二", "三"]
    assert (await desk.conversation()).unread == 3


async def test_without_any_callback_the_minutes_pull_brings_messages(desk: Desk) -> None:
    await desk.work()
    await desk.shop.sandbox.faults(callback_loss_probability=1.0)
    await desk.shop.writes("听得到吗")
    async with desk.later(61):
        await desk.work()

    assert [message.text for message in await desk.messages()] == ["听得到吗"]


async def test_a_thousand_messages_after_an_outage_come_in_at_once(desk: Desk) -> None:
    await desk.work()
    entries = [customer_text(f"m{n}", f"wm-customer-{n % 100}", f"第 {n} 句") for n in range(1_000)]
    items = translated(parse_items(entries), clock.now())
    statements = 0

    async with transaction(desk.context) as ctx:
        raw = await (await ctx.session.connection()).get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None

        def count(record: Any) -> None:
            nonlocal statements
            # A fresh connection also asks for types, once; that is the driver's, not the page's.
            statements += "typeinfo_tree" not in record.query

        with driver.query_logger(count):
            fresh = await receive_page(ctx, desk.account.id, await cursor(desk), items, "c1")

    assert fresh == 1_000
    assert statements < 30, "a page is a fixed number of statements"
    async with transaction(desk.context) as ctx:
        assert await ctx.session.scalar(select(func.count(Message.id))) == 1_000
        rows = (await ctx.session.scalars(select(Conversation))).all()
        assert len(rows) == 100
        assert {row.unread for row in rows} == {10}
        assert {row.seq for row in rows} == {11}


async def test_the_same_page_twice_does_nothing_the_second_time(desk: Desk) -> None:
    await desk.work()
    items = [
        customer_text("m1", "wm-a", "你好"),
        customer_text("m1", "wm-a", "你好"),
        customer_text("m2", "wm-a", "在吗"),
    ]
    assert await page(desk, items, "c1") == 2
    before = await desk.conversation("wm-a")

    assert await page(desk, items, "c2") == 0

    after = await desk.conversation("wm-a")
    assert (after.seq, after.unread) == (before.seq, 2)


async def test_a_page_asked_for_with_an_old_cursor_is_thrown_away(desk: Desk) -> None:
    await desk.work()
    await page(desk, [customer_text("m1", "wm-a", "你好")], "c1")

    with pytest.raises(StalePage):
        async with transaction(desk.context) as ctx:
            await receive_page(ctx, desk.account.id, "an-older-one", (), "c2")


async def test_a_late_message_opens_no_new_window(desk: Desk) -> None:
    await desk.work()
    now = clock.now()
    await page(desk, [customer_text("m2", "wm-a", "新的", at=now)], "c1")
    first = await desk.conversation("wm-a")

    await page(desk, [customer_text("m1", "wm-a", "旧的", at=now - timedelta(hours=3))], "c2")

    row = await desk.conversation("wm-a")
    assert row.window_expires_at == first.window_expires_at
    assert (row.last_preview, row.unread) == ("新的", 2)


async def test_kinds_newer_than_this_code_are_kept_as_they_came(desk: Desk) -> None:
    await desk.work()
    strange = {**customer_text("m1", "wm-a", ""), "msgtype": "hologram", "hologram": {"depth": 3, "note": "a\u0000b"}}
    await page(desk, [strange], "c1")

    (message,) = await desk.messages()
    assert (message.msgtype, message.sender_kind) == ("unknown", "customer")
    assert message.content["hologram"] == {"depth": 3, "note": "ab"}


async def test_a_recalled_message_is_marked_in_place(desk: Desk) -> None:
    await desk.customer_writes("发错了")
    (message,) = await desk.messages()
    path = f"customers/{desk.shop.customer}/chats/{desk.shop.open_kfid}/messages/{message.external_msgid}/recall"
    await desk.shop.sandbox.post(path)

    async def recalled() -> bool:
        return (await desk.messages())[0].recalled_at is not None

    await desk.eventually(recalled)
    (after,) = await desk.messages()
    assert after.changed_seq > message.changed_seq
    assert after.text == "发错了"


async def test_a_picture_is_fetched_at_once_and_kept(desk: Desk) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(drawn, "PNG")
    http = desk.shop.sandbox.http
    media = (await http.post("/sandbox/media", files={"file": ("a.png", drawn.getvalue())})).json()
    path = f"customers/{desk.shop.customer}/chats/{desk.shop.open_kfid}/messages"
    await desk.shop.sandbox.post(path, {"msgtype": "image", "image": {"media_id": media["media_id"]}})

    async def stored() -> bool:
        return any(message.file_id for message in await desk.messages())

    await desk.eventually(stored)
    (message,) = await desk.messages()
    assert message.msgtype == "image"
    async with transaction(desk.context) as ctx:
        assert await ctx.session.scalar(select(MediaDownload.state)) == "stored"


async def test_a_picture_that_is_gone_says_so(desk: Desk) -> None:
    await desk.work()
    gone = {**customer_text("m1", "wm-a", ""), "msgtype": "image", "image": {"media_id": "no-such-media"}}
    del gone["text"]
    await page(desk, [gone], "c1")
    await desk.work()

    (message,) = await desk.messages()
    assert (message.file_id, message.failure_code) == (None, "40007")


async def test_entering_the_chat_is_greeted_within_twenty_seconds(desk: Desk) -> None:
    await desk.set_account(greeting="欢迎光临")
    await desk.shop.enters()

    async def greeted() -> bool:
        return any(message.state == "sent" for message in await desk.messages())

    await desk.eventually(greeted)
    assert [one["text"] for one in await desk.phone()] == ["欢迎光临"]
    row = await desk.conversation()
    assert (row.state, row.window_left) == ("closed", 0), "the customer has said nothing yet"
    assert [line.content["scene"] for line in await desk.messages(lines=True) if line.msgtype == "event"] == [""]


async def test_a_welcome_code_that_is_too_old_is_not_used(desk: Desk) -> None:
    await desk.set_account(greeting="欢迎光临")
    await desk.work()
    old = clock.now() - timedelta(seconds=30)
    await page(desk, [event("e1", "wm-a", "enter_session", at=old, welcome_code="CODE", scene="x")], "c1")

    assert await desk.messages() == []


async def test_without_an_assistant_a_customer_waits_for_a_person(desk: Desk) -> None:
    await desk.set_account(assistant_enabled=False)
    row = await desk.customer_writes()

    assert (row.handler, row.staff_id, row.handover_reason) == ("agent", None, "no_assistant")
    assert row.waiting_since is not None


async def test_switched_off_in_the_middle_the_assistant_leaves_nobody_waiting_in_vain(desk: Desk) -> None:
    await desk.customer_writes("在吗")
    await desk.set_account(assistant_enabled=False)

    row = await desk.customer_writes("怎么不理我")

    assert (row.handler, row.staff_id, row.handover_reason) == ("agent", None, "no_assistant")


async def test_characters_that_the_database_can_not_hold_do_not_stop_a_page(desk: Desk) -> None:
    await desk.work()
    await page(desk, [customer_text("m1", "wm-a", "你\0好"), customer_text("m2", "wm-a", "在吗")], "c1")

    assert [message.text for message in await desk.messages()] == ["你好", "在吗"]


async def test_while_wecom_is_down_nothing_is_lost_and_the_account_says_so(desk: Desk) -> None:
    await desk.customer_writes("一")
    await desk.shop.sandbox.faults(api_5xx_probability=1.0, api_paths=["kf/sync_msg"])
    await desk.shop.writes("二")
    async with desk.later(240):  # by hand: the fault strikes every tenant of the run
        await sync(desk.context, desk.shop.open_kfid)
    async with transaction(desk.context) as ctx:
        assert await ctx.session.scalar(select(ChannelAccount.last_error_code)) == "server_error"
    await desk.shop.sandbox.faults()
    async with desk.later(310):
        await desk.work()

    assert [message.text for message in await desk.messages()] == ["一", "二"]
    async with transaction(desk.context) as ctx:
        assert await ctx.session.scalar(select(ChannelAccount.state)) == "active"


async def test_a_pulled_account_with_a_changed_secret_says_what_is_wrong_and_recovers(desk: Desk) -> None:
    await desk.work()
    app = f"apps/{desk.shop.agentid}"
    await desk.shop.sandbox.patch(app, {"secret": "another-secret-of-the-app-1"}, corp_id=desk.shop.corp_id)
    await desk.shop.writes("在吗")

    async def failing() -> bool:
        async with transaction(desk.context) as ctx:
            row = await ctx.session.scalar(select(ChannelAccount))
            return row is not None and (row.state, row.last_error_code) == ("failing", "40001")

    await desk.eventually(failing)
    await desk.shop.sandbox.patch(app, {"secret": desk.shop.secret}, corp_id=desk.shop.corp_id)
    async with transaction(desk.context) as ctx:  # as if the minute were over
        await ctx.session.execute(update(ChannelAccount).values(last_synced_at=None))
    async with desk.later(61):
        await desk.work()
    assert [message.text for message in await desk.messages()] == ["在吗"]
    async with transaction(desk.context) as ctx:
        assert await ctx.session.scalar(select(ChannelAccount.state)) == "active"


async def test_a_cursor_that_wecom_no_longer_knows_is_given_up_without_loss_or_doubles(desk: Desk) -> None:
    await desk.customer_writes("一")
    async with transaction(desk.context) as ctx:
        await ctx.session.execute(update(ChannelAccount).values(sync_cursor="nobody-knows-this"))

    await desk.customer_writes("二")

    assert [message.text for message in await desk.messages()] == ["一", "二"]


async def test_a_token_that_died_is_renewed_by_itself(desk: Desk) -> None:
    await desk.customer_writes("一")
    await desk.shop.sandbox.post("faults/expire-tokens", corp_id=desk.shop.corp_id)

    await desk.customer_writes("二")

    assert [message.text for message in await desk.messages()] == ["一", "二"]


async def cursor(desk: Desk) -> str | None:
    async with transaction(desk.context) as ctx:
        return await ctx.session.scalar(select(ChannelAccount.sync_cursor))
