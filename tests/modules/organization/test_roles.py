"""Roles that a merchant makes: who may make, give and change them, and what follows for the people who have them."""

import asyncio
import random
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import select, update

from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.context import Actor, ActorKind, Context, job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound, PermissionMissing, Problem
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import load_modules
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.models import OwnRole, Staff
from huitouke.modules.organization.service import NewStaff, RoleChange, StaffChange, problems
from huitouke.modules.organization.service.own_roles import MAX_ROLES
from huitouke.modules.organization.service.roles import PRESET_NAMES, RoleKey, permissions_of
from tests.support.http import PASSWORD, application, signed_in

DESK = ("conversations.view", "conversations.reply")
HALF = ("organization.manage", "customers.view", "customers.edit")
"""What somebody may do who manages people and customers, and nothing else."""


EVERY = sorted(load_modules().permissions())


class Shop:
    """A founded tenant. What names no doer is done by nobody in particular, who may do everything."""

    def __init__(self, tenant_id: UUID, owner_id: UUID, sign_in_name: str) -> None:
        self.context = job_context(tenant_id)
        self.owner_id = owner_id
        self.sign_in_name = sign_in_name

    def acting(self, staff: Staff | UUID) -> Context:
        staff_id = staff if isinstance(staff, UUID) else staff.id
        return Context(self.context.tenant_id, Actor(ActorKind.STAFF, staff_id), load_modules().permissions())

    async def role(self, *permissions: str, name: str | None = None, by: Context | None = None) -> OwnRole:
        async with transaction(by or self.context) as ctx:
            return await organization.create_role(ctx, name or f"role {new_id().hex[-8:]}", permissions)

    async def changes_role(self, role: OwnRole, by: Context | None = None, **change: object) -> OwnRole:
        async with transaction(by or self.context) as ctx:
            return await organization.update_role(ctx, role.id, RoleChange(**{"version": role.version, **change}))  # type: ignore[arg-type]  # tests name fields

    async def deletes_role(self, role: OwnRole, move_to: RoleKey | None = None, by: Context | None = None) -> None:
        async with transaction(by or self.context) as ctx:
            await organization.delete_role(ctx, role.id, move_to)

    async def adds(self, role: RoleKey, by: Context | None = None) -> Staff:
        async with transaction(by or self.context) as ctx:
            new = NewStaff("小雨", f"staff-{new_id().hex}", Secret(PASSWORD), role)
            return await organization.add_staff(ctx, new)

    async def changes(self, staff: Staff | UUID, by: Context | None = None, **change: object) -> Staff:
        staff_id = staff if isinstance(staff, UUID) else staff.id
        async with transaction(by or self.context) as ctx:
            return await organization.update_staff(ctx, staff_id, StaffChange(**change))  # type: ignore[arg-type]  # tests name fields

    async def rights(self) -> dict[UUID, frozenset[str]]:
        """What each active person may do, by staff id."""
        async with transaction(self.context) as ctx:
            users = (await ctx.session.scalars(select(Staff.user_id).where(Staff.state == "active"))).all()
            granted = [await organization.resolve_access(ctx, user_id) for user_id in users]
        return {one.staff_id: one.permissions for one in granted if one is not None}

    async def rights_of(self, staff: Staff) -> frozenset[str]:
        return (await self.rights())[staff.id]

    async def last_audit(self) -> AuditEntry:
        async with transaction(self.context) as ctx:
            entry = await ctx.session.scalar(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))
        assert entry is not None
        return entry


@pytest.fixture
async def shop(database: object) -> Shop:
    name = f"owner-{new_id().hex}"
    founded = await organization.found_tenant("拾光衣橱", name, Secret(PASSWORD), owner_name="林店长")
    return Shop(founded.tenant_id, founded.staff_id, name)


async def test_people_may_do_what_their_own_role_names(shop: Shop) -> None:
    person = await shop.adds((await shop.role(*DESK)).id)

    assert await shop.rights_of(person) == set(DESK)
    assert (person.role, person.role_id is not None) == ("own", True)


async def test_a_changed_role_changes_what_its_people_may_do(shop: Shop) -> None:
    role = await shop.role(*DESK)
    person = await shop.adds(role.id)

    await shop.changes_role(role, permissions=["conversations.view", "audit.view"])

    assert await shop.rights_of(person) == {"conversations.view", "audit.view"}
    entry = await shop.last_audit()
    assert entry.action == "organization.role_changed"
    assert (entry.before, entry.after) == (
        {"name": role.name, "permissions": sorted(DESK), "data_scope": "all"},
        {"name": role.name, "permissions": ["audit.view", "conversations.view"], "data_scope": "all"},
    )


