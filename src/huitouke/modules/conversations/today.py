"""What the inbox says to people on today's page."""

from typing import Final

from sqlalchemy import select

from huitouke.kernel.context import Context
from huitouke.modules.conversations import queries
from huitouke.modules.conversations.models import Conversation
from huitouke.modules.organization.service import Day, TodayLine, TodayPart, chat_page


async def waiting(ctx: Context, day: Day) -> list[TodayLine]:
    """Customers who wait for a person; and in the first week, that nobody has come yet."""
    count = (await queries.counts(ctx)).waiting
    if count:
        return [TodayLine("waiting", "/conversations?view=waiting", 10, "urgent", {"n": count})]
    if day.check is None or await chat_page(ctx) is None:
        return []
    if await ctx.session.scalar(select(Conversation.id).limit(1)) is not None:
        return []
    return [TodayLine(f"nobody_wrote_{day.check}", "/activities", 30)]


async def failing(ctx: Context, day: Day) -> list[TodayLine]:
    """Accounts through which nothing comes or goes at present."""
    count = (await queries.failing_accounts(ctx))["failing_accounts"]
    return [TodayLine("failing_accounts", "/settings/channels", 5, "urgent", {"n": count})] if count else []


PARTS: Final = (TodayPart("conversations.view", waiting), TodayPart("organization.manage", failing))
