"""The roles that a merchant makes: made, changed with a version, taken away once nobody has them.

A role says what its people may do, and whose customers they see.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from huitouke.kernel import audit, clock, plans, realtime
from huitouke.kernel.access import service as access
from huitouke.kernel.context import Context
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import load_modules
from huitouke.kernel.plans.models import Plan
from huitouke.modules.organization.models import DataScopeKind, Department, OwnRole, RoleDepartment, Staff
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.granting import refuse_beyond, refuse_role_beyond, refuse_scope_beyond
from huitouke.modules.organization.service.roles import OWN, RoleKey, permissions_of
from huitouke.modules.organization.service.scopes import chosen_departments

MAX_ROLES: Final = 50
OWN_ROLES: Final = "own_roles"
"""What a plan opens for making more of them; those that are there go on."""

MAX_ROLE_NAME_CHARACTERS: Final = 20
MAX_CHOSEN_DEPARTMENTS: Final = 200


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What to change; None leaves it. `version` is the one that the change was made from."""

    version: int
    name: str | None = None
    permissions: Sequence[str] | None = None
    data_scope: DataScopeKind | None = None
    department_ids: Sequence[UUID] | None = None
    """For the scope `chosen`: which departments, each with those below it. Other scopes name none."""


async def create_role(
    ctx: Context,
    name: str,
    permissions: Sequence[str],
    data_scope: DataScopeKind = "all",
    department_ids: Sequence[UUID] = (),
) -> OwnRole:
    """Makes a role that nobody has yet.

    Raises NotFound, InvalidInput, PermissionMissing, RoleBeyondYours, ScopeBeyondYours, RoleNameTaken,
    PlanLacksFeature.
    """
    await plans.require(ctx, OWN_ROLES)
    departments = await _departments(ctx, department_ids)
    chosen = _registered(permissions)
    await refuse_beyond(ctx, chosen)
    await _check_scope(ctx, data_scope, departments)
    if (await ctx.session.scalar(select(func.count(OwnRole.id))) or 0) >= MAX_ROLES:
        raise InvalidInput(field="name", reason="too_many", maximum=MAX_ROLES)
    now = clock.now()
    role = OwnRole(
        id=new_id(),
        name=_role_name(name),
        permissions=sorted(chosen),
        data_scope=data_scope,
        created_at=now,
        updated_at=now,
        version=1,
    )
    ctx.session.add(role)
    await _flush(ctx)
    await _choose(ctx, role, departments)
    await audit.record(ctx, "organization.role_added", "role", role.id, after=await _facts(ctx, role))
    return role


async def begin_with_roles(ctx: Context, plan_id: UUID) -> None:
    """The roles with which a new tenant on that plan begins: whoever founds it gives nobody more than they have."""
    starting = await ctx.session.scalar(select(Plan.roles).where(Plan.id == plan_id)) or []
    now, modules = clock.now(), load_modules()
    ctx.session.add_all(
        OwnRole(
            id=new_id(),
            name=role["name"],
            permissions=sorted(permissions_of(role["like"], modules)),
            data_scope="all",
            created_at=now,
            updated_at=now,
            version=1,
        )
        for role in starting
    )
    await ctx.session.flush()


async def update_role(ctx: Context, role_id: UUID, change: RoleChange) -> OwnRole:
    """Changes a role; what its people may do follows at once. Permissions of modules that are gone stay in it.

    Raises NotFound, InvalidInput, PermissionMissing, RoleBeyondYours, ScopeBeyondYours, RoleChanged, RoleNameTaken.
    """
    named = await _departments(ctx, change.department_ids or ())
    (role,) = await _locked(ctx, role_id)
    if role.version != change.version:
        raise problems.RoleChanged(version=role.version)
    before = await _facts(ctx, role)
    had = await chosen_departments(ctx, role.id)
    asleep = set(role.permissions) - load_modules().permissions()
    chosen = set(role.permissions) if change.permissions is None else _registered(change.permissions) | asleep
    await refuse_beyond(ctx, chosen.union(role.permissions))
    await refuse_scope_beyond(ctx, role.data_scope, had)
    data_scope = change.data_scope or role.data_scope
    departments = had if change.department_ids is None else named
    await _check_scope(ctx, data_scope, departments)
    if change.name is not None:
        role.name = _role_name(change.name)
    role.permissions = sorted(chosen)
    role.data_scope = data_scope
    await _choose(ctx, role, departments)
    after = await _facts(ctx, role)
    if after == before:
        return role
    role.version += 1
    role.updated_at = clock.now()
    await _flush(ctx)
    access.rights_changed(ctx, *_users(await ctx.session.scalars(select(Staff.user_id).where(*_people(role.id)))))
    realtime.hint(ctx, kind="rights")
    await audit.record(ctx, "organization.role_changed", "role", role.id, before=before, after=after)
    return role