async def test_a_changed_role_counts_at_once_for_people_who_are_signed_in(shop: Shop) -> None:
    role = await shop.role("customers.view")
    name = f"staff-{new_id().hex}"
    app = application()
    async with signed_in(app, shop.sign_in_name) as owner:
        new = {"name": "小满", "sign_in_name": name, "password": PASSWORD, "role": str(role.id)}
        assert (await owner.post("/api/staff", json=new)).status_code == 201
        async with signed_in(app, name) as person:
            assert (await person.get("/api/audit")).status_code == 403
            wider = {"name": role.name, "permissions": ["customers.view", "audit.view"], "version": 1}
            assert (await owner.put(f"/api/roles/{role.id}", json=wider)).json()["version"] == 2
            assert (await person.get("/api/audit")).status_code == 200
            assert (await person.get("/api/session")).json()["staff"]["role"] == "own"


async def test_of_two_who_change_a_role_the_second_is_told(shop: Shop) -> None:
    role = await shop.role(*DESK)

    await shop.changes_role(role, name="前台")
    with pytest.raises(problems.RoleChanged) as told:
        await shop.changes_role(role, name="后台")
    assert told.value.params == {"version": 2}


async def test_of_two_who_change_a_role_at_once_one_wins(shop: Shop) -> None:
    role = await shop.role(*DESK)

    results = await asyncio.gather(
        *(shop.changes_role(role, name=f"前台{n}") for n in range(2)), return_exceptions=True
    )

    assert sum(isinstance(one, problems.RoleChanged) for one in results) == 1


async def test_permissions_of_a_module_that_is_gone_allow_nothing_and_are_kept(shop: Shop) -> None:
    role = await shop.role(*DESK)
    async with transaction(shop.context) as ctx:
        await ctx.session.execute(
            update(OwnRole).where(OwnRole.id == role.id).values(permissions=["raffle.draw", "customers.view"])
        )
    person = await shop.adds(role.id)
    assert await shop.rights_of(person) == {"customers.view"}

    changed = await shop.changes_role(role, permissions=["customers.edit"])

    assert changed.permissions == ["customers.edit", "raffle.draw"]
    with pytest.raises(InvalidInput):
        await shop.role("raffle.draw")


async def test_names_are_unique_and_fit_a_line(shop: Shop) -> None:
    role = await shop.role(name="前台")

    with pytest.raises(problems.RoleNameTaken):
        await shop.role(name=" 前台 ")
    with pytest.raises(InvalidInput):
        await shop.role(name=" ")
    with pytest.raises(InvalidInput):
        await shop.changes_role(role, name="长" * 21)


async def test_another_shop_has_names_and_roles_of_its_own(shop: Shop) -> None:
    role = await shop.role(name="前台")
    founded = await organization.found_tenant("第二家", f"owner-{new_id().hex}", Secret(PASSWORD))
    other = Shop(founded.tenant_id, founded.staff_id, "")

    await other.role(name="前台")
    with pytest.raises(NotFound):
        await other.adds(role.id)


async def test_there_are_at_most_fifty(shop: Shop) -> None:
    for n in range(MAX_ROLES):
        await shop.role(name=f"角色{n}")

    with pytest.raises(InvalidInput) as told:
        await shop.role()
    assert told.value.params["maximum"] == MAX_ROLES


async def test_a_role_that_people_have_is_deleted_once_they_have_another(shop: Shop) -> None:
    role, other = await shop.role(*DESK), await shop.role("customers.view")
    person = await shop.adds(role.id)

    with pytest.raises(problems.RoleInUse) as told:
        await shop.deletes_role(role)
    assert told.value.params == {"people": 1}
    await shop.deletes_role(role, move_to=other.id)
    assert await shop.rights_of(person) == {"customers.view"}
    await shop.deletes_role(other, move_to="cashier")
    assert await shop.rights_of(person) == permissions_of("cashier", load_modules())
    entry = await shop.last_audit()
    assert (entry.action, entry.after) == (
        "organization.role_deleted",
        {"people": 1, "role": "cashier", "role_name": None},
    )


async def test_a_role_is_not_deleted_while_somebody_is_getting_it(shop: Shop) -> None:
    role = await shop.role(*DESK)

    given, deleted = await asyncio.gather(shop.adds(role.id), shop.deletes_role(role), return_exceptions=True)

    # One of the two was first, and the other was told.
    assert isinstance(given, NotFound) != isinstance(deleted, problems.RoleInUse)


