"""What the operator sees of tenants: platform tables only, which jobs of the tenants fill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel import clock
from huitouke.kernel.errors import NotFound
from huitouke.kernel.locales import translate
from huitouke.kernel.operators.models import TenantHealth, TenantVisit
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of
from huitouke.kernel.plans.models import Plan
from huitouke.kernel.plans.period import Subscription
from huitouke.kernel.plans.service import all_quotas
from huitouke.kernel.tenancy import Tenant
from huitouke.modules.organization.operator_schemas import (
    HealthOut,
    Sign,
    TenantDetail,
    TenantRow,
    UsageOut,
    VisitRow,
)
from huitouke.modules.organization.service.visits import SHOWN, state_of

TenantState = Literal["active", "suspended", "closed"]

_USED: Final = text(
    "SELECT t.id AS tenant_id, k.kind, last.amount"
    " FROM unnest(CAST(:tenants AS uuid[])) AS t (id) CROSS JOIN unnest(CAST(:kinds AS text[])) AS k (kind)"
    " CROSS JOIN LATERAL (SELECT u.amount FROM tenant_usage AS u WHERE u.tenant_id = t.id AND u.kind = k.kind"
    " ORDER BY u.day DESC LIMIT 1) AS last"
)
"""The newest figure of each kind and tenant: one step in the key each, however many days are kept."""


async def tenant_page(
    session: AsyncSession, locale: str, q: str | None, state: TenantState | None, cursor: str | None, limit: int
) -> Page[TenantRow]:
    """Tenants, newest first, with their last figures; `q` is part of a name."""
    query = select(Tenant).order_by(Tenant.id.desc()).limit(limit + 1)
    if q:
        query = query.where(func.strpos(func.lower(Tenant.name), q.strip().lower()) > 0)
    if state is not None:
        query = query.where(Tenant.state == state)
    if cursor is not None:
        query = query.where(Tenant.id < decode_cursor(cursor, UUID)[0])
    page = page_of((await session.scalars(query)).all(), limit, lambda tenant: encode_cursor(tenant.id))
    return Page(items=await _rows(session, page.items, locale), next_cursor=page.next_cursor)


async def tenant_detail(session: AsyncSession, tenant_id: UUID, locale: str) -> TenantDetail:
    """One tenant with its health, its latest visits and what follows its plan. Raises NotFound."""
    tenant = await session.scalar(select(Tenant).where(Tenant.id == tenant_id))
    if tenant is None:
        raise NotFound(kind="tenant")
    (row,) = await _rows(session, [tenant], locale)
    visits = await session.scalars(
        select(TenantVisit).where(TenantVisit.tenant_id == tenant_id).order_by(TenantVisit.id.desc()).limit(SHOWN)
    )
    return TenantDetail(
        **row.model_dump(),
        time_zone=tenant.time_zone,
        state_reason=tenant.state_reason,
        state_changed_at=tenant.state_changed_at,
        visits=[visit_row(visit) for visit in visits],
    )


def visit_row(visit: TenantVisit) -> VisitRow:
    """A visit as both sides see it."""
    return VisitRow(
        id=visit.id,
        operator_id=visit.user_id,
        operator=visit.operator,
        reason=visit.reason,
        state=state_of(visit),
        asked_at=visit.asked_at,
        answered_at=visit.answered_at,
        answered_by=visit.answered_by,
        until=visit.until,
        ended_at=visit.ended_at or (visit.until if state_of(visit) == "ended" else None),
    )


async def _rows(session: AsyncSession, tenants: Sequence[Tenant], locale: str) -> list[TenantRow]:
    now = clock.now()
    ids = [tenant.id for tenant in tenants]
    held = {
        tenant.id: Subscription(
            tenant.plan_id, tenant.plan_expires_at, tenant.next_plan_id, tenant.next_plan_expires_at
        ).at(now)
        for tenant in tenants
    }
    plans = {plan.id: plan for plan in (await session.scalars(select(Plan))).all()}
    used = await _used(session, ids)
    healths = {
        row.tenant_id: row
        for row in (await session.scalars(select(TenantHealth).where(TenantHealth.tenant_id.in_(ids)))).all()
    }
    rows = []
    for tenant in tenants:
        plan = held[tenant.id]
        present = plans.get(plan.plan_id) if plan.plan_id is not None else None
        following = plans.get(plan.next_plan_id) if plan.next_plan_id is not None else None
        rows.append(
            TenantRow(
                id=tenant.id,
                name=tenant.name,
                state=tenant.state,
                created_at=tenant.created_at,
                plan_id=plan.plan_id,
                plan_name=title(present, locale),
                plan_expires_at=plan.expires_at,
                read_only=plan.expired(now),
                next_plan_id=plan.next_plan_id,
                next_plan_name=title(following, locale),
                next_plan_expires_at=plan.next_expires_at,
                usage=_usage(used.get(tenant.id, {}), present, locale),
                health=_health(healths.get(tenant.id), locale),
            )
        )
    return rows


def title(plan: Plan | None, locale: str) -> str | None:
    """The plan's name in that language."""
    if plan is None:
        return None
    return plan.name if locale == "zh-CN" or not plan.name_en else plan.name_en


async def _used(session: AsyncSession, tenant_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    found: dict[UUID, dict[str, int]] = {}
    kinds = [quota.name for quota in all_quotas()]
    for row in (await session.execute(_USED, {"tenants": list(tenant_ids), "kinds": kinds})).all():
        found.setdefault(row.tenant_id, {})[row.kind] = row.amount
    return found


def _usage(used: dict[str, int], plan: Plan | None, locale: str) -> list[UsageOut]:
    return [
        UsageOut(
            name=quota.name,
            label=translate(locale, f"quotas.{quota.name}"),
            unit=quota.unit,
            used=used.get(quota.name),
            limit=plan.quotas.get(quota.name) if plan is not None else None,
        )
        for quota in all_quotas()
    ]


def _health(row: TenantHealth | None, locale: str) -> HealthOut | None:
    if row is None:
        return None
    signs = [
        Sign(name=name, label=translate(locale, f"health.{name}", count=count), count=count)
        for name, count in row.signs.items()
    ]
    return HealthOut(
        measured_at=row.measured_at,
        last_callback_at=row.last_callback_at,
        dead_letters=row.dead_letters,
        signs=signs,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
        good=not signs and not row.dead_letters,
    )
