"""People of the address book: entered by hand, put into departments, invited to sign in, left and come back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, insert, select

from huitouke.kernel import audit, clock, plans, realtime
from huitouke.kernel.access import links
from huitouke.kernel.access import service as access
from huitouke.kernel.context import Context
from huitouke.kernel.errors import InvalidInput
from huitouke.kernel.ids import new_id
from huitouke.modules.organization.models import Staff, StaffDepartment
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.address_book import connected
from huitouke.modules.organization.service.departments import departments_there
from huitouke.modules.organization.service.granting import refuse_departments_beyond, refuse_role_beyond
from huitouke.modules.organization.service.notifying.choosing import forget_choices
from huitouke.modules.organization.service.own_roles import role_to_give
from huitouke.modules.organization.service.roles import RoleKey
from huitouke.modules.organization.service.staff import (
    MAX_STAFF,
    SEATS,
    clean_name,
    clean_userid,
    facts,
    flush,
    locked,
    own_role,
    refuse_person_beyond,
    tell_invited,
)

MAX_DEPARTMENTS_EACH: Final = 20
MAX_PEOPLE: Final = 200_000


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody to enter, who doesn't sign in (yet)."""

    name: str
    wecom_userid: str = ""
    department_ids: frozenset[UUID] = frozenset()


async def add_person(ctx: Context, new: NewPerson) -> Staff:
    """Enters a person without a sign-in.

    Raises InvalidInput, NotFound (a department), WecomUseridTaken, ScopeBeyondYours.
    """
    if (await ctx.session.scalar(select(func.count()).select_from(Staff)) or 0) >= MAX_PEOPLE:
        raise InvalidInput(field="name", reason="too_many", maximum=MAX_PEOPLE)
    staff = Staff(
        id=new_id(),
        name=clean_name(new.name),
        role="agent",
        state="active",
        wecom_userid=clean_userid(new.wecom_userid),
        notify_app_messages=False,
        source="hand",
        created_at=clock.now(),
    )
    ctx.session.add(staff)
    await flush(ctx)
    await _place(ctx, staff.id, new.department_ids)
    await audit.record(ctx, "organization.staff_added", "staff", staff.id, after=facts(staff, None))
    realtime.hint(ctx, kind="staff", id=staff.id)
    return staff


async def put_in_departments(ctx: Context, staff_id: UUID, department_ids: frozenset[UUID]) -> Staff:
    """Puts a person into these departments and no others; whom they lead stays where they stay.

    Raises NotFound, InvalidInput, AddressBookDecides, ScopeBeyondYours.
    """
    staff, _ = await locked(ctx, staff_id)
    if staff.source == "wecom" and await connected(ctx):
        raise problems.AddressBookDecides(field="department_ids")
    before = set(
        await ctx.session.scalars(select(StaffDepartment.department_id).where(StaffDepartment.staff_id == staff_id))
    )
    await ctx.session.execute(
        delete(StaffDepartment)
        .where(StaffDepartment.staff_id == staff_id, StaffDepartment.department_id.in_(before - department_ids))
        .execution_options(synchronize_session=False)
    )
    await _place(ctx, staff_id, department_ids, but=before)
    await audit.record(
        ctx,
        "organization.staff_moved",
        "staff",
        staff_id,
        before={"departments": sorted(str(one) for one in before)},
        after={"departments": sorted(str(one) for one in department_ids)},
    )
    realtime.hint(ctx, kind="rights", id=staff_id)
    realtime.hint(ctx, kind="staff", id=staff_id)
    return staff


