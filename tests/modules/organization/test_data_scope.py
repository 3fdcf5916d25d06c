"""How far roles see: what a role's scope comes to, who may give which, and whose entries of the log are shown."""

from collections.abc import Collection
from typing import cast
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.context import ALL_DATA, Actor, ActorKind, Context, DataScope
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import load_modules
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.models import (
    DataScopeKind,
    Department,
    OwnRole,
    RoleDepartment,
    Staff,
    StaffDepartment,
)
from huitouke.modules.organization.service import NewStaff, RoleChange, StaffChange, problems, scopes
from tests.support.firm import Firm, Plan, make_firm
from tests.support.http import PASSWORD, application, signed_in

TREE = Plan(
    #        0 shop, 1 east, 2 Hangzhou, 3 north
    parents=(None, 0, 1, 0),
    member_of=(frozenset({1}), frozenset({2}), frozenset({3}), frozenset()),
)
"""Somebody in the east, in Hangzhou below it, in the north, and in no department."""


@pytest.fixture
async def firm(database: object) -> Firm:
    return await make_firm(TREE)


def names(firm: Firm, scope: object) -> set[int]:
    """The departments of a scope by their numbers."""
    return {firm.departments.index(one) for one in cast(DataScope, scope).department_ids}


@pytest.mark.parametrize(
    ("person", "kind", "chosen", "departments"),
    [
        (0, "own", (), set()),
        (0, "department", (), {1}),
        (0, "department_below", (), {1, 2}),
        (3, "department_below", (), set()),
        (2, "chosen", (0,), {0, 1, 2, 3}),
        (2, "chosen", (2,), {2}),
    ],
)
async def test_what_a_scope_comes_to(
    firm: Firm, person: int, kind: DataScopeKind, chosen: tuple[int, ...], departments: set[int]
) -> None:
    scope = await firm.scope(person, kind, chosen)

    assert names(firm, scope) == departments
    assert cast(DataScope, scope).staff_ids == {firm.staff[person]}


async def test_presets_and_the_widest_scope_see_all(firm: Firm) -> None:
    assert await firm.scope(0, "all") == ALL_DATA
    async with transaction(firm.world.context) as ctx:
        assert await scopes.scope_of(ctx, firm.staff[0], "cashier", None, None) == ALL_DATA


async def test_a_tree_that_came_to_be_a_circle_ends(firm: Firm) -> None:
    async with transaction(firm.world.context) as ctx:
        await ctx.session.execute(
            update(Department).where(Department.id == firm.departments[0]).values(parent_id=firm.departments[2])
        )

    assert names(firm, await firm.scope(1, "department_below")) == {0, 1, 2, 3}


async def test_more_departments_than_a_scope_may_name_are_left_out(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scopes, "MAX_DEPARTMENTS", 2)

    assert len(names(firm, await firm.scope(2, "chosen", (0,)))) == 2


class Shop:
    """A founded tenant with the tree of departments; people get roles of their own."""

    def __init__(self, founded: organization.Founded, sign_in_name: str, firm: Firm) -> None:
        self.founded, self.sign_in_name, self.firm = founded, sign_in_name, firm

    @property
    def context(self) -> Context:
        return self.firm.world.context

    async def role(
        self, kind: DataScopeKind, chosen: Collection[int] = (), by: Context | None = None, name: str | None = None
    ) -> OwnRole:
        async with transaction(by or self.context) as ctx:
            return await organization.create_role(
                ctx,
                name or new_id().hex[-12:],
                ["organization.manage", "customers.view"],
                kind,
                [self.firm.departments[one] for one in chosen],
            )

    async def person(self, role: UUID | str, by: Context | None = None, departments: Collection[int] = ()) -> Staff:
        async with transaction(by or self.context) as ctx:
            new = NewStaff("小雨", f"staff-{new_id().hex}", Secret(PASSWORD), role)  # type: ignore[arg-type]  # a key
            staff = await organization.add_staff(ctx, new)
        async with transaction(self.context) as ctx:
            ctx.session.add_all(
                StaffDepartment(staff_id=staff.id, department_id=self.firm.departments[one], leads=False)
                for one in departments
            )
        return staff

    def acting(self, staff: Staff) -> Context:
        return Context(self.firm.world.tenant_id, Actor(ActorKind.STAFF, staff.id), load_modules().permissions())

    async def changes(self, role: OwnRole, by: Context | None = None, **change: object) -> OwnRole:
        async with transaction(by or self.context) as ctx:
            return await organization.update_role(ctx, role.id, RoleChange(**{"version": role.version, **change}))  # type: ignore[arg-type]  # tests name fields

    async def last_audit(self) -> AuditEntry:
        async with transaction(self.context) as ctx:
            entry = await ctx.session.scalar(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))
        assert entry is not None
        return entry


