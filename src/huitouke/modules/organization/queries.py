"""Reads of the organization that are more than a lookup."""

from collections.abc import Iterable, Sequence
from typing import Final, cast
from uuid import UUID

from sqlalchemy import Select, exists, func, select

from huitouke.kernel.access.models import SecondFactor, User
from huitouke.kernel.access.service import NO_PASSWORD
from huitouke.kernel.callbacks import Endpoint
from huitouke.kernel.callbacks.models import CallbackEndpoint
from huitouke.kernel.callbacks.service import opened
from huitouke.kernel.context import ActorKind, AllPermissions, Context, Permissions
from huitouke.kernel.errors import NotFound
from huitouke.kernel.locales import has_text, translate
from huitouke.kernel.modules import load_modules
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of
from huitouke.modules.organization.models import DataScopeKind, OwnRole, RoleDepartment, Staff
from huitouke.modules.organization.schemas import PermissionGroup, PermissionOut, RoleOut, RolesOut, StaffOut
from huitouke.modules.organization.service.granting import MANAGE, reach
from huitouke.modules.organization.service.own_roles import MAX_CHOSEN_DEPARTMENTS, MAX_ROLES
from huitouke.modules.organization.service.roles import EVERYTHING, OWN, PRESET_NAMES, permissions_of

LAST: Final = 1_000
"""Place of what has no line in the menu."""


async def staff_page(ctx: Context, cursor: str | None, limit: int) -> Page[StaffOut]:
    """The staff with their sign-in names, in the order they were added."""
    statement = _staff().order_by(Staff.id).limit(limit + 1)
    if cursor is not None:
        (after,) = decode_cursor(cursor, UUID)
        statement = statement.where(Staff.id > after)
    found = (await ctx.session.execute(statement)).all()
    rows = [staff_out(*row) for row in found]
    return page_of(rows, limit, lambda row: encode_cursor(row.id))


async def staff_member(ctx: Context, staff_id: UUID) -> StaffOut:
    """One person who signs in. Raises NotFound."""
    row = (await ctx.session.execute(_staff().where(Staff.id == staff_id))).one_or_none()
    if row is None:
        raise NotFound(kind="staff")
    return staff_out(*row)


def _staff() -> Select[Staff, str, bool, str | None, bool]:
    """The staff with their sign-in names, whether they have yet to set a password, their own role's name, and whether
    a code is asked for."""
    second_step = exists().where(SecondFactor.user_id == Staff.user_id, SecondFactor.confirmed_at.is_not(None))
    invited = (User.password_hash == NO_PASSWORD).label("invited")
    return (
        select(Staff, User.sign_in_name, invited, OwnRole.name, second_step.label("second_step"))
        .join(User, User.id == Staff.user_id)
        .outerjoin(OwnRole, OwnRole.id == Staff.role_id)
        .where(Staff.state != "left")
    )


def staff_out(row: Staff, sign_in_name: str, invited: bool, role_name: str | None, second_step: bool) -> StaffOut:
    """The row as the API shows it."""
    return StaffOut.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "sign_in_name": sign_in_name,
            "role": row.role,
            "role_id": row.role_id if row.role == OWN else None,
            "role_name": role_name if row.role == OWN else None,
            "state": "invited" if invited and row.state == "active" else row.state,
            "wecom_userid": row.wecom_userid,
            "notify_app_messages": row.notify_app_messages,
            "second_step": second_step,
            "created_at": row.created_at,
        }
    )


