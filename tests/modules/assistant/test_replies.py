"""A customer's message is answered from the merchant's own knowledge, once, or a person gets it."""

import asyncpg
import pytest
from sqlalchemy import select

from huitouke.kernel import clock
from huitouke.kernel.context import Actor, ActorKind
from huitouke.kernel.database import Database, transaction
from huitouke.kernel.paging import Page
from huitouke.modules.assistant import queries
from huitouke.modules.assistant.models import ReplyTrace, ReplyTurn
from huitouke.modules.assistant.reply import engine, turns
from huitouke.modules.assistant.reply.answering import Prepared, decide
from huitouke.modules.assistant.reply.outcome import Outcome
from huitouke.modules.assistant.schemas import PauseIn, SettingsIn, TraceOut
from huitouke.modules.assistant.service import assistant_settings, change_settings, is_paused, pause_all
from huitouke.modules.conversations import service as conversations
from huitouke.modules.conversations.reactions.syncing import sync
from huitouke.modules.customers.models import MarketingRefusal
from tests.modules.assistant.conftest import Counter
from tests.support.time import later

UNSURE = "已经请同事来看"


async def traces(counter: Counter) -> list[TraceOut]:
    async with transaction(counter.context) as ctx:
        page: Page[TraceOut] = await queries.traces(ctx, None, None, 50)
        return page.items


async def test_a_question_is_answered_from_the_knowledge_and_marked_as_written_by_an_ai(counter: Counter) -> None:
    shown = await counter.asks("有大一点的吗")

    assert "3XL" in shown
    assert shown.startswith("【AI 助手】")
    (message,) = [message for message in await counter.desk.messages() if message.sender_kind == "assistant"]
    assert message.ai
    assert message.state == "sent"


async def test_the_trace_says_why(counter: Counter) -> None:
    await counter.asks("有大一点的吗")

    (trace,) = await traces(counter)
    assert (trace.decision, trace.reason, trace.question) == ("answered", "knowledge", "有大一点的吗")
    assert [entry.question for entry in trace.evidence if entry.used] == ["有没有大码？"]
    assert trace.evidence[0].confidence > 0.3
    assert {check.name for check in trace.checks} >= {"asked_for", "same_thing", "margin"}
    assert trace.elapsed_ms.wait > 0
    assert trace.message_id is not None
    async with transaction(counter.context) as ctx:
        assert (await queries.trace_of_message(ctx, trace.message_id)).id == trace.id


async def test_what_was_never_written_down_gets_the_unsure_text_and_no_invention(counter: Counter) -> None:
    shown = await counter.asks("可以带宠物进店吗")

    assert UNSURE in shown
    (trace,) = await traces(counter)
    assert (trace.decision, trace.message_id is not None) == ("asked_colleague", True)
    row = await counter.desk.conversation()
    assert (row.handler, row.handover_reason) == ("assistant", trace.reason)
    assert row.waiting_since is not None
    assert "可以带宠物进店吗" in (row.handover_summary or "")


async def test_asking_for_a_person_hands_over_with_a_summary(counter: Counter) -> None:
    await counter.asks("真丝衬衫开线了")
    shown = await counter.asks("我要投诉，找人工")

    row = await counter.desk.conversation()
    assert (row.handler, row.staff_id, row.handover_reason) == ("agent", None, "asked_for_person")
    assert "真丝衬衫开线了" in (row.handover_summary or "")
    assert "转给同事" in shown


async def test_a_conversation_that_a_person_has_is_left_alone(counter: Counter) -> None:
    await counter.asks("找人工")
    await counter.desk.takes(counter.desk.xiaoyu)
    before = await counter.answers()

    await counter.asks("有大一点的吗")

    assert await counter.answers() == before


async def test_after_it_is_handed_back_the_assistant_serves_again(counter: Counter) -> None:
    await counter.asks("找人工")
    row = await counter.desk.takes(counter.desk.xiaoyu)
    async with transaction(counter.desk.xiaoyu.context) as ctx:
        await conversations.hand_back(ctx, row.id)

    assert "3XL" in await counter.asks("有大一点的吗")


