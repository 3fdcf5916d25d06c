"""The questions a module asks: may this tenant use it, how much does it still have, this much was used."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date
from time import monotonic
from typing import Final
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.modules import load_modules
from huitouke.kernel.plans.kinds import Quota
from huitouke.kernel.plans.models import QuotaSpending
from huitouke.kernel.plans.problems import OverQuota, PlanLacksFeature
from huitouke.kernel.plans.standing import standing_of

USED_CACHE_SECONDS: Final = 10.0
"""How old `left` may be on hot paths; `use` always counts anew."""

CACHE_ENTRIES: Final = 20_000

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1::text || ':' || $2, 0))"
"""One at a time takes the last of a quota; held to the end of the transaction."""

_SPEND: Final = (
    "INSERT INTO quota_spending AS q (tenant_id, quota, month, amount) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (tenant_id, quota, month) DO UPDATE SET amount = q.amount + excluded.amount"
)

_used: OrderedDict[tuple[UUID, str], tuple[int, float]] = OrderedDict()


async def is_open(context: Context) -> bool:
    """Whether the tenant works in full: what acts by itself is silent where it is suspended, closed or expired."""
    return (await standing_of(context)).is_open(clock.now())


async def allows(context: Context, feature: str) -> bool:
    """Whether the tenant's plan opens that."""
    plan = (await standing_of(context)).plan(clock.now())
    return plan is None or feature in plan.features


async def require(context: Context, feature: str) -> None:
    """Lets pass whose plan opens that.

    Raises:
        PlanLacksFeature: it doesn't.
    """
    if not await allows(context, feature):
        raise PlanLacksFeature(feature=feature, reason=feature)


async def limit_of(context: Context, quota: str) -> int | None:
    """How much the plan allows at most; None: there is no limit."""
    plan = (await standing_of(context)).plan(clock.now())
    return plan.quotas.get(quota) if plan is not None else None


async def left(context: Context, quota: str) -> int | None:
    """How much is still there, not below 0, as counted at most ten seconds ago; None: there is no limit."""
    limit = await limit_of(context, quota)
    if limit is None:
        return None
    return max(limit - await _recently_used(context, quota), 0)


async def require_left(context: Context, quota: str) -> None:
    """Lets pass who has anything left of what can only be measured afterwards.

    Raises:
        OverQuota: nothing is left.
    """
    if await left(context, quota) == 0:
        raise _over(quota, await limit_of(context, quota) or 0, await _recently_used(context, quota))


async def use(ctx: Context, quota: str, amount: int = 1) -> None:
    """Lets pass who may add `amount` in the open transaction. Of two who want the last one, one is refused.

    Raises:
        OverQuota: so much isn't left.
    """
    limit = await limit_of(ctx, quota)
    if limit is None:
        return
    raw = await connection(ctx)
    await raw.execute(_LOCK, str(ctx.tenant_id), quota)
    used = await used_now(ctx, quota_named(quota))
    if used + amount > limit:
        raise _over(quota, limit, used)
    ctx.after_commit(lambda: _forget(ctx.tenant_id, quota))


async def spend(ctx: Context, quota: str, amount: int) -> None:
    """Adds to what the month has used, in the open transaction. Never refuses: what is spent is spent.

    One row per tenant and month, locked until the commit: call it last.
    """
    if amount <= 0:
        return
    raw = await connection(ctx)
    await raw.execute(_SPEND, ctx.tenant_id, quota, await _month(ctx), amount)


async def used_now(ctx: Context, quota: Quota) -> int:
    """How much is used, counted now in the open transaction."""
    if quota.count is not None:
        return await quota.count(ctx)
    spent = select(QuotaSpending.amount).where(
        QuotaSpending.quota == quota.name, QuotaSpending.month == await _month(ctx)
    )
    return await ctx.session.scalar(spent) or 0


def all_quotas() -> tuple[Quota, ...]:
    """What the loaded modules count, in their order."""
    return tuple(quota for module in load_modules() for quota in module.quotas)


def quota_named(name: str) -> Quota:
    """The quota of that name.

    Raises:
        LookupError: no loaded module declares it: a programming error.
    """
    for quota in all_quotas():
        if quota.name == name:
            return quota
    raise LookupError(f"no module declares the quota {name!r}")


async def _recently_used(context: Context, name: str) -> int:
    key = (context.tenant_id, name)
    kept = _used.get(key)
    if kept is not None and kept[1] > monotonic():
        return kept[0]
    quota = quota_named(name)
    if context.open_session is not None:
        used = await used_now(context, quota)
    else:
        async with transaction(context) as ctx:
            used = await used_now(ctx, quota)
    _used[key] = (used, monotonic() + USED_CACHE_SECONDS)
    _used.move_to_end(key)
    while len(_used) > CACHE_ENTRIES:
        _used.popitem(last=False)
    return used


async def _month(context: Context) -> date:
    return (await standing_of(context)).today(clock.now()).replace(day=1)


def _forget(tenant_id: UUID, quota: str) -> None:
    _used.pop((tenant_id, quota), None)


def _over(quota: str, limit: int, used: int) -> OverQuota:
    return OverQuota(reason=quota, quota=quota, limit=limit, used=used)
