"""What nobody reports by itself: each tenant is looked at four times an hour, and its people are told.

Telling the same twice does nothing, so a look that is repeated costs its queries alone.
"""

from datetime import datetime, timedelta
from math import ceil
from typing import Final

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.plans import service as plans
from huitouke.kernel.plans.standing import standing_of
from huitouke.modules.organization.service.notifying.kinds import DEAD_LETTERS, PLAN_ENDING, PLAN_USED, TEXT
from huitouke.modules.organization.service.notifying.telling import Holders, tell

KIND: Final = "organization.notice_watch"
EVERY: Final = timedelta(minutes=15)

NEARLY: Final = 80
STEPS_PERCENT: Final = (100, NEARLY)
"""Of a quota: told once a month each."""

STEPS_DAYS: Final = (1, 7, 14)
"""Before a plan ends: told once each."""

FRESH: Final = timedelta(days=1)
MAX_LETTERS: Final = 1_000

_LETTERS: Final = (
    "SELECT count(*) FROM (SELECT FROM work_dead_letters WHERE tenant_id = $1 AND died_at > $2 LIMIT $3) AS counted"
)


async def look(ctx: Context) -> datetime:
    """Tells what there is to tell; gives when to look again."""
    await _dead_letters(ctx)
    await _plan_used(ctx)
    await _plan_ending(ctx)
    return clock.now() + EVERY


async def _dead_letters(ctx: Context) -> None:
    """Once a day, while there are fresh ones."""
    now = clock.now()
    raw = await connection(ctx)
    count = await raw.fetchval(_LETTERS, ctx.tenant_id, now - FRESH, MAX_LETTERS)
    if count:
        day = (await standing_of(ctx)).today(now)
        await tell(
            ctx, DEAD_LETTERS, Holders("work.manage"), dedupe_key=f"dead_letters:{day}", args={"count": count},
            link="/settings/work",
        )  # fmt: skip


async def _plan_used(ctx: Context) -> None:
    month = (await standing_of(ctx)).today(clock.now()).strftime("%Y-%m")
    for quota in plans.all_quotas():
        limit = await plans.limit_of(ctx, quota.name)
        if not limit:
            continue
        used = await plans.used_now(ctx, quota)
        step = next((one for one in STEPS_PERCENT if used * 100 >= limit * one), None)
        if step is not None:
            await tell(
                ctx, PLAN_USED, Holders("plan.view"), dedupe_key=f"plan_used:{quota.name}:{step}:{month}",
                args={"quota": f"{TEXT}quotas.{quota.name}", "percent": used * 100 // limit},
                link="/settings/plan",
            )  # fmt: skip


async def _plan_ending(ctx: Context) -> None:
    """Where nothing follows: 14, 7 and 1 days before."""
    now, standing = clock.now(), await standing_of(ctx)
    expires_at = standing.expires_at(now)
    if expires_at is None or expires_at <= now or standing.next_plan(now) is not None:
        return
    days = ceil((expires_at - now) / timedelta(days=1))
    step = next((one for one in STEPS_DAYS if days <= one), None)
    if step is not None:
        await tell(
            ctx, PLAN_ENDING, Holders("plan.view"), dedupe_key=f"plan_ending:{expires_at.date()}:{step}",
            args={"days": days, "day": f"{standing.today(expires_at)}"}, link="/settings/plan",
        )  # fmt: skip
