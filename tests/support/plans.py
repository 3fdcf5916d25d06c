"""Plans for tests: a plan of its own per test, and a tenant that has it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update

from huitouke.kernel import clock
from huitouke.kernel.database import platform_transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.plans.models import Plan
from huitouke.kernel.plans.standing import forget_standing
from huitouke.kernel.tenancy import Tenant

LONG = timedelta(days=30)


async def make_plan(*features: str, name: str = "试试", **quotas: int) -> UUID:
    """A plan that opens these features and limits these quotas."""
    plan_id = new_id()
    async with platform_transaction() as session:
        session.add(
            Plan(
                id=plan_id,
                key=plan_id.hex,
                name=name,
                name_en="Try it",
                features=list(features),
                quotas=quotas,
                trial_days=None,
                position=100,
                archived=False,
                version=1,
            )
        )
    return plan_id


async def give_plan(tenant_id: UUID, plan_id: UUID | None, until: datetime | None = None) -> None:
    """The tenant has that plan from now on."""
    async with platform_transaction() as session:
        await session.execute(
            update(Tenant).where(Tenant.id == tenant_id).values(plan_id=plan_id, plan_expires_at=until)
        )
    forget_standing(tenant_id)


async def give_limits(tenant_id: UUID, *features: str, **quotas: int) -> None:
    """The tenant has a plan without end that opens and limits just that."""
    await give_plan(tenant_id, await make_plan(*features, **quotas))


async def let_expire(tenant_id: UUID) -> None:
    """The time of the tenant's plan was over a minute ago."""
    await give_plan(tenant_id, await make_plan("assistant", "own_roles"), clock.now() - timedelta(minutes=1))
