"""What we send arrives once and in order; what can't arrive is refused in time or shown with its reason."""

import asyncio
import io
from datetime import timedelta
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from huitouke.kernel import clock
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import Problem
from huitouke.kernel.files import service as files
from huitouke.modules.conversations import service as conversations
from huitouke.modules.conversations.models import ChannelMedia, Conversation, OutboundMessage
from huitouke.modules.conversations.service import delivery, problems
from tests.modules.conversations.desk import Desk
from tests.modules.conversations.pages import customer_text, event, page


@pytest.fixture
async def served(desk: Desk) -> Desk:
    """The customer has written, 小雨 has taken the conversation."""
    await desk.customer_writes("在吗")
    await desk.takes(desk.xiaoyu)
    return desk


async def test_an_agents_answer_reaches_the_phone(served: Desk) -> None:
    message = await served.says(served.xiaoyu, "在的，您说")
    assert message.state == "queued"
    await served.work()

    assert [one["text"] for one in await served.phone()] == ["在吗", "在的，您说"]
    assert [message.state for message in await served.messages()] == ["received", "sent"]
    row = await served.conversation()
    assert (row.window_left, row.session_state, row.unread) == (4, 1, 0)


async def test_several_messages_keep_their_order(served: Desk) -> None:
    for number in range(5):
        await served.says(served.xiaoyu, f"第 {number} 条")
    await served.work()

    assert [one["text"] for one in await served.phone()] == ["在吗", *(f"第 {number} 条" for number in range(5))]


async def test_a_sixth_message_is_refused_before_it_is_wasted(served: Desk) -> None:
    for number in range(5):
        await served.says(served.xiaoyu, f"第 {number} 条")

    with pytest.raises(problems.NoMessagesLeft) as refused:
        await served.says(served.xiaoyu, "第六条")
    assert refused.value.params["limit"] == 5

    await served.work()
    row = await served.customer_writes("再问一下")
    assert row.window_left == 5


async def test_of_six_at_once_five_are_taken(served: Desk) -> None:
    results = await asyncio.gather(
        *(served.says(served.xiaoyu, f"第 {number} 条") for number in range(6)), return_exceptions=True
    )

    assert sum(isinstance(result, problems.NoMessagesLeft) for result in results) == 1
    assert (await served.conversation()).window_left == 0


async def test_what_is_still_to_leave_counts_against_the_next_window(served: Desk) -> None:
    await served.says(served.xiaoyu, "还没发出去")
    await page(served, [customer_text("late", served.shop.customer, "又来一句")], "c9")

    assert (await served.conversation()).window_left == 4


async def test_after_48_hours_nothing_may_be_sent(served: Desk) -> None:
    async with transaction(served.context) as ctx:
        await ctx.session.execute(update(Conversation).values(window_expires_at=clock.now() - timedelta(minutes=1)))

    with pytest.raises(problems.WindowClosed):
        await served.says(served.xiaoyu, "太晚了")


async def test_only_who_has_taken_the_conversation_may_answer(desk: Desk) -> None:
    await desk.customer_writes()
    with pytest.raises(problems.TakeFirst):
        await desk.says(desk.xiaoyu, "在的")

    await desk.takes(desk.aning)
    with pytest.raises(problems.AlreadyTaken) as refused:
        await desk.says(desk.xiaoyu, "在的")
    assert refused.value.params["name"] == "阿宁"


@pytest.mark.parametrize(("text", "problem"), [("字" * 683, problems.TextTooLong), ("  \n", problems.EmptyMessage)])
async def test_texts_that_can_not_be_sent_are_refused_and_cost_nothing(
    served: Desk, text: str, problem: type[Problem]
) -> None:
    with pytest.raises(problem):
        await served.says(served.xiaoyu, text)

    assert (await served.conversation()).window_left == 5


async def test_the_same_idempotency_key_sends_once_even_at_the_same_moment(served: Desk) -> None:
    sent = await asyncio.gather(*(served.says(served.xiaoyu, "在的", client_id="key-12345678") for _ in range(4)))
    await served.work()

    assert len({message.id for message in sent}) == 1
    assert len(await served.phone()) == 2
    assert (await served.conversation()).window_left == 4


async def test_a_picture_is_uploaded_once_and_sent_twice(served: Desk) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(drawn, "JPEG")
    for _ in range(2):
        file_id = await files.store_bytes(served.context, "message_image", "裙子.jpg", drawn.getvalue(), "image/jpeg")
        row = await served.conversation()
        async with transaction(served.xiaoyu.context) as ctx:
            await conversations.send_message(ctx, row.id, conversations.SendRequest(purpose="service", file_id=file_id))
    await served.work()

    assert [one["msgtype"] for one in await served.phone()] == ["text", "image", "image"]
    async with transaction(served.context) as ctx:
        assert await ctx.session.scalar(select(func.count(ChannelMedia.file_id))) == 2


