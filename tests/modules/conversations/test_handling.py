"""One of three handles a conversation: the assistant, an agent in the console, a servicer in the WeCom app."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.modules.conversations import queries
from huitouke.modules.conversations import service as conversations
from huitouke.modules.conversations.models import Conversation, HandoverNotice
from huitouke.modules.conversations.service import problems
from huitouke.modules.conversations.service.delivery import pending
from tests.modules.conversations.desk import Desk, Person
from tests.modules.conversations.pages import event, page, servicer_text


async def cards(desk: Desk, person: Person) -> list[dict[str, Any]]:
    """The app messages in a person's WeCom."""
    found = await desk.shop.sandbox.get(f"employees/{person.userid}/app-messages", corp_id=desk.shop.corp_id)
    return list(found["items"] if isinstance(found, dict) else found)


async def test_of_two_agents_at_once_one_wins_and_the_other_learns_the_name(desk: Desk) -> None:
    await desk.customer_writes()
    await desk.hands_over()

    results = await asyncio.gather(desk.takes(desk.xiaoyu), desk.takes(desk.aning), return_exceptions=True)

    (lost,) = [result for result in results if isinstance(result, problems.AlreadyTaken)]
    row = await desk.conversation()
    winner = desk.xiaoyu if row.staff_id == desk.xiaoyu.id else desk.aning
    assert lost.params == {"name": winner.name, "staff_id": str(winner.id)}


async def test_taking_what_one_has_already_changes_nothing(desk: Desk) -> None:
    await desk.customer_writes()
    first = await desk.takes(desk.xiaoyu)

    assert (await desk.takes(desk.xiaoyu)).seq == first.seq


async def test_a_handover_waits_in_the_console_and_rings_once_in_everybodys_wecom(desk: Desk) -> None:
    await desk.customer_writes("我要投诉，找人工")
    row = await desk.hands_over()
    await desk.hands_over()
    await desk.customer_writes("人呢")
    await desk.work()

    assert (row.handler, row.staff_id, row.handover_reason) == ("agent", None, "asked_for_person")
    for person in (desk.xiaoyu, desk.aning):
        (card,) = await cards(desk, person)
        assert [button["text"] for button in card["card"]["buttons"]] == ["我来回"]
        assert card["card"]["url"].endswith(f"/conversations/{row.id}")


async def test_a_click_on_the_card_takes_the_conversation_and_the_card_says_who(desk: Desk) -> None:
    await desk.customer_writes("找人工")
    await desk.hands_over()
    await desk.work()
    (card,) = await cards(desk, desk.aning)

    path = f"employees/{desk.aning.userid}/app-messages/{card['id']}/click"
    await desk.shop.sandbox.post(path, {"key": "take"}, corp_id=desk.shop.corp_id)

    async def taken() -> bool:
        (shown,) = await cards(desk, desk.xiaoyu)
        return bool(shown["card"]["replaced_name"])

    await desk.eventually(taken)
    assert (await desk.conversation()).staff_id == desk.aning.id
    for person in (desk.xiaoyu, desk.aning):
        (shown,) = await cards(desk, person)
        assert shown["card"]["replaced_name"] == "阿宁 已接待"


async def test_taken_in_the_console_the_card_says_so_too(desk: Desk) -> None:
    await desk.customer_writes("找人工")
    await desk.hands_over()
    await desk.work()
    await desk.takes(desk.xiaoyu)
    await desk.work()

    (shown,) = await cards(desk, desk.aning)
    assert shown["card"]["replaced_name"] == "小雨 已接待"


async def test_closed_while_it_waited_the_card_asks_nobody_any_more(desk: Desk) -> None:
    row = await desk.customer_writes("找人工")
    await desk.hands_over()
    await desk.work()
    async with transaction(desk.xiaoyu.context) as ctx:
        await conversations.close(ctx, row.id)
    await desk.work()

    (shown,) = await cards(desk, desk.aning)
    assert shown["card"]["replaced_name"]


