"""The tenants of this installation."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel import clock
from huitouke.kernel.database import Base, PlatformScoped
from huitouke.kernel.ids import new_id

DEFAULT_TIME_ZONE = "Asia/Shanghai"


class Tenant(PlatformScoped, Base):
    """A merchant. `state` is active, suspended or closed; `placement` names its database server."""

    __tablename__ = "tenants"
    scope_reason = "the list of tenants itself; holds no tenant's business data"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(default="active")
    time_zone: Mapped[str] = mapped_column(default=DEFAULT_TIME_ZONE)
    placement: Mapped[str] = mapped_column(default="default")
    created_at: Mapped[datetime]
    plan_id: Mapped[UUID | None]
    """None: no plan, hence no limits."""
    plan_expires_at: Mapped[datetime | None]
    next_plan_id: Mapped[UUID | None]
    """Takes over when the plan's time is over (`kernel/plans/period.py`)."""
    next_plan_expires_at: Mapped[datetime | None]
    state_reason: Mapped[str | None]
    """Why it is suspended or closed, in words for its people."""
    state_changed_at: Mapped[datetime | None]
    simple_mode: Mapped[bool] = mapped_column(default=False)
    """Its people see the few pages that a new owner needs; all others stay reachable."""


async def create_tenant(session: AsyncSession, name: str, *, time_zone: str = DEFAULT_TIME_ZONE) -> Tenant:
    """Adds a tenant in a platform transaction; its modules' rows come in transactions of its own."""
    tenant = Tenant(id=new_id(), name=name, time_zone=time_zone, created_at=clock.now())
    session.add(tenant)
    await session.flush()
    return tenant