async def test_a_file_of_another_purpose_can_not_be_sent(served: Desk) -> None:
    file_id = await files.store_bytes(served.context, "knowledge_import", "faq.csv", "问题,答案\n".encode(), "text/csv")
    row = await served.conversation()

    with pytest.raises(Problem) as refused:
        async with transaction(served.xiaoyu.context) as ctx:
            await conversations.send_message(ctx, row.id, conversations.SendRequest(purpose="service", file_id=file_id))
    assert refused.value.status == 404


async def test_busy_answers_are_tried_again_with_the_same_msgid(served: Desk) -> None:
    await served.shop.sandbox.faults(api_rate_limit_probability=1.0, api_paths=["kf/send_msg"])
    message = await served.says(served.xiaoyu, "您好")
    await served.work()
    (waiting,) = await served.deliveries()
    assert (waiting.state, waiting.attempts, waiting.error_code) == ("sending", 1, "45009")
    assert waiting.next_attempt_at >= clock.now() + timedelta(seconds=50)

    await served.shop.sandbox.faults()
    async with served.later(61):
        await served.work()

    (sent,) = await served.deliveries()
    assert (sent.state, sent.attempts, sent.msgid, sent.error_code) == ("sent", 2, message.id.hex, None)
    assert [one["text"] for one in await served.phone()] == ["在吗", "您好"]


async def test_an_answer_that_got_lost_sends_nothing_twice(served: Desk) -> None:
    await served.shop.sandbox.faults(api_answer_lost_probability=1.0, api_paths=["kf/send_msg"])
    await served.says(served.xiaoyu, "您好")
    await served.work()
    await served.shop.sandbox.faults()
    async with served.later(5):
        await served.work()

    assert [one["text"] for one in await served.phone()] == ["在吗", "您好"]
    assert [one.state for one in await served.deliveries()] == ["sent"]


async def test_killed_between_acceptance_and_commit_the_message_is_sent_once(served: Desk) -> None:
    """The step to `sending` is on file, the call was made, its result is not: 95033 then means that it arrived."""
    message = await served.says(served.xiaoyu, "您好")
    async with transaction(served.context) as ctx:
        (begun,) = await delivery.begin(ctx, [message.conversation_id])
    assert isinstance(begun, delivery.Delivery)
    await conversations.channel("wecom_kf").send(served.context, begun.account, begun.outgoing)

    await served.work()

    assert [one["text"] for one in await served.phone()] == ["在吗", "您好"]
    (row,) = await served.deliveries()
    assert (row.state, row.attempts) == ("sent", 2)
    assert [one.state for one in await served.messages()] == ["received", "sent"]


async def test_a_message_that_wecom_reports_as_not_delivered_is_shown_as_failed_and_can_be_repeated(
    served: Desk,
) -> None:
    await served.shop.sandbox.faults(send_fail_probability=1.0, send_fail_type=13, send_fail_delay_ms=0)
    message = await served.says(served.xiaoyu, "您好")

    async def failed() -> bool:
        return (await served.messages())[-1].failure_code == "send_fail.13"

    await served.eventually(failed)
    (before,) = await served.deliveries()
    await served.shop.sandbox.faults()
    async with transaction(served.xiaoyu.context) as ctx:
        await conversations.retry_message(ctx, message.id)
    await served.work()

    (after,) = await served.deliveries()
    assert after.state == "sent"
    assert after.msgid != before.msgid, "what was accepted once is known under its msgid for ever"
    assert (await served.messages())[-1].failure_code is None


async def test_a_used_up_window_that_we_did_not_know_of_is_learned(served: Desk) -> None:
    for number in range(5):
        await served.says(served.xiaoyu, f"第 {number} 条")
    await served.work()
    async with transaction(served.context) as ctx:  # as if a restore had brought an older count
        await ctx.session.execute(update(Conversation).values(window_left=3))

    await served.says(served.xiaoyu, "第六条")
    await served.work()

    assert (await served.messages())[-1].failure_code == "95001"
    assert (await served.conversation()).window_left == 0