async def test_each_handover_rings_anew(desk: Desk) -> None:
    row = await desk.customer_writes("找人工")
    for _ in range(2):
        await desk.hands_over()
        await desk.work()
        await desk.takes(desk.xiaoyu)
        async with transaction(desk.xiaoyu.context) as ctx:
            await conversations.hand_back(ctx, row.id)
        await desk.work()

    assert len(await cards(desk, desk.aning)) == 2


async def test_the_assistant_asks_the_staff_once_and_goes_on_serving(desk: Desk) -> None:
    await desk.customer_writes("可以带宠物进店吗")
    asked = [await desk.asks_staff() for _ in range(2)]
    await desk.work()

    row = await desk.conversation()
    assert [one is not None for one in asked] == [True, False]
    assert (row.handler, row.staff_id, row.handover_reason) == ("assistant", None, "not_in_knowledge")
    assert row.waiting_since is not None
    (card,) = await cards(desk, desk.aning)
    assert [button["text"] for button in card["card"]["buttons"]] == ["我来回"]


async def test_a_question_to_the_staff_stands_among_what_waits_until_somebody_takes_it(desk: Desk) -> None:
    await desk.customer_writes("可以带宠物进店吗")
    await desk.asks_staff()
    await desk.work()
    async with transaction(desk.xiaoyu.context) as ctx:
        before = await queries.counts(ctx)
    await desk.takes(desk.xiaoyu)
    await desk.work()
    async with transaction(desk.xiaoyu.context) as ctx:
        after = await queries.counts(ctx)

    assert (before.waiting, before.assistant, after.waiting, after.mine) == (1, 1, 0, 1)
    (shown,) = await cards(desk, desk.aning)
    assert shown["card"]["replaced_name"] == "小雨 已接待"


async def test_a_handover_after_a_question_settles_the_questions_card(desk: Desk) -> None:
    await desk.customer_writes("可以带宠物进店吗")
    await desk.asks_staff()
    await desk.work()
    await desk.hands_over()
    await desk.work()

    shown = await cards(desk, desk.aning)
    assert sorted(bool(card["card"]["replaced_name"]) for card in shown) == [False, True]


async def test_a_card_that_wecom_may_have_sent_is_not_sent_again(desk: Desk) -> None:
    await desk.customer_writes("找人工")
    row = await desk.hands_over()
    async with transaction(desk.context) as ctx:  # as if the process had died during the call
        ctx.session.add(
            HandoverNotice(
                handover_id=row.handover_id,
                conversation_id=row.id,
                wecom_app_id=desk.app_id,
                recipients=["lin"],
                state="sending",
                created_at=row.created_at,
            )
        )
    await desk.work()

    assert await cards(desk, desk.xiaoyu) == []
    async with transaction(desk.context) as ctx:
        assert await ctx.session.scalar(select(HandoverNotice.state)) == "unknown"


async def test_handed_back_the_assistant_has_it_awake(desk: Desk) -> None:
    row = await desk.customer_writes()
    async with transaction(desk.xiaoyu.context) as ctx:
        await conversations.pause_assistant(ctx, row.id, conversations.paused_until(None, True))
    await desk.takes(desk.xiaoyu)

    async with transaction(desk.xiaoyu.context) as ctx:
        row = await conversations.hand_back(ctx, row.id)

    assert (row.handler, row.staff_id, row.assistant_paused_until, row.handover_id) == ("assistant", None, None, None)
    with pytest.raises(problems.WithAssistant):
        async with transaction(desk.xiaoyu.context) as ctx:
            await conversations.hand_back(ctx, row.id)


async def test_a_colleagues_conversation_is_moved_only_by_who_may_manage(desk: Desk) -> None:
    row = await desk.customer_writes()
    await desk.takes(desk.aning)

    with pytest.raises(problems.AlreadyTaken):
        async with transaction(desk.xiaoyu.context) as ctx:
            await conversations.hand_back(ctx, row.id)
    async with transaction(desk.owner.context) as ctx:
        assert (await conversations.hand_back(ctx, row.id)).handler == "assistant"


