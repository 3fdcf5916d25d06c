"""Who follows a customer (跟进人): whoever takes the conversation, is given it, answers, or is named by hand.

`customers.followed` is kept together with the followers. Its row is locked before a follower comes or goes, so that of
two changes at once each sees what the other left.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from huitouke.kernel import audit, clock, realtime
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.events import emit
from huitouke.kernel.scoping import Owners
from huitouke.modules.customers import sql
from huitouke.modules.customers.events import CustomerChanged
from huitouke.modules.customers.models import Customer, CustomerFollower
from huitouke.modules.organization import service as organization

MAX_FOLLOWERS: Final = 50
"""People who may be named by hand as one customer's followers."""


async def follow(ctx: Context, customer_id: UUID, staff_id: UUID) -> bool:
    """Somebody has the customer now: they follow. False, and one query, where they did already.

    The caller has found the customer within the actor's scope.
    """
    raw = await connection(ctx)
    place = ctx.tenant_id, customer_id, staff_id
    if await raw.fetchval(sql.FOLLOWS, *place):
        return False
    await raw.execute(sql.IS_FOLLOWED, ctx.tenant_id, customer_id)
    await raw.execute(sql.FOLLOW, *place, clock.now())
    realtime.sight_changed(ctx)
    return True


async def add_follower(ctx: Context, customer_id: UUID, staff_id: UUID) -> None:
    """Names somebody of the staff as the customer's follower. Naming them again changes nothing.

    Raises NotFound, InvalidInput.
    """
    await _locked(ctx, customer_id)
    name = (await organization.active_staff_names(ctx, [staff_id])).get(staff_id)
    if name is None:
        raise NotFound(field="staff_id", kind="staff")
    counted = select(func.count()).select_from(CustomerFollower).where(CustomerFollower.customer_id == customer_id)
    if (await ctx.session.scalar(counted) or 0) >= MAX_FOLLOWERS:
        raise InvalidInput(field="staff_id", reason="too_many", maximum=MAX_FOLLOWERS)
    if await follow(ctx, customer_id, staff_id):
        await audit.record(ctx, "customers.follower_added", "customer", customer_id, after={"name": name})
        await _told(ctx, customer_id)


async def remove_follower(ctx: Context, customer_id: UUID, staff_id: UUID) -> None:
    """They don't follow the customer any more; a customer whom nobody follows is seen by all. Raises NotFound."""
    await _locked(ctx, customer_id)
    raw = await connection(ctx)
    if await raw.fetchval(sql.UNFOLLOW, ctx.tenant_id, customer_id, staff_id) is None:
        raise NotFound(field="staff_id", kind="follower")
    await raw.execute(sql.STILL_FOLLOWED, ctx.tenant_id, customer_id)
    names = await organization.staff_names(ctx, [staff_id])
    await audit.record(
        ctx, "customers.follower_removed", "customer", customer_id, before={"name": names.get(staff_id, "")}
    )
    realtime.sight_changed(ctx)
    await _told(ctx, customer_id)


async def owners(ctx: Context, customer_ids: Sequence[UUID]) -> Mapping[UUID, Owners]:
    """To whom customers belong: their followers, with the followers' departments. Two queries."""
    rows = await ctx.session.execute(
        select(CustomerFollower.customer_id, CustomerFollower.staff_id).where(
            CustomerFollower.customer_id.in_(customer_ids)
        )
    )
    following: dict[UUID, set[UUID]] = {}
    for row in rows:
        following.setdefault(row.customer_id, set()).add(row.staff_id)
    return await organization.owners_of(ctx, following)


async def _locked(ctx: Context, customer_id: UUID) -> None:
    """Holds the customer's row until the transaction ends, if the actor sees it. Raises NotFound."""
    held = select(Customer.id).where(Customer.id == customer_id).with_for_update(key_share=True)
    if await ctx.session.scalar(held) is None:
        raise NotFound(kind="customer")


async def _told(ctx: Context, customer_id: UUID) -> None:
    await emit(ctx, CustomerChanged(customer_id=customer_id, fields=["followers"]))
    realtime.hint(ctx, kind="customer", id=customer_id)