@pytest.fixture
async def shop(firm: Firm) -> Shop:
    name = f"owner-{new_id().hex}"
    async with transaction(firm.world.context) as ctx:
        owner = await organization.add_staff(ctx, NewStaff("林店长", name, Secret(PASSWORD), "owner"))
    return Shop(organization.Founded(firm.world.tenant_id, owner.id, cast(UUID, owner.user_id)), name, firm)


async def test_a_role_says_whose_customers_its_people_see(shop: Shop) -> None:
    role = await shop.role("chosen", (1,))
    person = await shop.person(role.id)

    assert (await shop.last_audit()).action == "organization.staff_added"
    async with transaction(shop.context) as ctx:
        granted = await organization.resolve_access(ctx, cast(UUID, person.user_id))
    assert granted is not None
    assert (names(shop.firm, granted.scope), granted.scope.staff_ids) == ({1, 2}, {person.id})  # type: ignore[union-attr]  # it is a DataScope

    changed = await shop.changes(role, data_scope="own")

    assert (changed.version, changed.data_scope) == (2, "own")
    entry = await shop.last_audit()
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["data_scope"], entry.before["departments"]) == ("chosen", ["部门1"])
    assert (entry.after["data_scope"], "departments" in entry.after) == ("own", False)
    async with transaction(shop.context) as ctx:
        assert (await ctx.session.scalars(select(RoleDepartment.department_id))).all() == []


async def test_chosen_departments_are_named_and_exist(shop: Shop) -> None:
    with pytest.raises(InvalidInput):
        await shop.role("chosen")
    async with transaction(shop.context) as ctx:
        with pytest.raises(NotFound):
            await organization.create_role(ctx, "看不见", [], "chosen", [new_id()])
    role = await shop.role("chosen", (3,))
    changed = await shop.changes(role, department_ids=[shop.firm.departments[2], shop.firm.departments[3]])
    assert changed.version == 2
    assert (await shop.changes(changed, name=changed.name)).version == 2


async def test_a_department_that_is_gone_is_seen_no_more(shop: Shop) -> None:
    role = await shop.role("chosen", (2, 3))
    person = await shop.person(role.id)
    async with transaction(shop.context) as ctx:
        await ctx.session.execute(delete(Department).where(Department.id == shop.firm.departments[3]))

    async with transaction(shop.context) as ctx:
        granted = await organization.resolve_access(ctx, cast(UUID, person.user_id))
    assert granted is not None
    assert names(shop.firm, granted.scope) == {2}