async def test_closed_the_session_ends_and_the_next_message_opens_it_again(desk: Desk) -> None:
    row = await desk.customer_writes()
    await desk.takes(desk.xiaoyu)
    await desk.says(desk.xiaoyu, "再见")
    async with transaction(desk.xiaoyu.context) as ctx:
        await conversations.close(ctx, row.id)
    await desk.work()

    assert await desk.shop.state() == 4
    assert [one["text"] for one in await desk.phone()] == ["有大一点的吗", "再见"], "sent before the session ended"
    with pytest.raises(problems.ConversationClosed):
        await desk.says(desk.xiaoyu, "还有")

    row = await desk.customer_writes("还有一个问题")
    assert (row.state, row.handler, row.staff_id, row.session_state) == ("open", "assistant", None, 0)


async def test_handed_to_wecom_a_servicer_answers_there_and_nobody_here(desk: Desk) -> None:
    await desk.shop.serves("wang")
    row = await desk.customer_writes("找人工")
    await desk.hands_over("wecom")
    await desk.work()

    row = await desk.conversation()
    assert (row.handler, row.servicer_userid, row.session_state) == ("servicer", "wang", 3)
    assert await desk.shop.state() == 3
    with pytest.raises(problems.WithServicer):
        await desk.says(desk.xiaoyu, "我也来")
    with pytest.raises(problems.WithServicer):
        await desk.takes(desk.xiaoyu)

    path = desk.shop.desk("messages", "wang")
    await desk.shop.sandbox.post(path, {"msgtype": "text", "text": {"content": "我来帮您"}})

    async def shown() -> bool:
        return any(message.sender_kind == "servicer" for message in await desk.messages())

    await desk.eventually(shown)
    said = (await desk.messages())[-1]
    assert (said.text, said.direction, said.sender_userid) == ("我来帮您", "out", "wang")


async def test_who_takes_it_while_the_last_words_are_leaving_keeps_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def taken_meanwhile(ctx: Context, conversation_id: UUID) -> bool:
        await desk.takes(desk.xiaoyu)
        return await pending(ctx, conversation_id)

    monkeypatch.setattr("huitouke.modules.conversations.reactions.sessions.pending", taken_meanwhile)
    await desk.shop.serves("wang")
    await desk.customer_writes("找人工")
    await desk.hands_over("wecom")
    await desk.work()

    row = await desk.conversation()
    assert (row.handler, row.staff_id) == ("agent", desk.xiaoyu.id)
    assert await desk.shop.state() != 3


async def test_when_the_servicer_ends_the_session_the_assistant_has_it_again(desk: Desk) -> None:
    await desk.shop.serves("wang")
    await desk.customer_writes("找人工")
    await desk.hands_over("wecom")
    await desk.work()
    await desk.shop.sandbox.post(desk.shop.desk("end", "wang"))

    async def ended() -> bool:
        return (await desk.conversation()).handler == "assistant"

    await desk.eventually(ended)
    assert (await desk.conversation()).state == "closed"
    row = await desk.customer_writes("还有一个问题")
    assert (row.state, row.handler, row.session_state) == ("open", "assistant", 0)


async def test_without_a_servicer_it_waits_in_the_console_with_the_reason(desk: Desk) -> None:
    await desk.customer_writes("找人工")
    await desk.hands_over("wecom")
    await desk.work()

    row = await desk.conversation()
    assert (row.handler, row.handover_to, row.handover_problem) == ("agent", "console", "no_servicer")
    assert len(await cards(desk, desk.xiaoyu)) == 1


async def test_a_servicer_who_has_stopped_receiving_is_passed_over(desk: Desk) -> None:
    await desk.shop.serves("lin")
    await desk.shop.serves("wang")
    await desk.shop.sandbox.put("employees/lin/status", {"receiving": False}, corp_id=desk.shop.corp_id)
    await desk.customer_writes("找人工")
    await desk.hands_over("wecom")
    await desk.work()

    assert (await desk.conversation()).servicer_userid == "wang"