async def test_what_a_person_left_unanswered_is_answered_when_it_is_handed_back(counter: Counter) -> None:
    await counter.asks("找人工")
    row = await counter.desk.takes(counter.desk.xiaoyu)
    await counter.asks("有大一点的吗")
    async with transaction(counter.desk.xiaoyu.context) as ctx:
        await conversations.hand_back(ctx, row.id)

    async def answered() -> bool:
        return "3XL" in (await counter.answers())[-1]

    await counter.desk.eventually(answered)


async def test_what_a_person_answered_is_not_answered_again_when_it_is_handed_back(counter: Counter) -> None:
    await counter.asks("找人工")
    row = await counter.desk.takes(counter.desk.xiaoyu)
    await counter.asks("有大一点的吗")
    async with transaction(counter.desk.xiaoyu.context) as ctx:
        await conversations.send_message(ctx, row.id, conversations.SendRequest(purpose="service", text="有 3XL"))
        await conversations.hand_back(ctx, row.id)
    before = await counter.answers()

    await counter.settle()

    assert await counter.answers() == before


async def test_a_burst_of_messages_is_answered_once(counter: Counter) -> None:
    shown = await counter.asks("你好", "我想问下", "茶歇裙", "多少钱")

    assert "329" in shown
    assert len(await counter.answers()) == 1
    (trace,) = await traces(counter)
    assert trace.question == "你好\n我想问下\n茶歇裙\n多少钱"


async def test_a_burst_waits_at_most_three_seconds_after_its_first_message(counter: Counter) -> None:
    row = await counter.desk.customer_writes("在吗")
    async with transaction(counter.context) as ctx:
        first = await ctx.session.scalar(select(ReplyTurn).where(ReplyTurn.conversation_id == row.id))
    assert first is not None
    begun = first.first_message_at
    for _ in range(6):
        await later(0.6)
        async with transaction(counter.context) as ctx:
            due = await turns.note_messages(ctx, {row.id: turns.Noted(1, clock.now())})
        assert due is not None
        assert due <= begun + turns.LONGEST


async def test_a_follow_up_is_answered_from_what_was_said_before(counter: Counter) -> None:
    await counter.asks("羊毛大衣可以水洗吗")

    assert "1280" in await counter.asks("多少钱呢")


async def test_small_talk_gets_a_short_answer_without_claims(counter: Counter) -> None:
    assert "不客气" in await counter.asks("谢谢啦")


async def test_two_turns_in_a_row_without_an_answer_call_a_person(counter: Counter) -> None:
    await counter.asks("可以带宠物进店吗")
    shown = await counter.asks("店里有洗手间吗")

    row = await counter.desk.conversation()
    assert (row.handler, row.handover_reason) == ("agent", "failed_turns")
    assert "转给同事" in shown
    assert "宠物" in (row.handover_summary or "")


async def test_an_answer_between_begins_the_count_anew(counter: Counter) -> None:
    await counter.asks("可以带宠物进店吗")
    await counter.asks("有大一点的吗")
    await counter.asks("店里有洗手间吗")

    assert (await counter.desk.conversation()).handler == "assistant"


async def test_a_merchant_can_have_unsure_questions_handed_over_at_once(counter: Counter) -> None:
    async with transaction(counter.context) as ctx:
        await change_settings(ctx, SettingsIn(hand_over_when_unsure=True))

    await counter.asks("可以带宠物进店吗")

    row = await counter.desk.conversation()
    assert (row.handler, row.handover_reason) == ("agent", "not_in_knowledge")


async def test_what_is_no_text_gets_a_polite_answer(counter: Counter) -> None:
    shop = counter.desk.shop
    place = {"latitude": 30.25, "longitude": 120.17, "name": "西湖", "address": "杭州"}
    path = f"customers/{shop.customer}/chats/{shop.open_kfid}/messages"
    await shop.sandbox.post(path, {"msgtype": "location", "location": place})

    async def arrived() -> bool:
        return bool(await counter.desk.messages())

    await counter.desk.eventually(arrived)
    await counter.settle()

    (said,) = await counter.answers()
    assert "请用文字" in said
    (trace,) = await traces(counter)
    assert (trace.decision, trace.reason) == ("asked_colleague", "media")