async def test_nobody_gives_a_wider_scope_than_their_own(shop: Shop) -> None:
    below = shop.acting(await shop.person((await shop.role("department_below")).id, departments=(1,)))
    held = shop.acting(await shop.person((await shop.role("chosen", (1,))).id))
    own = shop.acting(await shop.person((await shop.role("own")).id, departments=(0,)))
    wide, cashier = await shop.role("all"), await shop.person("cashier")

    for by, given in (
        (below, ("own", "department", "department_below", (1,), (2,))),
        (held, ("own", (1,), (2,))),
        (own, ("own",)),
    ):
        for kind in ("own", "department", "department_below", "all", (0,), (1,), (2,), (3,)):
            asked = ("chosen", kind) if isinstance(kind, tuple) else (kind, ())
            if kind in given:
                made = await shop.role(*asked, by=by)  # type: ignore[arg-type]  # kinds of scope
                await shop.changes(made, by=by, name=new_id().hex[-12:])
            else:
                with pytest.raises(problems.ScopeBeyondYours):
                    await shop.role(*asked, by=by)  # type: ignore[arg-type]  # kinds of scope
        for refused in (
            shop.person(wide.id, by=by),
            shop.person("cashier", by=by),
            shop.changes(wide, by=by, data_scope="own"),
        ):
            with pytest.raises(problems.RoleBeyondYours):
                await refused
        async with transaction(by) as ctx:
            with pytest.raises(problems.PersonBeyondYours):
                await organization.update_staff(ctx, cashier.id, StaffChange(password=Secret("a long new phrase")))


async def test_over_http_a_changed_scope_counts_at_once(shop: Shop) -> None:
    app, name = application(), f"staff-{new_id().hex}"
    async with signed_in(app, shop.sign_in_name) as owner:
        body = {"name": "华东", "permissions": ["customers.view", "audit.view"], "data_scope": "own"}
        made = (await owner.post("/api/roles", json=body)).json()
        assert (made["data_scope"], made["department_ids"]) == ("own", [])
        new = {"name": "小满", "sign_in_name": name, "password": PASSWORD, "role": made["key"]}
        assert (await owner.post("/api/staff", json=new)).status_code == 201
        async with signed_in(app, name) as person:
            assert (await person.get("/api/audit")).json()["items"] == []
            wider = {**body, "data_scope": "all", "version": 1}
            assert (await owner.put(f"/api/roles/{made['key']}", json=wider)).status_code == 200
            assert (await person.get("/api/audit")).json()["items"] != []
        tree = (await owner.get("/api/department-tree")).json()["items"]
        assert [one["name"] for one in tree] == ["部门0", "部门1", "部门2", "部门3"]
        chosen = {**body, "data_scope": "chosen", "department_ids": [tree[1]["id"]], "version": 2}
        assert (await owner.put(f"/api/roles/{made['key']}", json=chosen)).json()["department_ids"] == [tree[1]["id"]]
        listed = (await owner.get("/api/roles")).json()["items"]
        assert {role["data_scope"] for role in listed if role["preset"]} == {"all"}


async def test_the_log_shows_what_people_in_scope_did(shop: Shop) -> None:
    boss = await shop.person((await shop.role("department_below")).id, departments=(1,))
    colleague = await shop.person((await shop.role("own")).id, departments=(2,))
    await shop.role("own", by=shop.acting(colleague), name="下级建的")
    await shop.role("own", by=shop.acting(boss), name="自己建的")
    await shop.role("own", name="系统建的")
    scope = DataScope(frozenset({boss.id}), frozenset(shop.firm.departments[1:3]))
    context = Context(shop.firm.world.tenant_id, Actor(ActorKind.STAFF, boss.id), frozenset(), scope)

    async with transaction(context) as ctx:
        entries = (await ctx.session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()

    assert [entry.after["name"] for entry in entries if entry.after] == ["下级建的", "自己建的"]


async def test_a_waiting_customer_rings_for_those_who_see_the_customer(shop: Shop) -> None:
    async with transaction(shop.context) as ctx:
        role = await organization.create_role(ctx, "接待", ["conversations.reply"], "department_below")
    people = [await shop.person(role.id, departments=(n,)) for n in (0, 1, 3)]
    async with transaction(shop.context) as ctx:
        for number, person in enumerate(people):
            await organization.update_staff(ctx, person.id, StaffChange(wecom_userid=f"u{number}-{person.id.hex[-8:]}"))
        owners = await organization.owners_of(ctx, {new_id(): [shop.firm.staff[1]]})
        (of,) = owners.values()
        told = await organization.staff_to_notify(ctx, "conversations.reply", of=of)
    # Who is in the east, or above it, sees what somebody in Hangzhou follows; the north doesn't.
    assert {one.staff_id for one in told} == {people[0].id, people[1].id}
