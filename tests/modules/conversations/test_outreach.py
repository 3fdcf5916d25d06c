"""Offers in conversations: whether one may go is asked when it leaves, and who says "no more" in a chat is heard."""

import pytest
from sqlalchemy import select

from huitouke.kernel.database import transaction
from huitouke.modules.conversations.queries import messages_out
from huitouke.modules.customers import service as customers
from huitouke.modules.customers.models import MarketingRefusal
from tests.modules.conversations.desk import Desk


@pytest.fixture
async def served(desk: Desk) -> Desk:
    """The customer has written, 小雨 has taken the conversation."""
    await desk.customer_writes("在吗")
    await desk.takes(desk.xiaoyu)
    return desk


async def refusals(desk: Desk) -> list[MarketingRefusal]:
    async with transaction(desk.context) as ctx:
        return list(await ctx.session.scalars(select(MarketingRefusal)))


async def test_an_offer_that_was_queued_before_the_refusal_does_not_leave_after_it(served: Desk) -> None:
    await served.says(served.xiaoyu, "新品八折", purpose="marketing")
    await served.says(served.xiaoyu, "再打七折", purpose="marketing")
    await served.says(served.xiaoyu, "您要的在的")
    row = await served.conversation()
    async with transaction(served.context) as ctx:
        await customers.refuse_for(ctx, row.customer_id, None)
    await served.work()

    assert [one["text"] for one in await served.phone()] == ["在吗", "您要的在的"]
    messages = await served.messages()
    assert [one.state for one in messages] == ["received", "failed", "failed", "sent"]
    assert (await served.conversation()).window_left == 4
    async with transaction(served.context) as ctx:
        shown = (await messages_out(ctx, messages))[1].failure
    assert shown is not None
    assert (shown.code, shown.sentence) == ("outreach.refused_marketing", "顾客不接收营销消息，这条没有发出。")


async def test_an_offer_beyond_the_limit_does_not_leave(served: Desk) -> None:
    for number in range(4):
        await served.says(served.xiaoyu, f"优惠 {number}", purpose="marketing")
    await served.work()

    assert [one["text"] for one in await served.phone()] == ["在吗", "优惠 0", "优惠 1", "优惠 2"]
    assert (await served.messages())[-1].failure_code == "outreach.marketing_cap"


async def test_who_says_no_more_offers_is_heard_whoever_serves_them(served: Desk) -> None:
    await served.customer_writes("可以退订吗")
    assert not await refusals(served)

    row = await served.customer_writes("不要再发广告了")

    (refusal,) = await refusals(served)
    assert (refusal.customer_id, refusal.source, refusal.channel) == (row.customer_id, "customer_words", "all")
    await served.says(served.xiaoyu, "新品八折", purpose="marketing")
    await served.work()
    assert (await served.phone())[-1]["text"] == "不要再发广告了"
