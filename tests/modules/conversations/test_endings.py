"""Ends, recalls and cards that go wrong: nobody is forgotten, whatever comes in whichever order."""

import asyncio
import itertools
from typing import Any

import pytest
from sqlalchemy import select

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.modules.conversations import queries
from huitouke.modules.conversations import service as conversations
from huitouke.modules.conversations.channels import AccountRef
from huitouke.modules.conversations.channels.wecom_kf import WecomKf
from huitouke.modules.conversations.models import EarlyRecall, HandoverNotice, Message
from huitouke.modules.conversations.reactions import sessions
from huitouke.modules.conversations.reactions.syncing import news, take_in
from huitouke.modules.conversations.service import problems
from huitouke.modules.conversations.service.account_checks import check_account
from huitouke.modules.conversations.service.accounts import reference
from tests.modules.conversations.desk import PATIENCE_SECONDS, Desk
from tests.modules.conversations.pages import customer_text, event, page, servicer_text
from tests.modules.conversations.test_handling import cards


async def test_a_recall_holds_in_whichever_order_and_pages_it_comes(desk: Desk) -> None:
    """All orders of two messages and their recalls, each cut into pages in all ways: 192 customers in four pages."""
    await desk.work()
    pages: list[list[dict[str, Any]]] = [[], [], [], []]
    orders = itertools.product(itertools.permutations(range(4)), itertools.product((0, 1), repeat=3))
    for number, (order, cuts) in enumerate(orders):
        who = f"wm-{number}"
        items = (
            customer_text(f"{who}-a", who, "说错了"),
            event(f"{who}-b", who, "user_recall_msg", recall_msgid=f"{who}-a"),
            servicer_text(f"{who}-c", who, "wang", "发错了"),
            event(f"{who}-d", who, "servicer_recall_msg", recall_msgid=f"{who}-c", servicer_userid="wang"),
        )
        place = 0
        for step, index in enumerate(order):
            place += cuts[step - 1] if step else 0
            pages[place].append(items[index])
    for number, entries in enumerate(pages):
        await page(desk, entries, f"c{number}")

    said = await desk.messages()
    assert len(said) == 2 * 192
    assert all(message.recalled_at is not None for message in said)
    async with transaction(desk.context) as ctx:
        assert (await ctx.session.scalars(select(EarlyRecall))).all() == []


async def test_a_recall_that_came_first_belongs_to_its_own_account_and_message(desk: Desk) -> None:
    await desk.work()
    await page(desk, [event("r", "wm-a", "user_recall_msg", recall_msgid="m1")], "c1")
    await page(desk, [customer_text("m2", "wm-a", "在吗"), customer_text("m1", "wm-b", "错了")], "c2")

    assert {message.external_msgid: message.recalled_at is not None for message in await desk.messages()} == {
        "m1": True,
        "m2": False,
    }


async def closes(desk: Desk) -> None:
    row = await desk.conversation()
    async with transaction(desk.owner.context) as ctx:
        await conversations.close(ctx, row.id)


async def wecom_told(desk: Desk, text: str) -> None:
    """The callback of the customer's words is here; a worker may have taken them in already."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await news(desk.context, reference(desk.account)):
            if any(message.text == text for message in await desk.messages()):
                return
            await asyncio.sleep(0.01)


def writes_during_the_end(desk: Desk, monkeypatch: pytest.MonkeyPatch, *, told: bool) -> None:
    """The customer writes at the last moment before WeCom ends the session; `told`: WeCom's callback is faster."""
    original = WecomKf.move_session

    async def move_session(self: WecomKf, *args: Any) -> str:
        await desk.shop.writes("还有一个问题")
        if told:
            await wecom_told(desk, "还有一个问题")
        return await original(self, *args)

    monkeypatch.setattr(WecomKf, "move_session", move_session)