async def test_an_answer_that_a_person_overtook_is_dropped(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    await counter.desk.customer_writes("有大一点的吗")

    async def slowly(prepared: Prepared) -> Outcome:
        await counter.desk.takes(counter.desk.xiaoyu)
        return await decide(prepared)

    monkeypatch.setattr(engine, "decide", slowly)
    await counter.settle()

    assert await counter.answers() == []
    (trace,) = await traces(counter)
    assert (trace.decision, trace.reason) == ("dropped", "overtaken_person")


async def test_an_answer_that_a_newer_message_overtook_is_dropped_and_both_are_answered_once(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await counter.desk.customer_writes("茶歇裙多少钱")
    seen: list[Prepared] = []

    async def overtaken(prepared: Prepared) -> Outcome:
        if not seen:
            seen.append(prepared)
            await counter.desk.shop.writes("有哪些颜色")
            await sync(counter.context, counter.desk.account.external_id)
        return await decide(prepared)

    monkeypatch.setattr(engine, "decide", overtaken)
    await counter.settle()
    await counter.settle()

    assert len(await counter.answers()) == 1
    newest, first = await traces(counter)
    assert (first.decision, first.reason) == ("dropped", "overtaken_newer_message")
    assert (newest.decision, newest.question) == ("answered", "茶歇裙多少钱\n有哪些颜色")


async def test_a_paused_assistant_says_nothing(counter: Counter) -> None:
    async with transaction(counter.context) as ctx:
        await pause_all(ctx, PauseIn(paused=True, minutes=30))
    await counter.asks("有大一点的吗")
    assert await counter.answers() == []

    async with transaction(counter.context) as ctx:
        await pause_all(ctx, PauseIn(paused=False))
    await counter.asks("茶歇裙多少钱")
    assert len(await counter.answers()) == 1


async def test_a_pause_ends_by_itself(counter: Counter) -> None:
    async with transaction(counter.context) as ctx:
        await pause_all(ctx, PauseIn(paused=True, minutes=30))
    await later(31 * 60)

    async with transaction(counter.context) as ctx:
        assert not is_paused(await assistant_settings(ctx))


@pytest.mark.parametrize("table", ["assistant_settings", "model_endpoints"])
async def test_it_answers_while_the_next_release_adds_a_column(
    counter: Counter, database: Database, table: str
) -> None:
    await counter.use_model()
    async with transaction(counter.context) as ctx:
        await change_settings(ctx, SettingsIn(name="小美"))
    await counter.asks("茶歇裙多少钱")
    assert database.urls.owner is not None
    owner = await asyncpg.connect(database.urls.owner)
    await owner.execute(f"ALTER TABLE {table} ADD COLUMN of_the_next_release text")
    try:
        await counter.asks("有大一点的吗")
    finally:
        await owner.execute(f"ALTER TABLE {table} DROP COLUMN of_the_next_release")
        await owner.close()
    assert len(await counter.answers()) == 2


async def test_a_paused_conversation_is_left_alone(counter: Counter) -> None:
    row = await counter.desk.customer_writes("在吗")
    async with transaction(counter.context.acting_as(Actor(ActorKind.JOB))) as ctx:
        await conversations.pause_assistant(ctx, row.id, conversations.paused_until(paused=True, minutes=30))

    await counter.settle()

    assert await counter.answers() == []


async def test_who_wants_no_more_offers_is_told_that_it_is_so(counter: Counter) -> None:
    told = await counter.asks("退订")

    assert "不再给您发优惠" in told
    assert "预订或订单" in told
    async with transaction(counter.context) as ctx:
        assert await ctx.session.scalar(select(MarketingRefusal.source)) == "customer_words"
        assert await ctx.session.scalar(select(ReplyTrace.reason)) == "refused_marketing"


async def test_what_was_asked_besides_is_answered_as_well(counter: Counter) -> None:
    told = await counter.asks("别再给我发广告了", "营业时间是几点")

    assert "不再给您发优惠" in told
    assert told.count("\n\n") == 1