async def test_a_session_that_ended_unseen_is_learned_from_the_refusal(served: Desk) -> None:
    await served.says(served.xiaoyu, "在的")
    await served.work()
    assert (await served.shop.move(4))["errcode"] == 0

    await served.says(served.xiaoyu, "还在吗")
    await served.work()

    assert (await served.messages())[-1].failure_code == "95013"
    row = await served.conversation()
    assert (row.state, row.session_state) == ("closed", 4)


async def test_a_session_that_ended_on_an_unanswered_customer_stays_in_front_of_people(served: Desk) -> None:
    assert (await served.shop.move(4))["errcode"] == 0

    await served.says(served.xiaoyu, "在的")
    await served.work()

    row = await served.conversation()
    assert (row.state, row.session_state, row.staff_id) == ("open", 4, served.xiaoyu.id)


async def test_a_session_that_a_servicer_has_is_learned_from_the_refusal(served: Desk) -> None:
    await served.shop.serves("wang")
    assert (await served.shop.move(3, "wang"))["errcode"] == 0

    await served.says(served.xiaoyu, "还在吗")
    await served.work()

    assert (await served.messages())[-1].failure_code == "95018"
    row = await served.conversation()
    assert (row.handler, row.servicer_userid, row.staff_id) == ("servicer", "wang", None)


async def test_a_changed_secret_fails_visibly_and_gives_the_place_back(served: Desk) -> None:
    app = f"apps/{served.shop.agentid}"
    await served.shop.sandbox.patch(app, {"secret": "another-secret-of-the-app-2"}, corp_id=served.shop.corp_id)
    await served.says(served.xiaoyu, "您好")
    await served.work()

    assert (await served.messages())[-1].failure_code == "40001"
    assert (await served.conversation()).window_left == 5


async def test_a_failed_message_does_not_hold_up_the_next(served: Desk) -> None:
    await served.says(served.xiaoyu, "第一条")
    async with transaction(served.context) as ctx:
        await ctx.session.execute(update(OutboundMessage).values(event_code="no-such-code"))
    await served.says(served.xiaoyu, "第二条")
    await served.work()

    assert [message.state for message in await served.messages()] == ["received", "failed", "sent"]


async def test_only_failed_messages_can_be_sent_again(served: Desk) -> None:
    message = await served.says(served.xiaoyu, "您好")
    await served.work()

    with pytest.raises(problems.NotRetryable):
        async with transaction(served.xiaoyu.context) as ctx:
            await conversations.retry_message(ctx, message.id)


async def test_a_report_of_failure_for_a_message_that_we_never_had_changes_nothing(served: Desk) -> None:
    await page(
        served, [event("e1", served.shop.customer, "msg_send_fail", fail_msgid=UUID(int=7).hex, fail_type=0)], "c9"
    )

    assert [message.state for message in await served.messages()] == ["received"]


async def test_the_assistants_answer_bears_its_sign_on_the_phone_and_its_mark_in_history(desk: Desk) -> None:
    row = await desk.customer_writes("有大一点的吗")
    async with transaction(desk.context) as ctx:
        reply = conversations.Reply(row.id, "有的，做到 3XL。", row.last_customer_seq, UUID(int=1))
        (sent,) = await conversations.send_assistant_replies(ctx, [reply])
    await desk.work()

    assert not isinstance(sent, conversations.Overtaken)
    assert (await desk.phone())[-1]["text"] == f"{conversations.DEFAULT_AI_LABEL}有的，做到 3XL。"
    message = (await desk.messages())[-1]
    assert (message.text, message.ai, message.sender_kind) == ("有的，做到 3XL。", True, "assistant")


async def test_the_assistant_is_overtaken_by_people_newer_messages_and_pauses(desk: Desk) -> None:
    row = await desk.customer_writes("在吗")

    async def tries(number: int, seq: int) -> str:
        async with transaction(desk.context) as ctx:
            reply = conversations.Reply(row.id, "在的", seq, UUID(int=number))
            (sent,) = await conversations.send_assistant_replies(ctx, [reply])
            return sent.reason if isinstance(sent, conversations.Overtaken) else "sent"

    seen = row.last_customer_seq
    await desk.customer_writes("算了")
    assert await tries(1, seen) == "newer_message"
    latest = (await desk.conversation()).last_customer_seq
    async with transaction(desk.context) as ctx:
        await conversations.pause_assistant(ctx, row.id, clock.now() + timedelta(minutes=5))
    assert await tries(2, latest) == "paused"
    await desk.takes(desk.xiaoyu)
    assert await tries(3, latest) == "person"
    async with transaction(desk.xiaoyu.context) as ctx:
        await conversations.close(ctx, row.id)
    assert await tries(4, latest) == "closed"