async def test_a_named_servicer_who_can_not_receive_is_said(desk: Desk) -> None:
    await desk.customer_writes("找人工")
    await desk.hands_over("wecom", servicer_userid="wang")
    await desk.work()

    row = await desk.conversation()
    assert (row.handler, row.handover_problem) == ("agent", "95014")


async def test_the_accounts_setting_decides_where_a_handover_goes(desk: Desk) -> None:
    await desk.shop.serves("wang")
    await desk.set_account(handover_to="wecom")
    await desk.customer_writes("找人工")
    await desk.hands_over(None)
    await desk.work()

    assert (await desk.conversation()).handler == "servicer"


async def test_what_is_queued_leaves_before_the_session_moves(desk: Desk) -> None:
    await desk.shop.serves("wang")
    row = await desk.customer_writes("找人工")
    async with transaction(desk.context) as ctx:
        reply = conversations.Reply(row.id, "请稍等", row.last_customer_seq, UUID(int=1))
        await conversations.send_assistant_replies(ctx, [reply])
        await conversations.hand_over(ctx, row.id, "asked_for_person", None, "wecom")
    await desk.work()

    assert "请稍等" in (await desk.phone())[-1]["text"]
    assert (await desk.conversation()).handler == "servicer"


async def test_taken_in_the_console_while_it_moves_to_wecom_nobody_is_left_alone(desk: Desk) -> None:
    await desk.shop.serves("wang")
    await desk.customer_writes("找人工")
    await desk.hands_over("wecom")
    await desk.takes(desk.xiaoyu)
    await desk.work()

    row = await desk.conversation()
    assert (row.handler, row.staff_id) == ("agent", desk.xiaoyu.id)
    assert await desk.shop.state() != 3


async def test_a_session_that_ran_out_after_48_hours_comes_back_to_the_assistant(desk: Desk) -> None:
    await desk.shop.serves("wang")
    await desk.customer_writes("找人工")
    await desk.hands_over("wecom")
    await desk.work()
    async with transaction(desk.context) as ctx:
        row = await ctx.session.scalar(select(Conversation))
        assert row is not None
        assert row.last_customer_message_at is not None
        early = row.last_customer_message_at.replace(year=row.last_customer_message_at.year - 1)
        await ctx.session.execute(update(Conversation).values(last_customer_message_at=early))

    row = await desk.customer_writes("我又来了")
    assert (row.state, row.handler, row.servicer_userid) == ("open", "assistant", None)


async def test_a_servicer_who_reopens_an_ended_session_has_it(desk: Desk) -> None:
    await desk.customer_writes()
    address = desk.shop.customer
    await page(desk, [event("e1", address, "session_status_change", change_type=3, old_servicer_userid="wang")], "c7")
    closed = await desk.conversation()
    assert closed.state == "closed"

    reopened = event("e2", address, "session_status_change", change_type=4, new_servicer_userid="wang")
    await page(desk, [reopened, servicer_text("m9", address, "wang", "补充一句")], "c8")

    row = await desk.conversation()
    assert (row.state, row.handler, row.session_state, row.last_preview) == ("open", "servicer", 3, "补充一句")


async def test_a_paused_assistant_is_not_asked(desk: Desk) -> None:
    row = await desk.customer_writes()

    async def asked(context: Context) -> bool:
        async with transaction(context) as ctx:
            return row.id in await conversations.answerable(ctx, [row.id])

    assert await asked(desk.context)
    async with transaction(desk.xiaoyu.context) as ctx:
        await conversations.pause_assistant(ctx, row.id, conversations.paused_until(30, True))
    assert not await asked(desk.context)
    async with desk.later(31 * 60):
        assert await asked(desk.context)


async def test_a_card_in_wecom_shows_no_number_in_full(desk: Desk) -> None:
    await desk.customer_writes("我电话 13800138000，找人工")
    await desk.hands_over()
    await desk.work()

    (card,) = await cards(desk, desk.xiaoyu)
    assert "13800138000" not in str(card)
    assert "138****8000" in str(card)
