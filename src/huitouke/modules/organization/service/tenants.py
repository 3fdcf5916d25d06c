"""What the platform operator does to tenants: making them, giving plans, suspending, restoring, closing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select, update

from huitouke.kernel import clock, realtime
from huitouke.kernel.access import links
from huitouke.kernel.access.models import User
from huitouke.kernel.access.service import NO_PASSWORD
from huitouke.kernel.access.signed_in import forget
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.operators.log import Doer, note_in_both
from huitouke.kernel.plans.catalogue import plan_to_give
from huitouke.kernel.plans.models import Plan
from huitouke.kernel.plans.period import Subscription
from huitouke.kernel.plans.standing import forget_standing
from huitouke.kernel.tenancy import Tenant
from huitouke.modules.organization.models import Staff
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.staff import Founded, NewStaff, found

KEEP_CLOSED: Final = timedelta(days=90)
"""How long a closed tenant's data are kept for whoever wants them back."""

MAX_REASON_CHARACTERS: Final = 200

Step = Literal["suspend", "restore", "close"]
When = Literal["now", "period_end"]

STEPS: Final[Mapping[Step, tuple[frozenset[str], str]]] = {
    "suspend": (frozenset({"active"}), "suspended"),
    "restore": (frozenset({"suspended", "closed"}), "active"),
    "close": (frozenset({"active", "suspended"}), "closed"),
}
"""From which states each step leads where."""

DONE: Final[Mapping[Step, str]] = {"suspend": "suspended", "restore": "restored", "close": "closed"}
"""What the logs call it."""


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant to make; its owner sets a password by the link."""

    name: str
    owner_name: str
    owner_sign_in_name: str
    plan_id: UUID | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Invited:
    """A new tenant, and the link for its owner."""

    founded: Founded
    link: links.NewLink


async def create_tenant(doer: Doer, new: NewTenant) -> Invited:
    """Makes a tenant whose owner is invited.

    Raises InvalidInput, SignInNameTaken, NotFound (the plan).
    """
    async with transaction(context_of(doer, new_id())) as ctx:
        plan = Subscription()
        if new.plan_id is not None:
            given = await plan_to_give(ctx.session, new.plan_id)
            plan = plan.changed_now(given.id, new.until, clock.now())
        owner = NewStaff(new.owner_name, new.owner_sign_in_name, None, "owner")
        founded = await found(ctx, new.name, owner, plan, simple=True)
        link = await links.make_link(ctx, founded.user_id, "invitation")
        facts = {"owner": new.owner_sign_in_name, **await _in_words(ctx, plan)}
        await note_in_both(ctx, doer, "tenant.created", new.name, after=facts)
    return Invited(founded, link)


async def give_plan(doer: Doer, tenant_id: UUID, plan_id: UUID | None, until: datetime | None, when: When) -> None:
    """Gives the tenant that plan, at once or when the present one's time is over; None takes all limits away.

    The same plan with a later end is a renewal; it restores an expired tenant.

    Raises NotFound, PlanEndTooEarly, PlanWithoutEnd, InvalidInput.
    """
    now = clock.now()
    async with transaction(context_of(doer, tenant_id)) as ctx:
        tenant = await _locked(ctx)
        had = Subscription(tenant.plan_id, tenant.plan_expires_at, tenant.next_plan_id, tenant.next_plan_expires_at).at(
            now
        )
        if plan_id is not None and plan_id not in (had.plan_id, had.next_plan_id):
            await plan_to_give(ctx.session, plan_id)
        if when == "now":
            has = had.changed_now(plan_id, until, now)
        elif plan_id is None:
            raise InvalidInput(field="plan_id", reason="missing")
        else:
            has = had.changed_at_end(plan_id, until, now)
        tenant.plan_id, tenant.plan_expires_at = has.plan_id, has.expires_at
        tenant.next_plan_id, tenant.next_plan_expires_at = has.next_plan_id, has.next_expires_at
        before, after = await _in_words(ctx, had), await _in_words(ctx, has)
        await note_in_both(ctx, doer, "tenant.plan_changed", tenant.name, before, after)
        ctx.after_commit(lambda: forget_standing(tenant_id))


async def move_tenant(doer: Doer, tenant_id: UUID, step: Step, reason: str | None = None) -> None:
    """Suspends, restores or closes a tenant; its people are told `reason`. Nothing is deleted.

    Its people are out at once; what customers write is received and kept.

    Raises NotFound, TenantStateConflict.
    """
    before, state = STEPS[step]
    why = " ".join((reason or "").split())[:MAX_REASON_CHARACTERS] or None
    async with transaction(context_of(doer, tenant_id)) as ctx:
        moved = (
            await ctx.session.execute(
                update(Tenant)
                .where(Tenant.id == tenant_id, Tenant.state.in_(before))
                .values(state=state, state_reason=why, state_changed_at=clock.now())
                .returning(Tenant.name)
            )
        ).one_or_none()
        if moved is None:
            found_state = await ctx.session.scalar(select(Tenant.state).where(Tenant.id == tenant_id))
            if found_state is None:
                raise NotFound(kind="tenant")
            raise problems.TenantStateConflict(state=found_state)
        await note_in_both(ctx, doer, f"tenant.{DONE[step]}", moved.name, after={"reason": why})
        ctx.after_commit(lambda: forget_standing(tenant_id))
        ctx.after_commit(lambda: forget(tenant_id=tenant_id))
        realtime.hint(ctx, kind="rights")  # sockets ask who is there now, in every process


async def invite_owner(doer: Doer, tenant_id: UUID) -> links.NewLink:
    """A new invitation for the first owner, who has not set a password yet; the earlier one ends.

    Raises NotFound (everybody has one).
    """
    async with transaction(context_of(doer, tenant_id)) as ctx:
        waiting = (
            select(Staff.user_id)
            .join(User, User.id == Staff.user_id)
            .where(Staff.role == "owner", Staff.state == "active", User.password_hash == NO_PASSWORD)
            .order_by(Staff.id)
            .limit(1)
        )
        user_id = await ctx.session.scalar(waiting)
        if user_id is None:
            raise NotFound(kind="invitation")
        link = await links.make_link(ctx, user_id, "invitation")
        await note_in_both(ctx, doer, "tenant.owner_invited", (await _locked(ctx)).name)
    return link


def context_of(doer: Doer, tenant_id: UUID) -> Context:
    """The context of what is done to a tenant from outside."""
    if doer.operator is not None:
        return doer.operator.context(tenant_id)
    return Context(tenant_id, Actor(ActorKind.PLATFORM_OPERATOR))


async def _locked(ctx: Context) -> Tenant:
    tenant = await ctx.session.scalar(select(Tenant).where(Tenant.id == ctx.tenant_id).with_for_update())
    if tenant is None:
        raise NotFound(kind="tenant")
    return tenant


async def _in_words(ctx: Context, plan: Subscription) -> dict[str, object]:
    """What the logs keep of a plan: its name then, not its id."""
    ids = [each for each in (plan.plan_id, plan.next_plan_id) if each is not None]
    rows = await ctx.session.execute(select(Plan.id, Plan.name).where(Plan.id.in_(ids)))
    names = {row.id: row.name for row in rows}
    words: dict[str, object] = {
        "plan": names.get(plan.plan_id) if plan.plan_id is not None else None,
        "until": plan.expires_at,
    }
    if plan.next_plan_id is not None:
        words |= {"next_plan": names.get(plan.next_plan_id), "next_until": plan.next_expires_at}
    return words
