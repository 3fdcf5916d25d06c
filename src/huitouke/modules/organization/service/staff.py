"""The people who work for a tenant: founding, adding, changing, and what they may do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError

from huitouke.kernel import audit, clock, plans, realtime
from huitouke.kernel.access import Granted, links, second_factor
from huitouke.kernel.access import service as access
from huitouke.kernel.context import ActorKind, Context, job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import load_modules
from huitouke.kernel.operators import health
from huitouke.kernel.plans import measuring
from huitouke.kernel.plans.period import Subscription
from huitouke.kernel.scoping import NOBODYS, Owners
from huitouke.kernel.tenancy import Tenant
from huitouke.kernel.work import schedule
from huitouke.modules.organization.models import Onboarding, OwnRole, Staff
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.address_book import connected
from huitouke.modules.organization.service.granting import MANAGE, only_owners, refuse_role_beyond
from huitouke.modules.organization.service.notifying import Holders, tell
from huitouke.modules.organization.service.notifying.kinds import STAFF_INVITED, STAFF_JOINED
from huitouke.modules.organization.service.notifying.watching import KIND as WATCH
from huitouke.modules.organization.service.own_roles import begin_with_roles, role_to_give
from huitouke.modules.organization.service.roles import OWN, RoleKey, permissions_of
from huitouke.modules.organization.service.scopes import scope_of, who_see

MAX_NAME_CHARACTERS: Final = 40
MAX_STAFF: Final = 2_000
SEATS: Final = "seats"
"""The quota of people who sign in; disabled ones leave their seat to others."""

MAX_WECOM_USERID_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class NewStaff:
    """A person to add. Without a password they set their own by a link (`staff_link`)."""

    name: str
    sign_in_name: str
    password: Secret | None
    role: RoleKey
    wecom_userid: str | None = None
    notify_app_messages: bool = True


@dataclass(frozen=True, slots=True)
class StaffChange:
    """What to change; None leaves it. `wecom_userid` empty takes it away."""

    name: str | None = None
    role: RoleKey | None = None
    active: bool | None = None
    wecom_userid: str | None = None
    notify_app_messages: bool | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Founded:
    """A new tenant and its first owner."""

    tenant_id: UUID
    staff_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class StaffContact:
    """A person who may be told something in WeCom."""

    staff_id: UUID
    name: str
    wecom_userid: str


async def found_tenant(
    name: str, owner_sign_in_name: str, password: Secret, *, owner_name: str | None = None, simple: bool = False
) -> Founded:
    """Makes a tenant with its first owner, all or nothing; `simple` as for `found`.

    Raises InvalidInput, SignInNameTaken, WeakPassword.
    """
    owner = NewStaff(owner_name or owner_sign_in_name, owner_sign_in_name, password, "owner")
    async with transaction(job_context(new_id())) as ctx:
        return await found(ctx, name, owner, Subscription(), simple=simple)


async def found(ctx: Context, name: str, owner: NewStaff, plan: Subscription, *, simple: bool = False) -> Founded:
    """Makes the context's tenant, which is not there yet, in its open transaction, with that owner and plan.

    `simple`: it begins in simple mode, with the way of a new owner before it.

    Raises InvalidInput, SignInNameTaken, WeakPassword.
    """
    title, now = clean_name(name), clock.now()
    tenant = Tenant(id=ctx.tenant_id, name=title, created_at=now, plan_id=plan.plan_id, plan_expires_at=plan.expires_at)
    tenant.simple_mode = simple
    ctx.session.add(tenant)
    await ctx.session.flush()
    if simple:
        ctx.session.add(Onboarding(facts={}, started_at=now, updated_at=now))
    staff = await _insert(ctx, owner)
    if plan.plan_id is not None:
        await begin_with_roles(ctx, plan.plan_id)
    await audit.record(ctx, "organization.founded", "tenant", ctx.tenant_id, after={"name": title})
    for kind in (measuring.KIND, health.KIND, WATCH):
        await schedule(ctx, kind, now)
    return Founded(ctx.tenant_id, staff.id, _user_of(staff))


async def add_staff(ctx: Context, new: NewStaff) -> Staff:
    """Adds a person who can sign in at once.

    Raises InvalidInput, SignInNameTaken, WeakPassword, OwnersOnly, RoleBeyondYours, WecomUseridTaken, OverQuota.
    """
    name, own = await role_to_give(ctx, new.role)
    await refuse_role_beyond(ctx, name, own)
    if (await ctx.session.scalar(select(func.count(Staff.user_id))) or 0) >= MAX_STAFF:
        raise InvalidInput(field="name", reason="too_many", maximum=MAX_STAFF)
    await plans.use(ctx, SEATS)
    staff = await _insert(ctx, new)
    await audit.record(ctx, "organization.staff_added", "staff", staff.id, after=facts(staff, own))
    if new.password is None:
        await tell_invited(ctx, staff)
    return staff


async def update_staff(ctx: Context, staff_id: UUID, change: StaffChange) -> Staff:
    """Changes a person; a disabled one is signed out everywhere and can't come back in.

    Raises NotFound, InvalidInput, LastOwner, OwnersOnly, PersonBeyondYours, RoleBeyondYours, WecomUseridTaken,
    WeakPassword, HasLeft, AddressBookDecides, OverQuota.
    """
    role, own = (None, None) if change.role is None else await role_to_give(ctx, change.role)
    staff, owners = await locked(ctx, staff_id)
    had = await own_role(ctx, staff)
    await refuse_person_beyond(ctx, staff, had)
    before = facts(staff, had)
    if role is None:
        own = had
    elif (role, own) != (staff.role, had):
        await refuse_role_beyond(ctx, role, own)
    steps_down = staff.role == "owner" and (change.active is False or change.role not in (None, "owner"))
    if steps_down and not any(owner.id != staff_id and owner.state == "active" for owner in owners):
        raise problems.LastOwner
    await _refuse_what_the_book_decides(ctx, staff, change)
    if change.name is not None:
        staff.name = clean_name(change.name)
        if staff.user_id is not None:
            await access.rename_user(ctx, staff.user_id, staff.name)
    if role is not None:
        staff.role, staff.role_id = role, own.id if own is not None else None
    if change.wecom_userid is not None:
        staff.wecom_userid = clean_userid(change.wecom_userid)
    if change.notify_app_messages is not None:
        staff.notify_app_messages = change.notify_app_messages
    if change.password is not None:
        await access.set_password(ctx, _user_of(staff), change.password)
    if change.active is not None:
        await _set_active(ctx, staff, change.active)
    await flush(ctx)
    if staff.user_id is not None:
        access.rights_changed(ctx, staff.user_id)
    if (staff.role, own) != (before["role"], had):
        realtime.hint(ctx, kind="rights", id=staff.id)
    await audit.record(ctx, "organization.staff_changed", "staff", staff.id, before=before, after=facts(staff, own))
    return staff


async def staff_link(ctx: Context, staff_id: UUID) -> links.NewLink:
    """A link with which the person sets a password: an invitation, or for who has been in already a way back.

    It works once and ends the person's earlier links. Whoever gets it becomes the person, so only owners may make an
    owner's, and only who may do as much as the person theirs.

    Raises NotFound, OwnersOnly, PersonBeyondYours, StaffDisabled, WorksElsewhere.
    """
    staff, _ = await locked(ctx, staff_id)
    await refuse_person_beyond(ctx, staff, await own_role(ctx, staff))
    if staff.state != "active":
        raise problems.StaffDisabled
    user_id = _user_of(staff)
    invited = await access.without_password(ctx, [user_id])
    link = await links.make_link(ctx, user_id, "invitation" if invited else "reset")
    await audit.record(ctx, "organization.staff_link_made", "staff", staff.id, after={"kind": link.kind})
    return link


async def tell_invited(ctx: Context, staff: Staff) -> None:
    """The others who manage people learn of it."""
    await tell(
        ctx,
        STAFF_INVITED,
        Holders(MANAGE, but=ctx.actor.id),
        dedupe_key=f"staff_invited:{staff.id}",
        args={"name": staff.name},
        link="/settings/staff",
    )


async def tell_joined(ctx: Context, user_id: UUID, kind: links.LinkKind) -> None:
    """Somebody who was invited has set a password."""
    if kind != "invitation":
        return
    staff = await ctx.session.scalar(select(Staff).where(Staff.user_id == user_id))
    if staff is not None:
        await tell(
            ctx,
            STAFF_JOINED,
            Holders(MANAGE, but=staff.id),
            dedupe_key=f"staff_joined:{staff.id}",
            args={"name": staff.name},
            link="/settings/staff",
        )


async def remove_second_step(ctx: Context, staff_id: UUID) -> None:
    """Lets a colleague who lost the phone sign in with the password alone; nothing happens where it is off.

    As with links, only who may do as much as the person may do it, and only owners for an owner.

    Raises NotFound, OwnersOnly, PersonBeyondYours, OwnSecondStep, WorksElsewhere.
    """
    staff, _ = await locked(ctx, staff_id)
    if staff.id == ctx.actor.id:
        raise problems.OwnSecondStep
    await refuse_person_beyond(ctx, staff, await own_role(ctx, staff))
    if await second_factor.remove_for(ctx, _user_of(staff)):
        await audit.record(ctx, "organization.second_step_removed", "staff", staff.id, after={"name": staff.name})


async def resolve_access(ctx: Context, user_id: UUID) -> Granted | None:
    """What a signed-in user may do in this tenant and how far they see; None when they may not enter it."""
    found = (
        await ctx.session.execute(
            select(Staff.id, Staff.name, Staff.role, Staff.role_id, OwnRole.permissions, OwnRole.data_scope)
            .outerjoin(OwnRole, OwnRole.id == Staff.role_id)
            .where(Staff.user_id == user_id, Staff.state == "active")
        )
    ).one_or_none()
    if found is None:
        return None
    return Granted(
        staff_id=found.id,
        display_name=found.name,
        role=found.role,
        permissions=permissions_of(found.role, load_modules(), found.permissions or ()),
        scope=await scope_of(ctx, found.id, found.role, found.role_id, found.data_scope),
    )


async def seats_taken(ctx: Context) -> int:
    """How many people may sign in here."""
    taken = select(func.count(Staff.user_id)).where(Staff.state == "active")
    return await ctx.session.scalar(taken) or 0


async def staff_names(ctx: Context, staff_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Names by id, with one query; unknown ids are missing."""
    if not staff_ids:
        return {}
    rows = await ctx.session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(set(staff_ids))))
    return {row.id: row.name for row in rows}


