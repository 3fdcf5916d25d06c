"""The plug-in's use cases."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel.context import Context
from huitouke.kernel.events import emit_many
from huitouke_visits.events import GoalReached
from huitouke_visits.models import VisitDay

MAX_DAYS: Final = 366
GOAL_MESSAGES: Final = 100
"""So many messages on a day are told to the staff."""


async def add_messages(ctx: Context, per_day: Mapping[date, int]) -> None:
    """Adds to the days' counts, all days in one statement, and tells which days reached the goal with it."""
    rows = [{"tenant_id": ctx.tenant_id, "day": day, "messages": n} for day, n in sorted(per_day.items())]
    statement = insert(VisitDay).values(rows)
    counted = await ctx.session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "day"],
            set_={"messages": VisitDay.messages + statement.excluded.messages},
        ).returning(VisitDay.day, VisitDay.messages)
    )
    reached = [row for row in counted if row.messages - per_day[row.day] < GOAL_MESSAGES <= row.messages]
    await emit_many(ctx, [GoalReached(day=row.day.isoformat(), messages=row.messages) for row in reached])


async def latest_days(ctx: Context, limit: int) -> list[VisitDay]:
    """The latest days on which customers wrote, newest first, at most MAX_DAYS."""
    days = select(VisitDay).order_by(VisitDay.day.desc()).limit(min(limit, MAX_DAYS))
    return list((await ctx.session.scalars(days)).all())
