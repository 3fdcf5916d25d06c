"""An operator enters a tenant: asks, is let in for so long by an owner, and every step stands in the tenant's log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update

from huitouke.kernel import audit, clock, realtime
from huitouke.kernel.access import service as access
from huitouke.kernel.access.models import UserSession
from huitouke.kernel.access.signed_in import forget
from huitouke.kernel.context import Context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.operators.log import Doer, note_in_both
from huitouke.kernel.operators.models import TenantVisit
from huitouke.kernel.operators.signing_in import Operator
from huitouke.kernel.tenancy import Tenant
from huitouke.modules.organization.models import Staff
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.granting import only_owners

HOURS: Final = (1, 24)
"""For how long an owner may let somebody in."""

SHOWN: Final = 50
MAX_REASON_CHARACTERS: Final = 200


async def ask(operator: Operator, tenant_id: UUID, reason: str) -> TenantVisit:
    """Asks the tenant's owners to let the operator in; they are told why.

    Raises NotFound, InvalidInput, VisitPending.
    """
    why = " ".join(reason.split())
    if not why or len(why) > MAX_REASON_CHARACTERS:
        raise InvalidInput(field="reason", reason="length", maximum=MAX_REASON_CHARACTERS)
    async with transaction(operator.context(tenant_id)) as ctx:
        name = await ctx.session.scalar(select(Tenant.name).where(Tenant.id == tenant_id).with_for_update())
        if name is None:
            raise NotFound(kind="tenant")
        waiting = select(TenantVisit.id).where(
            TenantVisit.tenant_id == tenant_id, TenantVisit.user_id == operator.user_id, TenantVisit.state == "asked"
        )
        if await ctx.session.scalar(waiting.limit(1)) is not None:
            raise problems.VisitPending
        visit = TenantVisit(
            id=new_id(),
            tenant_id=tenant_id,
            user_id=operator.user_id,
            operator=operator.display_name,
            reason=why,
            state="asked",
            asked_at=clock.now(),
        )
        ctx.session.add(visit)
        await note_in_both(ctx, Doer(operator), "visit.asked", name, after={"reason": why})
        realtime.hint(ctx, kind="visits")
    return visit


async def grant(ctx: Context, visit_id: UUID, hours: int) -> TenantVisit:
    """Lets the operator in for so many hours, counted from now. Owners only.

    Raises NotFound, InvalidInput, OwnersOnly, VisitAnswered.
    """
    await only_owners(ctx)
    if hours not in HOURS:
        raise InvalidInput(field="hours", reason="visit_hours")
    visit = await _moved(ctx, visit_id, "asked", "granted", until=clock.now() + timedelta(hours=hours))
    await audit.record(ctx, "platform.visit.granted", "visit", visit_id, after=_facts(visit))
    return visit


async def refuse(ctx: Context, visit_id: UUID) -> TenantVisit:
    """Keeps the operator out. Owners only.

    Raises NotFound, OwnersOnly, VisitAnswered.
    """
    await only_owners(ctx)
    visit = await _moved(ctx, visit_id, "asked", "refused")
    await audit.record(ctx, "platform.visit.refused", "visit", visit_id, after=_facts(visit))
    return visit


async def end(ctx: Context, visit_id: UUID) -> TenantVisit:
    """Ends a visit at once, by an owner or by the operator: the operator's sessions here are over.

    Raises NotFound, OwnersOnly, VisitAnswered.
    """
    await only_owners(ctx)
    visit = await _moved(ctx, visit_id, "granted", "ended", ended_at=clock.now())
    await ctx.session.execute(
        delete(UserSession).where(UserSession.tenant_id == ctx.tenant_id, UserSession.visit_id == visit_id)
    )
    ctx.after_commit(lambda: forget(user_ids=[visit.user_id]))
    realtime.hint(ctx, kind="rights")  # the operator's sockets ask who is there now
    await audit.record(ctx, "platform.visit.ended", "visit", visit_id, after=_facts(visit))
    return visit


async def enter(operator: Operator, visit_id: UUID, *, user_agent: str | None = None) -> access.NewSession:
    """A session in the tenant's console, until the visit is over.

    Raises NotFound (none of the operator's, not granted, or over).
    """
    visit = await visit_of(operator, visit_id)
    now = clock.now()
    if visit.state != "granted" or visit.until is None or visit.until <= now:
        raise NotFound(kind="visit")
    async with transaction(operator.context(visit.tenant_id)) as ctx:
        opened = await access.open_session(
            ctx.session,
            operator.user_id,
            visit.tenant_id,
            operator.address,
            user_agent,
            visit=(visit.id, visit.until),
        )
        name = await ctx.session.scalar(select(Tenant.name).where(Tenant.id == visit.tenant_id)) or ""
        await note_in_both(ctx, Doer(operator), "visit.entered", name, after={"until": visit.until})
    return opened


async def leave(operator: Operator, visit_id: UUID) -> None:
    """The operator has done what was to be done. Raises NotFound, VisitAnswered."""
    visit = await visit_of(operator, visit_id)
    async with transaction(operator.context(visit.tenant_id)) as ctx:
        await end(ctx, visit_id)


async def visit_of(operator: Operator, visit_id: UUID) -> TenantVisit:
    """A visit of that operator. Raises NotFound."""
    async with platform_transaction() as session:
        visit = await session.scalar(
            select(TenantVisit).where(TenantVisit.id == visit_id, TenantVisit.user_id == operator.user_id)
        )
    if visit is None:
        raise NotFound(kind="visit")
    return visit


async def visits(ctx: Context) -> Sequence[TenantVisit]:
    """The tenant's newest 50 visits, newest first."""
    rows = await ctx.session.scalars(
        select(TenantVisit).where(TenantVisit.tenant_id == ctx.tenant_id).order_by(TenantVisit.id.desc()).limit(SHOWN)
    )
    return rows.all()


def state_of(visit: TenantVisit) -> str:
    """Its state now: what was granted and has come to its end is ended."""
    over = visit.state == "granted" and visit.until is not None and visit.until <= clock.now()
    return "ended" if over else visit.state


async def _moved(ctx: Context, visit_id: UUID, before: str, after: str, **more: object) -> TenantVisit:
    """The visit in its new state; who was slower is refused. Raises NotFound, VisitAnswered."""
    answer = {"answered_at": clock.now(), "answered_by": await _doer(ctx)} if before == "asked" else {}
    visit: TenantVisit | None = await ctx.session.scalar(
        update(TenantVisit)
        .where(TenantVisit.tenant_id == ctx.tenant_id, TenantVisit.id == visit_id, TenantVisit.state == before)
        .values(state=after, **answer, **more)
        .returning(TenantVisit)
    )
    if visit is not None:
        realtime.hint(ctx, kind="visits")
        return visit
    there = select(TenantVisit.id).where(TenantVisit.tenant_id == ctx.tenant_id, TenantVisit.id == visit_id)
    if await ctx.session.scalar(there) is None:
        raise NotFound(kind="visit")
    raise problems.VisitAnswered


async def _doer(ctx: Context) -> str | None:
    name: str | None = await ctx.session.scalar(select(Staff.name).where(Staff.id == ctx.actor.id))
    return name


def _facts(visit: TenantVisit) -> dict[str, object]:
    return {"operator": visit.operator, "reason": visit.reason, "until": visit.until}
