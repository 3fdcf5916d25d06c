"""Loads the demo merchant: its tenant and owner, then what each module brings, in module order."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import select, text, update

from huitouke.demo.run import PASSWORD, SIGN_IN_NAME
from huitouke.kernel import audit
from huitouke.kernel.access.models import User
from huitouke.kernel.context import job_context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.demo import DemoWorld
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import Modules
from huitouke.kernel.operators.signing_in import add_operator
from huitouke.kernel.plans.models import Plan
from huitouke.kernel.plans.standing import forget_standing
from huitouke.kernel.tenancy import Tenant
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.service import platform

TENANT_NAME: Final = "拾光衣橱"
OWNER_NAME: Final = "林店长"
LOADED: Final = "kernel.demo_loaded"
OPERATOR_NAME: Final = "platform"
"""Signs in at /operator, with the demo's password."""

PLAN_KEY: Final = "standard"

log = structlog.get_logger(__name__)


async def load(modules: Modules, *, public_url: str, sandbox_url: str | None) -> bool:
    """Makes the demo merchant; False when it is there already. One that was left half-made is put aside first."""
    if await _is_loaded():
        return False
    await _put_aside()
    founded = await organization.found_tenant(TENANT_NAME, SIGN_IN_NAME, Secret(PASSWORD), owner_name=OWNER_NAME)
    context = job_context(founded.tenant_id)
    world = DemoWorld(context=context, public_url=public_url, sandbox_url=sandbox_url)
    world.facts["owner_staff_id"] = founded.staff_id
    await _platform(founded.tenant_id)
    for module in modules:
        if module.demo is not None:
            log.info("demo.loading", module=module.name)
            await module.demo(context, world)
    async with transaction(context) as ctx:
        await audit.record(ctx, LOADED, "tenant", founded.tenant_id)
    return True


async def _platform(tenant_id: UUID) -> None:
    """Who runs the demo, the shop's plan, and shops that may sign up."""
    await add_operator(OPERATOR_NAME, Secret(PASSWORD))
    async with platform_transaction() as session:
        plan_id = await session.scalar(select(Plan.id).where(Plan.key == PLAN_KEY))
        await session.execute(update(Tenant).where(Tenant.id == tenant_id).values(plan_id=plan_id))
        if plan_id is not None:
            await platform.open_sign_up(session, plan_id)
    forget_standing(tenant_id)


async def _is_loaded() -> bool:
    """Whether the demo's owner exists and every module has finished."""
    async with platform_transaction() as session:
        found = await session.execute(
            text(
                "SELECT m.tenant_id FROM users AS u JOIN memberships AS m ON m.user_id = u.id"
                " WHERE u.sign_in_name = :name"
            ),
            {"name": SIGN_IN_NAME},
        )
        tenants = found.scalars().all()
    for tenant_id in tenants:
        async with transaction(job_context(tenant_id)) as ctx:
            entries = select(audit.AuditEntry.id).where(audit.AuditEntry.action == LOADED).limit(1)
            if (await ctx.session.execute(entries)).scalar_one_or_none() is not None:
                return True
    return False


async def _put_aside() -> None:
    """Frees the demo's sign-in name after a run that was broken off; its tenant stays, closed."""
    async with platform_transaction() as session:
        owner = (await session.execute(select(User.id).where(User.sign_in_name == SIGN_IN_NAME))).scalar_one_or_none()
        if owner is None:
            return
        await session.execute(
            text(
                "UPDATE tenants SET state = 'closed'"
                " WHERE id IN (SELECT tenant_id FROM memberships WHERE user_id = :id)"
            ),
            {"id": owner},
        )
        await session.execute(
            update(User)
            .where(User.id == owner)
            .values(sign_in_name=f"{SIGN_IN_NAME}-{new_id().hex[-8:]}", state="disabled")
        )