async def invite(ctx: Context, staff_id: UUID, sign_in_name: str, role: RoleKey) -> links.NewLink:
    """Gives a person a sign-in name and a role, and makes the link with which they set a password.

    Raises NotFound, InvalidInput, HasLeft, HasSignIn, StaffDisabled, SignInNameTaken, OwnersOnly, RoleBeyondYours,
    OverQuota.
    """
    name, own = await role_to_give(ctx, role)
    await refuse_role_beyond(ctx, name, own)
    staff, _ = await locked(ctx, staff_id)
    if staff.user_id is not None:
        raise problems.HasSignIn
    if staff.state == "left":
        raise problems.HasLeft
    if staff.state != "active":
        raise problems.StaffDisabled
    if (await ctx.session.scalar(select(func.count(Staff.user_id))) or 0) >= MAX_STAFF:
        raise InvalidInput(field="sign_in_name", reason="too_many", maximum=MAX_STAFF)
    await plans.use(ctx, SEATS)
    staff.user_id = await access.create_user(
        ctx.session, sign_in_name=sign_in_name, password=None, display_name=staff.name
    )
    staff.role, staff.role_id = name, own.id if own is not None else None
    staff.notify_app_messages = staff.wecom_userid is not None
    await ctx.session.flush()
    await access.add_membership(ctx, staff.user_id)
    link = await links.make_link(ctx, staff.user_id, "invitation")
    await audit.record(ctx, "organization.staff_invited", "staff", staff.id, after=facts(staff, own))
    await tell_invited(ctx, staff)
    realtime.hint(ctx, kind="staff", id=staff_id)
    return link


async def resign(ctx: Context, staff_id: UUID) -> Staff:
    """Marks a person as left: signed out everywhere at once, everything they did stays.

    Raises NotFound, YouYourself, LastOwner, OwnersOnly, PersonBeyondYours.
    """
    staff, owners = await locked(ctx, staff_id)
    if staff.state == "left":
        return staff
    if staff.id == ctx.actor.id:
        raise problems.YouYourself
    own = await own_role(ctx, staff)
    await refuse_person_beyond(ctx, staff, own)
    if staff.role == "owner" and not any(one.id != staff_id and one.state == "active" for one in owners):
        raise problems.LastOwner
    staff.state, staff.left_at, staff.left_because = "left", clock.now(), "hand"
    await ctx.session.flush()
    if staff.user_id is not None:
        await access.end_membership(ctx, staff.user_id)
    await forget_choices(ctx, [staff.id])
    await audit.record(
        ctx, "organization.staff_left", "staff", staff_id, after={**facts(staff, own), "because": "hand"}
    )
    realtime.hint(ctx, kind="staff", id=staff_id)
    return staff


async def take_back(ctx: Context, staff_id: UUID) -> Staff:
    """Somebody who left works here again, with the sign-in they had.

    Raises NotFound, OwnersOnly, PersonBeyondYours, OverQuota.
    """
    staff, _ = await locked(ctx, staff_id)
    if staff.state != "left":
        return staff
    own = await own_role(ctx, staff)
    await refuse_person_beyond(ctx, staff, own)
    if staff.user_id is not None:
        await plans.use(ctx, SEATS)
    staff.state, staff.left_at, staff.left_because = "active", None, None
    await ctx.session.flush()
    if staff.user_id is not None:
        await access.add_membership(ctx, staff.user_id)
    await audit.record(ctx, "organization.staff_back", "staff", staff_id, after=facts(staff, own))
    realtime.hint(ctx, kind="staff", id=staff_id)
    return staff


async def _place(
    ctx: Context, staff_id: UUID, department_ids: frozenset[UUID], but: Sequence[UUID] | set[UUID] = ()
) -> None:
    if len(department_ids) > MAX_DEPARTMENTS_EACH:
        raise InvalidInput(field="department_ids", reason="too_many", maximum=MAX_DEPARTMENTS_EACH)
    if not department_ids:
        return
    await departments_there(ctx, department_ids)
    await refuse_departments_beyond(ctx, department_ids.difference(but))
    rows = [
        {"tenant_id": ctx.tenant_id, "staff_id": staff_id, "department_id": one, "leads": False}
        for one in department_ids.difference(but)
    ]
    if rows:
        await ctx.session.execute(insert(StaffDepartment), rows)
