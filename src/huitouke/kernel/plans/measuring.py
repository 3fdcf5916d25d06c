"""Once an hour each tenant is measured, in a job of its own, for screens that must not look into tenants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.plans.models import TenantUsage
from huitouke.kernel.plans.service import all_quotas, used_now
from huitouke.kernel.plans.standing import standing_of
from huitouke.kernel.work import scheduled

KIND: Final = "plans.measure"
EVERY: Final = timedelta(hours=1)


@scheduled(KIND)
async def measure(context: Context) -> datetime | None:
    """Counts what the tenant uses of each quota and keeps it for today; again in an hour."""
    async with transaction(context) as ctx:
        await keep_usage(ctx, await usage(ctx))
    return clock.now() + EVERY


async def usage(ctx: Context) -> dict[str, int]:
    """How much is used of each quota, by its name; one query each."""
    return {quota.name: await used_now(ctx, quota) for quota in all_quotas()}


async def keep_usage(ctx: Context, amounts: Mapping[str, int]) -> None:
    """Writes today's figures; earlier ones of the day are replaced."""
    if not amounts:
        return
    today = (await standing_of(ctx)).today(clock.now())
    rows = insert(TenantUsage).values(
        [{"tenant_id": ctx.tenant_id, "day": today, "kind": kind, "amount": n} for kind, n in amounts.items()]
    )
    await ctx.session.execute(
        rows.on_conflict_do_update(index_elements=["tenant_id", "kind", "day"], set_={"amount": rows.excluded.amount})
    )