async def test_people_of_a_deleted_role_don_t_go_to_a_role_that_is_gone(shop: Shop) -> None:
    role, other = await shop.role(*DESK), await shop.role(*DESK)
    person = await shop.adds(role.id)
    await shop.deletes_role(other)

    with pytest.raises(NotFound):
        await shop.deletes_role(role, move_to=other.id)
    with pytest.raises(InvalidInput):
        await shop.deletes_role(role, move_to=role.id)
    assert await shop.rights_of(person) == set(DESK)


async def test_nobody_gives_makes_or_changes_a_role_beyond_their_own(shop: Shop) -> None:
    half = shop.acting(await shop.adds((await shop.role(*HALF)).id))
    desk, small = await shop.role(*DESK), await shop.role("customers.view")

    for refused in (
        shop.role(*DESK, by=half),
        shop.changes_role(small, permissions=DESK, by=half),
        shop.changes_role(desk, permissions=["customers.view"], by=half),
        shop.deletes_role(desk, by=half),
        shop.adds(desk.id, by=half),
        shop.adds("agent", by=half),
        shop.adds("administrator", by=half),
    ):
        with pytest.raises(problems.RoleBeyondYours):
            await refused
    with pytest.raises(problems.OwnersOnly):
        await shop.adds("owner", by=half)
    made = await shop.role("customers.edit", by=half)
    assert (await shop.adds(made.id, by=half)).role_id == made.id
    assert (await shop.adds("cashier", by=half)).role == "cashier"


async def test_all_permissions_of_today_don_t_make_an_administrator(shop: Shop) -> None:
    """Administrators also get what modules of tomorrow bring."""
    nearly = shop.acting(await shop.adds((await shop.role(*load_modules().permissions())).id))

    with pytest.raises(problems.RoleBeyondYours):
        await shop.adds("administrator", by=nearly)
    assert (await shop.adds("manager", by=nearly)).role == "manager"


async def test_nobody_becomes_a_person_who_may_do_more(shop: Shop) -> None:
    half = shop.acting(await shop.adds((await shop.role(*HALF)).id))
    agent, administrator = await shop.adds("agent"), await shop.adds("administrator")

    for person in (agent, administrator):
        for change in ({"password": Secret("a long new phrase")}, {"active": False}, {"role": "cashier"}):
            with pytest.raises(problems.PersonBeyondYours):
                await shop.changes(person, by=half, **change)
        async with transaction(half) as ctx:
            with pytest.raises(problems.PersonBeyondYours):
                await organization.staff_link(ctx, person.id)
    with pytest.raises(problems.OwnersOnly):
        await shop.changes(shop.owner_id, by=half, name="改名")


async def test_rights_that_were_taken_away_a_moment_ago_are_not_passed_on(shop: Shop) -> None:
    """The session's permissions may be a few seconds old."""
    role = await shop.role(*HALF)
    person = await shop.adds(role.id)
    still_believed = shop.acting(person)
    await shop.changes_role(role, permissions=["customers.view"])

    with pytest.raises(PermissionMissing):
        await shop.role("customers.view", by=still_believed)


async def test_the_last_of_two_owners_can_t_be_made_something_else(shop: Shop) -> None:
    role, second = await shop.role(*DESK), await shop.adds("owner")

    results = await asyncio.gather(
        shop.changes(shop.owner_id, role=role.id), shop.changes(second, role="analyst"), return_exceptions=True
    )

    assert sum(isinstance(one, problems.LastOwner) for one in results) == 1


@pytest.mark.parametrize("seed", range(4))
async def test_no_sequence_of_grants_gives_what_the_giver_lacked_and_an_owner_remains(shop: Shop, seed: int) -> None:
    """Three givers try whatever comes to their mind; what anybody gained, the giver had."""
    chance = random.Random(seed)
    half = await shop.adds((await shop.role(*HALF)).id)
    givers = [half, await shop.adds("administrator"), await shop.adds("manager")]
    roles = [await shop.role(*chance.sample(EVERY, 3)) for _ in range(2)]
    people = [shop.owner_id, (await shop.adds("agent")).id, (await shop.adds("owner")).id, *(one.id for one in givers)]
    done = 0
    for _ in range(40):
        giver = chance.choice(givers)
        before = await shop.rights()
        try:
            made = await _tries_something(shop, chance, shop.acting(giver), people, roles)
        except Problem:
            made = None
        else:
            done += 1
        if isinstance(made, Staff) and made.id not in people:
            people.append(made.id)
        if isinstance(made, OwnRole):
            roles = [*(role for role in roles if role.id != made.id), made]
        for staff_id, now in (await shop.rights()).items():
            assert now - before.get(staff_id, frozenset()) <= before.get(giver.id, frozenset())
        async with transaction(shop.context) as ctx:
            owners = select(Staff.id).where(Staff.role == "owner", Staff.state == "active")
            assert (await ctx.session.scalars(owners)).all()
    assert done, "some attempts are allowed, or nothing was tried"


