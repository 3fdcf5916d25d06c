"""Today: what there is to do or to be glad of, as sentences with one button each, computed from what is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.modules import load_modules
from huitouke.kernel.plans.standing import standing_of
from huitouke.modules.organization.service.industries import BY_KEY
from huitouke.modules.organization.service.onboarding import onboarding

TODAY: Final = "organization.today"
"""Registry of `TodayPart`."""

MAX_LINES: Final = 12
PLAN_ENDS_DAYS: Final = 7
CHECKS: Final = (1, 3, 7)
"""Days of the first week on which a new shop is looked at."""

LAST_DAY: Final = 10
"""The check of the seventh day is shown until then."""

Tone: TypeAlias = Literal["urgent", "todo", "good"]


@dataclass(frozen=True, slots=True)
class Day:
    """The moment that is looked at."""

    now: datetime
    since: datetime
    """The beginning of yesterday, in the tenant's time zone."""
    check: int | None
    """The newest check of the first week that has been reached (1, 3 or 7); None for shops that are past it."""


@dataclass(frozen=True, slots=True)
class TodayLine:
    """A sentence, text `today.<name>` with `figures`, and one button, text `today.<name>.button`, to `path`.

    Where there is a text `today.<name>.one`, it is said of a figure `n` that is 1. Smaller `order` stands higher.
    """

    name: str
    path: str
    order: int
    tone: Tone = "todo"
    figures: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TodayPart:
    """What a module has to say to people with that permission: a fixed number of bounded queries, no list."""

    permission: str
    lines: Callable[[Context, Day], Awaitable[Sequence[TodayLine]]]


async def today(ctx: Context) -> list[TodayLine]:
    """What the actor is told today, the most pressing first, at most MAX_LINES."""
    day = await _day(ctx)
    lines: list[TodayLine] = []
    for part in load_modules().extensions(TODAY):
        if ctx.allows(part.permission):
            lines += await part.lines(ctx, day)
    return sorted(lines, key=lambda line: line.order)[:MAX_LINES]


async def first_steps(ctx: Context, day: Day) -> list[TodayLine]:
    """The next step of a new owner. Who never began isn't asked to."""
    row = await onboarding(ctx)
    if row is None:
        return []
    if row.industry is None:
        return [TodayLine("start", "/start", 0)]
    if row.facts_at is None:
        return [TodayLine("facts", "/start/facts", 0)]
    missing = sum(fact not in row.facts for fact in BY_KEY[row.industry].facts)
    return [TodayLine("facts_left", "/start/facts", 50, figures={"n": missing})] if missing else []


async def plan_ends(ctx: Context, day: Day) -> list[TodayLine]:
    """The plan is over, or will be within a week with nothing to follow it."""
    standing = await standing_of(ctx)
    if standing.read_only(day.now):
        return [TodayLine("plan_over", "/settings/plan", 1, "urgent")]
    ends = standing.expires_at(day.now)
    if ends is None or standing.next_plan(day.now) is not None or ends - day.now > timedelta(days=PLAN_ENDS_DAYS):
        return []
    days = max((ends - day.now).days, 1)
    return [TodayLine("plan_ends", "/settings/plan", 40, figures={"n": days})]


async def _day(ctx: Context) -> Day:
    now, standing, row = clock.now(), await standing_of(ctx), await onboarding(ctx)
    zone = ZoneInfo(standing.time_zone)
    date = now.astimezone(zone).date()
    check = None
    if row is not None:
        number = (date - row.started_at.astimezone(zone).date()).days + 1
        check = max((each for each in CHECKS if each <= number <= LAST_DAY), default=None)
    return Day(now, datetime.combine(date - timedelta(days=1), time(), zone), check)


PARTS: Final = (TodayPart("organization.manage", first_steps), TodayPart("plan.view", plan_ends))
