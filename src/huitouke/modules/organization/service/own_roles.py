"""The roles that a merchant makes: made, changed with a version, taken away once nobody has them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError

from huitouke.kernel import audit, clock, plans, realtime
from huitouke.kernel.access import service as access
from huitouke.kernel.context import Context
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import load_modules
from huitouke.modules.organization.models import OwnRole, Staff
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.granting import refuse_beyond, refuse_role_beyond
from huitouke.modules.organization.service.roles import OWN, RoleKey

MAX_ROLES: Final = 50
OWN_ROLES: Final = "own_roles"
"""What a plan opens for making more of them; those that are there go on."""

MAX_ROLE_NAME_CHARACTERS: Final = 20


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What to change; None leaves it. `version` is the one that the change was made from."""

    version: int
    name: str | None = None
    permissions: Sequence[str] | None = None


async def create_role(ctx: Context, name: str, permissions: Sequence[str]) -> OwnRole:
    """Makes a role that nobody has yet.

    Raises InvalidInput, PermissionMissing, RoleBeyondYours, RoleNameTaken, PlanLacksFeature.
    """
    await plans.require(ctx, OWN_ROLES)
    chosen = _registered(permissions)
    await refuse_beyond(ctx, chosen)
    if (await ctx.session.scalar(select(func.count(OwnRole.id))) or 0) >= MAX_ROLES:
        raise InvalidInput(field="name", reason="too_many", maximum=MAX_ROLES)
    now = clock.now()
    role = OwnRole(
        id=new_id(),
        name=_role_name(name),
        permissions=sorted(chosen),
        data_scope="all",
        created_at=now,
        updated_at=now,
        version=1,
    )
    ctx.session.add(role)
    await _flush(ctx)
    await audit.record(ctx, "organization.role_added", "role", role.id, after=_facts(role))
    return role


async def update_role(ctx: Context, role_id: UUID, change: RoleChange) -> OwnRole:
    """Changes a role; what its people may do follows at once. Permissions of modules that are gone stay in it.

    Raises NotFound, InvalidInput, PermissionMissing, RoleBeyondYours, RoleChanged, RoleNameTaken.
    """
    (role,) = await _locked(ctx, role_id)
    if role.version != change.version:
        raise problems.RoleChanged(version=role.version)
    before = _facts(role)
    asleep = set(role.permissions) - load_modules().permissions()
    chosen = set(role.permissions) if change.permissions is None else _registered(change.permissions) | asleep
    await refuse_beyond(ctx, chosen.union(role.permissions))
    if change.name is not None:
        role.name = _role_name(change.name)
    role.permissions = sorted(chosen)
    if _facts(role) == before:
        return role
    role.version += 1
    role.updated_at = clock.now()
    await _flush(ctx)
    access.rights_changed(ctx, *_users(await ctx.session.scalars(select(Staff.user_id).where(*_people(role.id)))))
    realtime.hint(ctx, kind="rights")
    await audit.record(ctx, "organization.role_changed", "role", role.id, before=before, after=_facts(role))
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
    await audit.record(ctx, "organization.role_deleted", "role", role_id, before=_facts(role), after=after)
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


def _facts(role: OwnRole) -> dict[str, object]:
    return {"name": role.name, "permissions": list(role.permissions)}