async def delete_role(ctx: Context, role_id: UUID, move_to: RoleKey | None = None) -> None:
    """Takes a role away, once the people who have it were given `move_to`.

    Raises NotFound, InvalidInput, PermissionMissing, RoleBeyondYours, OwnersOnly, and RoleInUse when people have the
    role and nothing is said about them.
    """
    if move_to == role_id:
        raise InvalidInput(field="move_to", reason="same")
    role, *others = await _locked(ctx, role_id, *([move_to] if isinstance(move_to, UUID) else []))
    await refuse_beyond(ctx, role.permissions)
    await refuse_scope_beyond(ctx, role.data_scope, await chosen_departments(ctx, role_id))
    people = await ctx.session.scalar(select(func.count(Staff.id)).where(*_people(role_id))) or 0
    after: dict[str, object] | None = None
    if people:
        if move_to is None:
            raise problems.RoleInUse(people=people)
        name = OWN if isinstance(move_to, UUID) else move_to
        own = others[0] if others else None
        await refuse_role_beyond(ctx, name, own)
        to = {"role": name, "role_id": own.id if own is not None else None}
        moved = await ctx.session.scalars(update(Staff).where(*_people(role_id)).values(**to).returning(Staff.user_id))
        access.rights_changed(ctx, *_users(moved))
        realtime.hint(ctx, kind="rights")
        after = {"people": people, "role": name, "role_name": own.name if own is not None else None}
    # Processes of the release before give another role without looking at this column.
    await ctx.session.execute(update(Staff).where(Staff.role_id == role_id).values(role_id=None))
    await audit.record(ctx, "organization.role_deleted", "role", role_id, before=await _facts(ctx, role), after=after)
    await ctx.session.delete(role)
    await ctx.session.flush()


async def role_to_give(ctx: Context, key: RoleKey) -> tuple[str, OwnRole | None]:
    """What stands in `staff` for that role, which can't be changed or deleted until the transaction ends.

    Raises NotFound.
    """
    if not isinstance(key, UUID):
        return key, None
    role = await ctx.session.scalar(select(OwnRole).where(OwnRole.id == key).with_for_update(read=True))
    if role is None:
        raise NotFound(field="role", kind="role")
    return OWN, role


def _users(found: Iterable[UUID | None]) -> list[UUID]:
    """Those who sign in."""
    return [one for one in found if one is not None]


def _people(role_id: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The condition for the people who have that role."""
    return Staff.role == OWN, Staff.role_id == role_id


async def _locked(ctx: Context, role_id: UUID, *others: UUID) -> list[OwnRole]:
    """The roles, locked in one order so that two deletions don't wait for each other. Raises NotFound."""
    rows = await ctx.session.scalars(
        select(OwnRole).where(OwnRole.id.in_([role_id, *others])).order_by(OwnRole.id).with_for_update()
    )
    found = {row.id: row for row in rows}
    if role_id not in found:
        raise NotFound(kind="role")
    if not found.keys() >= set(others):
        raise NotFound(field="move_to", kind="role")
    return [found[one] for one in (role_id, *others)]


def _registered(permissions: Iterable[str]) -> set[str]:
    chosen = set(permissions)
    if not chosen <= load_modules().permissions():
        raise InvalidInput(field="permissions", reason="unknown")
    return chosen


def _role_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > MAX_ROLE_NAME_CHARACTERS:
        raise InvalidInput(field="name", reason="length", maximum=MAX_ROLE_NAME_CHARACTERS)
    return cleaned


async def _flush(ctx: Context) -> None:
    try:
        async with ctx.session.begin_nested():
            await ctx.session.flush()
    except IntegrityError as error:
        raise problems.RoleNameTaken(field="name") from error


async def _departments(ctx: Context, department_ids: Sequence[UUID]) -> list[UUID]:
    """Those departments, which must exist. Raises NotFound, InvalidInput."""
    wanted = set(department_ids)
    if len(wanted) > MAX_CHOSEN_DEPARTMENTS:
        raise InvalidInput(field="department_ids", reason="too_many", maximum=MAX_CHOSEN_DEPARTMENTS)
    if not wanted:
        return []
    found = (await ctx.session.scalars(select(Department.id).where(Department.id.in_(wanted)))).all()
    if len(found) < len(wanted):
        raise NotFound(field="department_ids", kind="department")
    return sorted(found)


async def _check_scope(ctx: Context, data_scope: str, departments: Sequence[UUID]) -> None:
    """Raises InvalidInput where nothing is chosen, ScopeBeyondYours."""
    if data_scope == "chosen" and not departments:
        raise InvalidInput(field="department_ids", reason="missing")
    await refuse_scope_beyond(ctx, data_scope, departments)


async def _choose(ctx: Context, role: OwnRole, departments: Sequence[UUID]) -> None:
    """Writes which departments the role names: none unless its scope is `chosen`."""
    wanted = set(departments) if role.data_scope == "chosen" else set()
    had = set(await chosen_departments(ctx, role.id))
    if had - wanted:
        of_role = RoleDepartment.role_id == role.id, RoleDepartment.department_id.in_(had - wanted)
        await ctx.session.execute(delete(RoleDepartment).where(*of_role).execution_options(synchronize_session=False))
    ctx.session.add_all(RoleDepartment(role_id=role.id, department_id=one) for one in sorted(wanted - had))
    await ctx.session.flush()


async def _facts(ctx: Context, role: OwnRole) -> dict[str, object]:
    facts: dict[str, object] = {
        "name": role.name,
        "permissions": list(role.permissions),
        "data_scope": role.data_scope,
    }
    if role.data_scope == "chosen":
        names = select(Department.name).join(RoleDepartment, RoleDepartment.department_id == Department.id)
        chosen = await ctx.session.scalars(names.where(RoleDepartment.role_id == role.id).order_by(Department.name))
        facts["departments"] = list(chosen)
    return facts
