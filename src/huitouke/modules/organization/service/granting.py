"""Nobody gives what they don't have: what the doer may do, read afresh, and the refusals that rest on it."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel.context import ActorKind, AllPermissions, Context, Permissions
from huitouke.kernel.errors import PermissionMissing
from huitouke.kernel.modules import load_modules
from huitouke.modules.organization.models import OwnRole, Staff
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.roles import EVERYTHING, OWN, permissions_of

MANAGE = "organization.manage"


async def held(ctx: Context) -> Permissions:
    """What the doer may do now. A session's permissions may be five seconds old: too old to pass rights on."""
    if ctx.actor.kind is not ActorKind.STAFF:
        return ctx.permissions
    staff = (
        await ctx.session.execute(
            select(Staff.role, OwnRole.permissions)
            .outerjoin(OwnRole, OwnRole.id == Staff.role_id)
            .where(Staff.id == ctx.actor.id, Staff.state == "active")
        )
    ).one_or_none()
    if staff is None:
        return frozenset()
    if staff.role in EVERYTHING:
        return AllPermissions()
    return permissions_of(staff.role, load_modules(), staff.permissions or ())


async def refuse_beyond(ctx: Context, permissions: Iterable[str]) -> None:
    """Lets pass who may manage the organization and has all of these.

    Raises:
        PermissionMissing: the doer may not manage (any more).
        RoleBeyondYours: the doer lacks one of these.
    """
    mine = await held(ctx)
    if MANAGE not in mine:
        raise PermissionMissing(permission=MANAGE)
    missing = sorted(one for one in set(permissions) if one not in mine)
    if missing:
        raise problems.RoleBeyondYours(field="role", permission=missing[0])


async def refuse_role_beyond(ctx: Context, role: str, own: OwnRole | None) -> None:
    """Lets pass who may give that role, take it away, or change who has it.

    Raises:
        PermissionMissing, RoleBeyondYours: as `refuse_beyond`.
        OwnersOnly: it is the owners' role, and the doer is none.
    """
    if role == "owner":
        await only_owners(ctx)
    if role in EVERYTHING and not isinstance(await held(ctx), AllPermissions):
        raise problems.RoleBeyondYours(field="role", permission=MANAGE)
    named = own.permissions if own is not None and role == OWN else permissions_of(role, load_modules())
    await refuse_beyond(ctx, named)


async def only_owners(ctx: Context) -> None:
    """Lets owners pass, and what no person does. Raises OwnersOnly."""
    if ctx.actor.kind is not ActorKind.STAFF:
        return
    if await _role_of(ctx, ctx.actor.id) != "owner":
        raise problems.OwnersOnly(permission=MANAGE)


async def _role_of(ctx: Context, staff_id: UUID | None) -> str | None:
    role: str | None = await ctx.session.scalar(select(Staff.role).where(Staff.id == staff_id))
    return role