async def roles(ctx: Context, mine: Permissions) -> RolesOut:
    """Presets and own roles with the number of their people, and what may be allowed. `mine`: what the asker may do.

    A fixed number of queries, of at most MAX_ROLES rows and one row per role that somebody has.
    """
    modules = load_modules()
    counted = await ctx.session.execute(
        select(Staff.role, Staff.role_id, func.count(Staff.user_id).label("people"))
        .where(Staff.user_id.is_not(None))
        .group_by(Staff.role, Staff.role_id)
    )
    people: dict[str, int] = {}
    for row in counted:
        key = str(row.role_id) if row.role == OWN else row.role
        people[key] = people.get(key, 0) + row.people
    own = (await ctx.session.scalars(select(OwnRole).order_by(OwnRole.id).limit(MAX_ROLES))).all()
    chosen = await _chosen(ctx)
    sees = await reach(ctx)
    everything, yours = isinstance(mine, AllPermissions), await _key_of_asker(ctx)
    owner = yours == "owner" or ctx.actor.kind is not ActorKind.STAFF
    found = [
        RoleOut(
            key=preset,
            preset=preset,
            name=None,
            permissions=sorted(permissions := permissions_of(preset, modules)),
            data_scope="all",
            department_ids=[],
            people=people.get(preset, 0),
            grantable=owner
            if preset == "owner"
            else everything
            if preset in EVERYTHING
            else _within(permissions, mine) and sees.covers("all", ()),
            yours=preset == yours,
            version=None,
            updated_at=None,
        )
        for preset in PRESET_NAMES
    ]
    found += [
        RoleOut(
            key=str(role.id),
            preset=None,
            name=role.name,
            permissions=sorted(permissions_of(OWN, modules, role.permissions)),
            data_scope=cast(DataScopeKind, role.data_scope),
            department_ids=chosen.get(role.id, []),
            people=people.get(str(role.id), 0),
            grantable=_within(role.permissions, mine) and sees.covers(role.data_scope, chosen.get(role.id, ())),
            yours=str(role.id) == yours,
            version=role.version,
            updated_at=role.updated_at,
        )
        for role in own
    ]
    return RolesOut(items=found, groups=_groups(ctx.locale), maximum=MAX_ROLES)


async def role(ctx: Context, role_id: UUID, mine: Permissions) -> RoleOut:
    """One own role; there must be one."""
    return next(one for one in (await roles(ctx, mine)).items if one.key == str(role_id))


async def _chosen(ctx: Context) -> dict[UUID, list[UUID]]:
    """The departments that roles name, by role."""
    rows = await ctx.session.execute(
        select(RoleDepartment.role_id, RoleDepartment.department_id)
        .order_by(RoleDepartment.role_id, RoleDepartment.department_id)
        .limit(MAX_ROLES * MAX_CHOSEN_DEPARTMENTS)
    )
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        found.setdefault(row.role_id, []).append(row.department_id)
    return found


async def _key_of_asker(ctx: Context) -> str | None:
    """The key of the role of the person who asks; None where no person does."""
    row = (await ctx.session.execute(select(Staff.role, Staff.role_id).where(Staff.id == ctx.actor.id))).one_or_none()
    if row is None:
        return None
    return str(row.role_id) if row.role == OWN else row.role


def _within(permissions: Iterable[str], mine: Permissions) -> bool:
    return MANAGE in mine and all(one in mine for one in permissions)


def _groups(locale: str) -> list[PermissionGroup]:
    """What modules let roles allow, in the order of the console's menu; what has no line there comes last."""
    modules = load_modules()
    place = {module.name: min((entry.order for entry in module.menu), default=LAST) for module in modules}
    return [
        PermissionGroup(
            module=module.name,
            label=translate(locale, f"modules.{module.name}") if has_text(f"modules.{module.name}") else module.name,
            permissions=[
                PermissionOut(
                    name=one.name,
                    label=translate(locale, f"permissions.{one.name}"),
                    hint=translate(locale, hint) if has_text(hint := f"permissions.{one.name}.hint") else None,
                )
                for one in module.permissions
            ],
        )
        for module in sorted(modules, key=lambda module: place[module.name])
        if module.permissions
    ]


async def callback_endpoints(ctx: Context, app_ids: Sequence[UUID]) -> dict[UUID, Endpoint]:
    """The newest callback address of each app, with its secrets, in one query."""
    rows = await ctx.session.scalars(
        select(CallbackEndpoint).where(CallbackEndpoint.reference_id.in_(app_ids)).order_by(CallbackEndpoint.id)
    )
    return {row.reference_id: opened(row) for row in rows}