async def active_staff_names(ctx: Context, staff_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Names by id of those who work here at present, with one query."""
    rows = await ctx.session.execute(
        select(Staff.id, Staff.name).where(Staff.id.in_(set(staff_ids)), Staff.state == "active")
    )
    return {row.id: row.name for row in rows}


async def names_by_wecom_userid(ctx: Context, userids: Sequence[str]) -> dict[str, str]:
    """Names of staff by their WeCom userid, with one query; people who are no staff of ours are missing."""
    if not userids:
        return {}
    rows = await ctx.session.execute(select(Staff.wecom_userid, Staff.name).where(Staff.wecom_userid.in_(set(userids))))
    return {cast(str, row.wecom_userid): row.name for row in rows}


async def staff_of_wecom_userid(ctx: Context, userid: str) -> Staff | None:
    """The active person with that WeCom account."""
    return await ctx.session.scalar(select(Staff).where(Staff.wecom_userid == userid, Staff.state == "active"))


async def staff_to_notify(ctx: Context, permission: str, *, of: Owners = NOBODYS) -> list[StaffContact]:
    """Active people with that permission who want app messages, whose WeCom account we know, and who see what belongs
    to `of`."""
    found = await ctx.session.execute(
        select(
            Staff.id, Staff.name, Staff.wecom_userid, Staff.role, Staff.role_id, OwnRole.permissions, OwnRole.data_scope
        )
        .outerjoin(OwnRole, OwnRole.id == Staff.role_id)
        .where(
            Staff.state == "active",
            Staff.user_id.is_not(None),
            Staff.notify_app_messages,
            Staff.wecom_userid.is_not(None),
        )
        .order_by(Staff.id)
        .limit(MAX_STAFF)
    )
    modules = load_modules()
    rows = [row for row in found if permission in permissions_of(row.role, modules, row.permissions or ())]
    seeing = await who_see(ctx, [(row.id, row.role, row.role_id, row.data_scope) for row in rows], of)
    return [StaffContact(row.id, row.name, cast(str, row.wecom_userid)) for row in rows if row.id in seeing]


async def _insert(ctx: Context, new: NewStaff) -> Staff:
    shop = await ctx.session.scalar(select(Tenant.name).where(Tenant.id == ctx.tenant_id))
    user_id = await access.create_user(
        ctx.session,
        sign_in_name=new.sign_in_name,
        password=new.password,
        display_name=clean_name(new.name),
        near=(shop,) if shop is not None else (),
    )
    staff = Staff(
        id=new_id(),
        user_id=user_id,
        name=clean_name(new.name),
        role=OWN if isinstance(new.role, UUID) else new.role,
        role_id=new.role if isinstance(new.role, UUID) else None,
        state="active",
        wecom_userid=clean_userid(new.wecom_userid or ""),
        notify_app_messages=new.notify_app_messages,
        source="hand",
        created_at=clock.now(),
    )
    ctx.session.add(staff)
    await flush(ctx)
    await access.add_membership(ctx, user_id)
    return staff


async def flush(ctx: Context) -> None:
    """Writes the person. Raises WecomUseridTaken."""
    try:
        async with ctx.session.begin_nested():
            await ctx.session.flush()
    except IntegrityError as error:
        raise problems.WecomUseridTaken(field="wecom_userid") from error


async def _set_active(ctx: Context, staff: Staff, active: bool) -> None:
    if staff.state == "left":
        raise problems.HasLeft
    if active and staff.state != "active" and staff.user_id is not None:
        await plans.use(ctx, SEATS)
    staff.state = "active" if active else "disabled"
    if staff.user_id is None:
        return
    if active:
        await access.add_membership(ctx, staff.user_id)
    else:
        await access.end_membership(ctx, staff.user_id)


async def _refuse_what_the_book_decides(ctx: Context, staff: Staff, change: StaffChange) -> None:
    """The next sync would take it back. Raises AddressBookDecides."""
    renames = change.name is not None and clean_name(change.name) != staff.name
    rebinds = change.wecom_userid is not None and clean_userid(change.wecom_userid) != staff.wecom_userid
    if staff.source == "wecom" and (renames or rebinds) and await connected(ctx):
        raise problems.AddressBookDecides(field="name" if renames else "wecom_userid")


def _user_of(staff: Staff) -> UUID:
    """The sign-in behind a person. Raises NoSignIn."""
    if staff.user_id is None:
        raise problems.NoSignIn
    return staff.user_id


async def own_role(ctx: Context, staff: Staff) -> OwnRole | None:
    """The role that the merchant made for people like this one; None where the person has a preset."""
    if staff.role != OWN:
        return None
    return await ctx.session.scalar(select(OwnRole).where(OwnRole.id == staff.role_id))


async def refuse_person_beyond(ctx: Context, staff: Staff, own: OwnRole | None) -> None:
    """Who changes a person could become the person: by a password, a link. Raises OwnersOnly, PersonBeyondYours."""
    if ctx.actor.kind is ActorKind.STAFF and ctx.actor.id == staff.id and staff.state == "active":
        return
    if staff.role == "owner":
        await only_owners(ctx)
    try:
        await refuse_role_beyond(ctx, staff.role, own)
    except problems.RoleBeyondYours as error:
        raise problems.PersonBeyondYours(**error.params) from error


async def locked(ctx: Context, staff_id: UUID) -> tuple[Staff, list[Staff]]:
    """The person and all owners, locked in one order, so that two owners can't both step down. Raises NotFound."""
    rows = list(
        await ctx.session.scalars(
            select(Staff).where(or_(Staff.id == staff_id, Staff.role == "owner")).order_by(Staff.id).with_for_update()
        )
    )
    for row in rows:
        if row.id == staff_id:
            return row, [one for one in rows if one.role == "owner"]
    raise NotFound(kind="staff")


def clean_name(name: str) -> str:
    """The name without odd blanks. Raises InvalidInput."""
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > MAX_NAME_CHARACTERS:
        raise InvalidInput(field="name", reason="length", maximum=MAX_NAME_CHARACTERS)
    return cleaned


def clean_userid(userid: str) -> str | None:
    """The WeCom account; None for none. Raises InvalidInput."""
    cleaned = userid.strip()
    if len(cleaned) > MAX_WECOM_USERID_CHARACTERS:
        raise InvalidInput(field="wecom_userid", reason="length", maximum=MAX_WECOM_USERID_CHARACTERS)
    return cleaned or None


def facts(staff: Staff, own: OwnRole | None) -> dict[str, object]:
    """What the log says of a person."""
    return {
        "name": staff.name,
        "role": staff.role,
        "role_name": own.name if own is not None else None,
        "state": staff.state,
        "wecom_userid": staff.wecom_userid,
        "notify_app_messages": staff.notify_app_messages,
    }
