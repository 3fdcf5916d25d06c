"""What the customers' module says to people on today's page."""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from huitouke.kernel.context import Context
from huitouke.modules.customers.models import Customer
from huitouke.modules.customers.queries import SEEN
from huitouke.modules.organization.service import Day, TodayLine, TodayPart

QUIET: Final = timedelta(days=30)
LONG_GONE: Final = timedelta(days=120)
"""Who was not seen for longer is nobody to be missed this month."""

COUNTED_AT_MOST: Final = 1_000


async def quiet(ctx: Context, day: Day) -> list[TodayLine]:
    """Customers who were here and have not come for a month."""
    few = (
        select(Customer.id)
        .where(SEEN.between(day.now - LONG_GONE, day.now - QUIET))
        .order_by(SEEN.desc())
        .limit(COUNTED_AT_MOST)
        .subquery()
    )
    count = await ctx.session.scalar(select(func.count()).select_from(few)) or 0
    path = f"/customers?quiet={QUIET.days}"
    return [TodayLine("quiet_customers", path, 55, figures={"n": count})] if count else []


PARTS: Final = (TodayPart("customers.view", quiet),)
