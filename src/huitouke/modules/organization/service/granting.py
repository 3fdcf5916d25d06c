"""Nobody gives what they don't have: what the doer may do and see, read afresh, and the refusals that rest on it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel.context import (
    ALL_DATA,
    ActorKind,
    AllData,
    AllPermissions,
    Context,
    DataScope,
    Permissions,
    Scope,
)
from huitouke.kernel.errors import PermissionMissing
from huitouke.kernel.modules import load_modules
from huitouke.modules.organization.models import DataScopeKind, OwnRole, Staff
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.roles import EVERYTHING, OWN, permissions_of
from huitouke.modules.organization.service.scopes import chosen_departments, scope_of

MANAGE = "organization.manage"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far somebody sees: by their role's word, and what that comes to at present."""

    kind: DataScopeKind
    scope: Scope

    def covers(self, kind: str, departments: Collection[UUID]) -> bool:
        """Whether a role of that kind sees no further, whoever has it. `departments` are those it names.

        What a role sees of "the own department" depends on who has it; so who is held to chosen departments can't give
        it.
        """
        if isinstance(self.scope, AllData):
            return True
        match kind:
            case "own":
                return True
            case "department":
                return self.kind in ("department", "department_below")
            case "department_below":
                return self.kind == "department_below"
            case "chosen":
                holds_below = self.kind in ("department_below", "chosen")
                return holds_below and self.scope.department_ids.issuperset(departments)
            case _:
                return False


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


async def reach(ctx: Context) -> Reach:
    """How far the doer sees now, read afresh as `held` is."""
    if ctx.actor.kind is not ActorKind.STAFF:
        return Reach("all", ALL_DATA)
    staff = (
        await ctx.session.execute(
            select(Staff.id, Staff.role, Staff.role_id, OwnRole.data_scope)
            .outerjoin(OwnRole, OwnRole.id == Staff.role_id)
            .where(Staff.id == ctx.actor.id, Staff.state == "active")
        )
    ).one_or_none()
    if staff is None:
        return Reach("own", DataScope())
    scope = await scope_of(ctx, staff.id, staff.role, staff.role_id, staff.data_scope)
    return Reach("all" if isinstance(scope, AllData) else staff.data_scope, scope)


async def refuse_scope_beyond(ctx: Context, kind: str, departments: Collection[UUID] = ()) -> None:
    """Lets pass who sees at least as far as such a role. Raises ScopeBeyondYours."""
    if not (await reach(ctx)).covers(kind, departments):
        raise problems.ScopeBeyondYours(field="data_scope", permission=MANAGE)


async def refuse_departments_beyond(ctx: Context, departments: Collection[UUID]) -> None:
    """Lets pass who sees all of these departments: who is put into one sees, or lets others see, what is theirs.

    Raises ScopeBeyondYours.
    """
    mine = (await reach(ctx)).scope
    if isinstance(mine, DataScope) and not mine.department_ids.issuperset(departments):
        raise problems.ScopeBeyondYours(field="department_ids", permission=MANAGE)


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
        ScopeBeyondYours: the role sees further than the doer. Presets see all.
        OwnersOnly: it is the owners' role, and the doer is none.
    """
    if role == "owner":
        await only_owners(ctx)
    if role in EVERYTHING and not isinstance(await held(ctx), AllPermissions):
        raise problems.RoleBeyondYours(field="role", permission=MANAGE)
    named = own.permissions if own is not None and role == OWN else permissions_of(role, load_modules())
    await refuse_beyond(ctx, named)
    if own is not None and role == OWN:
        departments = await chosen_departments(ctx, own.id) if own.data_scope == "chosen" else ()
        await refuse_scope_beyond(ctx, own.data_scope, departments)
    else:
        await refuse_scope_beyond(ctx, "all")


async def only_owners(ctx: Context) -> None:
    """Lets owners pass, and what no person does. Raises OwnersOnly."""
    if ctx.actor.kind is not ActorKind.STAFF:
        return
    if await _role_of(ctx, ctx.actor.id) != "owner":
        raise problems.OwnersOnly(permission=MANAGE)


async def _role_of(ctx: Context, staff_id: UUID | None) -> str | None:
    role: str | None = await ctx.session.scalar(select(Staff.role).where(Staff.id == staff_id))
    return role
