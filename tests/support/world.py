"""The smallest world a test needs: a tenant of its own."""

from dataclasses import dataclass
from uuid import UUID

from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import platform_transaction
from huitouke.kernel.tenancy import create_tenant


@dataclass(frozen=True)
class World:
    """A tenant, and the context of a job in it, which may do everything."""

    tenant_id: UUID
    context: Context


async def make_world(name: str = "测试商户") -> World:
    """A fresh tenant, committed."""
    async with platform_transaction() as session:
        tenant = await create_tenant(session, name)
    return World(tenant.id, job_context(tenant.id))
