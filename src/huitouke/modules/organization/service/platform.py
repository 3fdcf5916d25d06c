"""What the operator has set for the installation, and shops that sign up by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel import clock
from huitouke.kernel.access import service as access
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.errors import InvalidInput
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.operators.models import PlatformSettings
from huitouke.kernel.plans.catalogue import plan_to_give
from huitouke.kernel.plans.models import Plan
from huitouke.kernel.plans.period import Subscription
from huitouke.modules.organization.operator_schemas import SettingsBody
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.staff import NewStaff, found

MAX_SIGN_UPS_PER_ADDRESS: Final = 10
"""Tries within a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class SignUp:
    """A shop that its owner makes."""

    shop_name: str
    owner_name: str
    sign_in_name: str
    password: Secret


async def settings(session: AsyncSession) -> SettingsBody:
    """What holds; nobody signs up where nothing was set."""
    row = await session.scalar(select(PlatformSettings))
    if row is None:
        return SettingsBody(sign_up_open=False, sign_up_plan_id=None)
    return SettingsBody(sign_up_open=row.sign_up_open, sign_up_plan_id=row.sign_up_plan_id)


async def change_settings(session: AsyncSession, wanted: SettingsBody) -> None:
    """Opens or closes sign-up. Raises NotFound (the plan), InvalidInput (it is not for trying)."""
    if wanted.sign_up_plan_id is not None:
        plan = await plan_to_give(session, wanted.sign_up_plan_id)
        if plan.trial_days is None:
            raise InvalidInput(field="sign_up_plan_id", reason="no_trial")
    elif wanted.sign_up_open:
        raise InvalidInput(field="sign_up_plan_id", reason="missing")
    values = {"sign_up_open": wanted.sign_up_open, "sign_up_plan_id": wanted.sign_up_plan_id}
    await session.execute(
        insert(PlatformSettings).values(id=1, **values).on_conflict_do_update(index_elements=["id"], set_=values)
    )


async def open_sign_up(session: AsyncSession, plan_id: UUID) -> None:
    """Lets shops sign up and try that plan. Raises NotFound, InvalidInput."""
    await change_settings(session, SettingsBody(sign_up_open=True, sign_up_plan_id=plan_id))


async def trial() -> Plan | None:
    """The plan that shops try who sign up; None while nobody may."""
    async with platform_transaction() as session:
        wanted = await settings(session)
        if not wanted.sign_up_open or wanted.sign_up_plan_id is None:
            return None
        return await session.scalar(select(Plan).where(Plan.id == wanted.sign_up_plan_id))


async def sign_up(wish: SignUp, *, address: str | None = None, user_agent: str | None = None) -> access.NewSession:
    """Makes a shop with its owner, on trial, and signs the owner in; all or nothing.

    Raises:
        SignUpClosed: the operator has not opened it.
        SignInThrottled: too many tries from this address.
        InvalidInput, SignInNameTaken, WeakPassword: what was filled in can't be used.
    """
    plan = await trial()
    if plan is None:
        raise problems.SignUpClosed
    await access.count_attempts({f"sign-up:{address}": MAX_SIGN_UPS_PER_ADDRESS} if address else {})
    until = clock.now() + timedelta(days=plan.trial_days) if plan.trial_days is not None else None
    context: Context = job_context(new_id())
    async with transaction(context) as ctx:
        owner = NewStaff(wish.owner_name, wish.sign_in_name, wish.password, "owner")
        founded = await found(ctx, wish.shop_name, owner, Subscription(plan.id, until), simple=True)
        return await access.open_session(ctx.session, founded.user_id, founded.tenant_id, address, user_agent)