async def _tries_something(
    shop: Shop, chance: random.Random, by: Context, people: Sequence[UUID], roles: Sequence[OwnRole]
) -> OwnRole | Staff | None:
    key: RoleKey = chance.choice([*PRESET_NAMES, *(role.id for role in roles)])
    wish, person, role = chance.sample(EVERY, chance.randrange(4)), chance.choice(people), chance.choice(roles)
    match chance.randrange(6):
        case 0:
            return await shop.role(*wish, by=by)
        case 1:
            return await shop.changes_role(role, by=by, permissions=wish)
        case 2:
            return await shop.adds(key, by=by)
        case 3:
            return await shop.changes(person, by=by, role=key)
        case 4:
            return await shop.changes(person, by=by, active=chance.random() < 0.5)
        case _:
            await shop.deletes_role(role, key, by=by)
            return None


async def test_roles_over_http(shop: Shop) -> None:
    async with signed_in(application(), shop.sign_in_name) as client:
        new = {"name": "周末兼职", "permissions": list(DESK)}
        made = await client.post("/api/roles", json=new)
        assert made.status_code == 201
        role = made.json()
        assert (role["permissions"], role["people"], role["grantable"]) == (sorted(DESK), 0, True)
        person = {"name": "小满", "sign_in_name": f"new-{new_id().hex}", "role": role["key"]}
        added = (await client.post("/api/staff", json=person)).json()
        assert (added["role"], added["role_id"], added["role_name"]) == ("own", role["key"], "周末兼职")

        listed = (await client.get("/api/roles")).json()
        assert [one["preset"] for one in listed["items"][:-1]] == list(PRESET_NAMES)
        assert (listed["items"][0]["people"], listed["items"][-1]["people"]) == (1, 1)
        labels = {one["name"]: one["label"] for group in listed["groups"] for one in group["permissions"]}
        assert set(labels) == set(load_modules().permissions())
        assert labels["conversations.reply"] == "接待并回复客户"

        stale = await client.put(f"/api/roles/{role['key']}", json={**new, "version": 7})
        assert (stale.status_code, stale.json()["type"]) == (409, "/problems/organization.role_changed")
        used = await client.delete(f"/api/roles/{role['key']}")
        assert (used.status_code, used.json()["params"]["people"]) == (409, 1)
        assert (await client.delete(f"/api/roles/{role['key']}", params={"move_to": "analyst"})).status_code == 204
        people = (await client.get("/api/staff")).json()["items"]
        assert next(one["role"] for one in people if one["id"] == added["id"]) == "analyst"
        nobody = await client.post("/api/staff", json={**person, "role": "boss"})
        assert nobody.status_code == 422


async def test_who_may_look_at_the_staff_sees_the_roles_and_changes_none(shop: Shop) -> None:
    name = f"staff-{new_id().hex}"
    async with transaction(shop.context) as ctx:
        await organization.add_staff(ctx, NewStaff("小雨", name, Secret(PASSWORD), "manager"))
    async with signed_in(application(), name) as manager:
        assert not any(one["grantable"] for one in (await manager.get("/api/roles")).json()["items"])
        assert (await manager.get("/api/staff")).status_code == 200
        assert (await manager.post("/api/roles", json={"name": "x", "permissions": []})).status_code == 403
        assert "settings" in {entry["name"] for entry in (await manager.get("/api/session")).json()["menu"]}


async def test_who_was_disabled_a_moment_ago_doesn_t_let_themselves_back_in(shop: Shop) -> None:
    """The session's permissions may be a few seconds old."""
    person = await shop.adds((await shop.role(*HALF)).id)
    still_believed = shop.acting(person)
    await shop.changes(person, active=False)

    with pytest.raises(Problem):
        await shop.changes(person, by=still_believed, active=True)
    assert person.id not in await shop.rights()
