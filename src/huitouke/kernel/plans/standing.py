"""How a tenant stands with the installation: its state and plan, cached at most five seconds per process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from time import monotonic
from types import MappingProxyType
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel.context import DEFAULT_LOCALE, Context
from huitouke.kernel.database import platform_transaction
from huitouke.kernel.plans.period import Subscription

CACHE_SECONDS: Final = 5.0
CACHE_ENTRIES: Final = 10_000

_READ: Final = text(
    "SELECT t.state, t.state_reason, t.simple_mode, t.time_zone, t.plan_id, t.plan_expires_at,"
    " t.next_plan_id, t.next_plan_expires_at,"
    " p.name AS p_name, p.name_en AS p_name_en, p.features AS p_features, p.quotas AS p_quotas,"
    " n.name AS n_name, n.name_en AS n_name_en, n.features AS n_features, n.quotas AS n_quotas"
    " FROM tenants AS t LEFT JOIN plans AS p ON p.id = t.plan_id LEFT JOIN plans AS n ON n.id = t.next_plan_id"
    " WHERE t.id = :tenant_id"
)


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a plan opens and limits."""

    id: UUID
    name: str
    name_en: str
    features: frozenset[str]
    quotas: Mapping[str, int]

    def title(self, locale: str) -> str:
        """Its name in that language."""
        return self.name if locale == DEFAULT_LOCALE or not self.name_en else self.name_en


@dataclass(frozen=True, slots=True)
class Standing:
    """State, plan and time zone of a tenant; what holds at a moment is asked with that moment."""

    state: str = "closed"
    reason: str | None = None
    time_zone: str = "Asia/Shanghai"
    subscription: Subscription = field(default_factory=Subscription)
    plans: Mapping[UUID, PlanFacts] = field(default_factory=lambda: MappingProxyType({}))
    simple_mode: bool = False
    """Whether its people see the few pages that a new owner needs."""

    def plan(self, now: datetime) -> PlanFacts | None:
        """The plan that holds then; None: no limits."""
        plan_id = self.subscription.at(now).plan_id
        return self.plans[plan_id] if plan_id is not None else None

    def next_plan(self, now: datetime) -> PlanFacts | None:
        """The one that follows it."""
        plan_id = self.subscription.at(now).next_plan_id
        return self.plans[plan_id] if plan_id is not None else None

    def expires_at(self, now: datetime) -> datetime | None:
        """When the time of the plan that holds is over."""
        return self.subscription.at(now).expires_at

    def read_only(self, now: datetime) -> bool:
        """Whether everything can be seen and nothing changed."""
        return self.subscription.expired(now)

    def is_open(self, now: datetime) -> bool:
        """Whether it works in full: neither suspended, closed nor expired."""
        return self.state == "active" and not self.read_only(now)

    def today(self, now: datetime) -> date:
        """The day in the tenant's time zone."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()


_cache: OrderedDict[UUID, tuple[Standing, float]] = OrderedDict()
_generation = 0
"""Counts what was forgotten, so that an answer already on its way isn't kept after it."""


async def standing_of(context: Context) -> Standing:
    """How the context's tenant stands; asks in its open transaction where there is one."""
    return await _cached(context.tenant_id, context.open_session)


async def standing_of_tenant(tenant_id: UUID) -> Standing:
    """The same before there is a context."""
    return await _cached(tenant_id, None)


def forget_standing(tenant_id: UUID | None = None) -> None:
    """What was changed counts at once in this process, in others within five seconds. None: of all tenants."""
    global _generation
    _generation += 1
    if tenant_id is None:
        _cache.clear()
    else:
        _cache.pop(tenant_id, None)


async def _cached(tenant_id: UUID, session: AsyncSession | None) -> Standing:
    kept = _cache.get(tenant_id)
    if kept is not None and kept[1] > monotonic():
        return kept[0]
    generation = _generation
    if session is not None:
        found = await _read(session, tenant_id)
    else:
        async with platform_transaction() as own:
            found = await _read(own, tenant_id)
    if generation == _generation:
        _cache[tenant_id] = (found, monotonic() + CACHE_SECONDS)
        _cache.move_to_end(tenant_id)
        while len(_cache) > CACHE_ENTRIES:
            _cache.popitem(last=False)
    return found


async def _read(session: AsyncSession, tenant_id: UUID) -> Standing:
    row = (await session.execute(_READ, {"tenant_id": tenant_id})).one_or_none()
    if row is None:
        return Standing()
    plans = {}
    if row.plan_id is not None:
        plans[row.plan_id] = PlanFacts(row.plan_id, row.p_name, row.p_name_en, frozenset(row.p_features), row.p_quotas)
    if row.next_plan_id is not None:
        plans[row.next_plan_id] = PlanFacts(
            row.next_plan_id, row.n_name, row.n_name_en, frozenset(row.n_features), row.n_quotas
        )
    subscription = Subscription(row.plan_id, row.plan_expires_at, row.next_plan_id, row.next_plan_expires_at)
    return Standing(row.state, row.state_reason, row.time_zone, subscription, plans, row.simple_mode)