@pytest.mark.parametrize("told", [True, False])
async def test_who_writes_while_the_session_ends_is_not_forgotten(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    await desk.customer_writes("有大一点的吗")
    if not told:
        await desk.shop.sandbox.faults(callback_delay_ms=700)
    writes_during_the_end(desk, monkeypatch, told=told)
    await closes(desk)

    async def waits() -> bool:
        row = await desk.conversation()
        return row.waiting_since is not None

    await desk.eventually(waits)
    row = await desk.conversation()
    assert await desk.shop.state() == 4, "the new words were ended with the session"
    assert (row.state, row.handler, row.session_state, row.handover_reason) == ("open", "assistant", 4, "session_ended")
    if told:
        await desk.work()
        assert "请随便再发一句" in (await desk.phone())[-1]["text"], "the one message that the end permits"
    async with transaction(desk.xiaoyu.context) as ctx:
        shown = await queries.conversation_page(
            ctx, view="waiting", sort="newest", channel_account_id=None, q=None, cursor=None, limit=10
        )
    assert [one.id for one in shown.items] == [row.id]

    monkeypatch.undo()
    await desk.shop.sandbox.faults()
    row = await desk.customer_writes("在吗")
    assert (row.state, row.session_state) == ("open", 0), "now it can be answered"


async def test_who_writes_before_the_session_is_ended_keeps_it(desk: Desk) -> None:
    await desk.customer_writes("有大一点的吗")
    await closes(desk)
    await desk.shop.writes("还有一个问题")
    await wecom_told(desk, "还有一个问题")
    await desk.work()

    row = await desk.conversation()
    assert (row.state, row.waiting_since) == ("open", None)
    assert await desk.shop.state() != 4


async def test_words_that_the_accounts_own_sync_took_in_just_before_the_end_keep_the_session(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    async def news_once_all_is_taken_in(context: Context, account: AccountRef) -> bool:
        if not written:
            written.append("还有一个问题")
            await desk.shop.writes(written[0])
            await wecom_told(desk, written[0])
            await take_in(context, account.external_id)
        return await news(context, account)

    monkeypatch.setattr(sessions, "news", news_once_all_is_taken_in)
    await desk.customer_writes("有大一点的吗")
    await closes(desk)
    await desk.work()

    assert written, "the end was tried"
    assert (await desk.conversation()).state == "open"
    assert await desk.shop.state() != 4


async def test_an_ended_session_whose_customer_was_answered_is_closed(desk: Desk) -> None:
    await desk.customer_writes("有大一点的吗")
    await desk.takes(desk.xiaoyu)
    await desk.says(desk.xiaoyu, "有的")
    await desk.work()
    await desk.shop.move(4)
    await desk.says(desk.xiaoyu, "还要吗")
    await desk.work()

    assert (await desk.conversation()).state == "closed"


async def test_an_ended_session_whose_customer_was_not_answered_stays_with_who_has_it(desk: Desk) -> None:
    await desk.customer_writes("有大一点的吗")
    await desk.takes(desk.xiaoyu)
    await desk.shop.move(4)
    await desk.says(desk.xiaoyu, "有的")
    await desk.work()

    row = await desk.conversation()
    assert (row.state, row.staff_id, row.session_state) == ("open", desk.xiaoyu.id, 4)


async def notice_problem(desk: Desk) -> Any:
    row = await desk.conversation()
    async with transaction(desk.xiaoyu.context) as ctx:
        return (await queries.conversation_detail(ctx, row.id)).notice_problem


async def send_again(desk: Desk) -> None:
    row = await desk.conversation()
    async with transaction(desk.xiaoyu.context) as ctx:
        await conversations.send_notice_again(ctx, row.id)
    await desk.work()


async def test_a_card_that_failed_is_shown_and_sent_again(desk: Desk) -> None:
    await desk.customer_writes("找人工")
    app = f"apps/{desk.shop.agentid}"
    await desk.shop.sandbox.patch(app, {"trusted_ips": ["10.1.2.3"]}, corp_id=desk.shop.corp_id)
    await desk.hands_over()
    await desk.work()

    shown = await notice_problem(desk)
    assert shown.state == "failed"
    assert "IP" in shown.sentence
    await desk.shop.sandbox.patch(app, {"trusted_ips": []}, corp_id=desk.shop.corp_id)
    (check,) = [one for one in await check_account(desk.context, desk.account.id) if one.name == "notice"]
    assert (check.state, "IP" in check.fix) == ("failed", True)

    await send_again(desk)

    assert await notice_problem(desk) is None
    assert len(await cards(desk, desk.aning)) == 1
    (check,) = [one for one in await check_account(desk.context, desk.account.id) if one.name == "notice"]
    assert check.state == "ok"
    with pytest.raises(problems.NothingToSendAgain):
        await send_again(desk)


async def test_a_card_of_which_nobody_knows_is_shown_until_somebody_takes_the_conversation(desk: Desk) -> None:
    row = await desk.customer_writes("找人工")
    row = await desk.hands_over()
    async with transaction(desk.context) as ctx:  # as if the process had died during the call
        ctx.session.add(
            HandoverNotice(
                handover_id=row.handover_id,
                conversation_id=row.id,
                wecom_app_id=desk.app_id,
                recipients=["lin"],
                state="sending",
                created_at=clock.now(),
            )
        )
    await desk.work()
    assert (await notice_problem(desk)).state == "unknown"

    await desk.takes(desk.xiaoyu)

    assert await notice_problem(desk) is None
    with pytest.raises(problems.NothingToSendAgain):
        await send_again(desk)


async def test_lines_of_what_ended_stand_in_the_thread(desk: Desk) -> None:
    await desk.customer_writes("有大一点的吗")
    await desk.takes(desk.xiaoyu)
    await desk.shop.move(4)
    await desk.says(desk.xiaoyu, "有的")
    await desk.work()

    lines: list[Message] = [one for one in await desk.messages(lines=True) if one.msgtype == "event"]
    assert [line.content["event_type"] for line in lines][-1] == "ended_on_customer"
