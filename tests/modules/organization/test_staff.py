"""Staff: founding, adding, changing, and the rules that keep a tenant from losing its owner."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import pytest

from huitouke.kernel.access import resolve_session
from huitouke.kernel.access import service as access
from huitouke.kernel.context import Actor, ActorKind, Context, job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, Problem, Unauthenticated
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import load_modules
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.models import Staff
from huitouke.modules.organization.service import NewStaff, StaffChange, problems
from huitouke.modules.organization.service.roles import permissions_of
from tests.support.http import PASSWORD, application, signed_in


@dataclass(frozen=True)
class Shop:
    """A founded tenant with its owner."""

    context: Context
    owner_id: UUID
    sign_in_name: str

    def acting(self, staff_id: UUID, role: str) -> Context:
        permissions = permissions_of(role, load_modules())
        return Context(self.context.tenant_id, Actor(ActorKind.STAFF, staff_id), permissions)

    async def adds(self, role: str = "agent", *, context: Context | None = None, **more: object) -> Staff:
        new = NewStaff("小雨", f"staff-{new_id().hex}", Secret(PASSWORD), role, **more)  # type: ignore[arg-type]  # roles come as plain texts here
        async with transaction(context or self.context) as ctx:
            return await organization.add_staff(ctx, new)

    async def changes(self, staff_id: UUID, *, context: Context | None = None, **change: object) -> Staff:
        async with transaction(context or self.context) as ctx:
            return await organization.update_staff(ctx, staff_id, StaffChange(**change))  # type: ignore[arg-type]  # tests name fields


@pytest.fixture
async def shop(database: object) -> Shop:
    name = f"owner-{new_id().hex}"
    founded = await organization.found_tenant("拾光衣橱", name, Secret(PASSWORD), owner_name="林店长")
    return Shop(job_context(founded.tenant_id), founded.staff_id, name)


async def test_the_founder_signs_in_with_all_permissions(shop: Shop) -> None:
    async with signed_in(application(), shop.sign_in_name) as client:
        me = (await client.get("/api/session")).json()

    assert (me["staff"]["name"], me["staff"]["role"], me["tenant"]["name"]) == ("林店长", "owner", "拾光衣橱")
    assert set(me["permissions"]) == set(load_modules().permissions())
    assert {"conversations", "customers"} <= {entry["name"] for entry in me["menu"]}


async def test_a_founding_that_fails_leaves_nothing(shop: Shop) -> None:
    with pytest.raises(access.SignInNameTaken):
        await organization.found_tenant("第二家", shop.sign_in_name, Secret(PASSWORD))
    with pytest.raises(InvalidInput):
        await organization.found_tenant(" ", f"owner-{new_id().hex}", Secret(PASSWORD))


async def test_an_agent_answers_customers_and_manages_nothing(shop: Shop) -> None:
    granted = permissions_of("agent", load_modules())

    assert {"conversations.view", "conversations.reply", "customers.view", "customers.edit"} <= granted
    assert not {name for name in granted if name.endswith(".manage")}
    assert "audit.view" not in granted


async def test_a_disabled_person_is_out_at_once_and_may_come_back(shop: Shop) -> None:
    staff = await shop.adds()
    async with transaction(shop.context) as ctx:
        granted = await organization.resolve_access(ctx, staff.user_id)
    assert granted is not None

    await shop.changes(staff.id, active=False)
    async with transaction(shop.context) as ctx:
        assert await organization.resolve_access(ctx, staff.user_id) is None
    await shop.changes(staff.id, active=True)
    async with transaction(shop.context) as ctx:
        assert await organization.resolve_access(ctx, staff.user_id) is not None


async def test_a_new_password_ends_all_sessions(shop: Shop) -> None:
    opened = await access.sign_in(shop.sign_in_name, Secret(PASSWORD))

    await shop.changes(shop.owner_id, password=Secret("another long pass phrase"))

    with pytest.raises(Unauthenticated):
        await resolve_session(opened.token)
    await access.sign_in(shop.sign_in_name, Secret("another long pass phrase"))


async def test_the_last_owner_stays(shop: Shop) -> None:
    for change in ({"active": False}, {"role": "agent"}):
        with pytest.raises(problems.LastOwner):
            await shop.changes(shop.owner_id, **change)


async def test_of_two_owners_who_step_down_at_once_one_stays(shop: Shop) -> None:
    second = await shop.adds("owner")

    results = await asyncio.gather(
        shop.changes(shop.owner_id, role="agent"), shop.changes(second.id, role="agent"), return_exceptions=True
    )

    assert sum(isinstance(result, problems.LastOwner) for result in results) == 1


async def test_only_owners_touch_owners(shop: Shop) -> None:
    administrator = await shop.adds("administrator")
    acting = shop.acting(administrator.id, "administrator")

    with pytest.raises(problems.OwnersOnly):
        await shop.adds("owner", context=acting)
    with pytest.raises(problems.OwnersOnly):
        await shop.changes(shop.owner_id, context=acting, name="改名")
    assert (await shop.adds("agent", context=acting)).role == "agent"


async def test_a_wecom_account_belongs_to_one_person(shop: Shop) -> None:
    await shop.adds(wecom_userid="XiaoYu")

    with pytest.raises(problems.WecomUseridTaken):
        await shop.adds(wecom_userid="XiaoYu")


async def test_who_is_told_of_waiting_customers(shop: Shop) -> None:
    told = await shop.adds(wecom_userid="a")
    await shop.adds(wecom_userid="b", notify_app_messages=False)
    gone = await shop.adds(wecom_userid="c")
    await shop.changes(gone.id, active=False)
    await shop.adds()

    async with transaction(shop.context) as ctx:
        contacts = await organization.staff_to_notify(ctx, "conversations.reply")
    assert [contact.staff_id for contact in contacts] == [told.id]


async def test_staff_over_http(shop: Shop) -> None:
    async with signed_in(application(), shop.sign_in_name) as client:
        name = f"new-{new_id().hex}"
        body = {"name": "阿宁", "sign_in_name": name, "password": PASSWORD, "role": "agent", "wecom_userid": "ANing"}
        made = await client.post("/api/staff", json=body)
        assert made.status_code == 201, made.text
        assert made.json()["sign_in_name"] == name
        patched = await client.patch(f"/api/staff/{made.json()['id']}", json={"state": "disabled", "wecom_userid": ""})
        assert (patched.json()["state"], patched.json()["wecom_userid"]) == ("disabled", None)
        listed = (await client.get("/api/staff")).json()["items"]
        assert [one["name"] for one in listed] == ["林店长", "阿宁"]
        weak = await client.post("/api/staff", json={**body, "sign_in_name": f"n-{new_id().hex}", "password": "123"})
        assert (weak.status_code, weak.json()["field"]) == (422, "password")


async def test_agents_see_colleagues_and_change_none(shop: Shop) -> None:
    name = f"agent-{new_id().hex}"
    async with transaction(shop.context) as ctx:
        await organization.add_staff(ctx, NewStaff("小雨", name, Secret(PASSWORD), "agent"))
    async with signed_in(application(), name) as client:
        assert (await client.get("/api/staff")).status_code == 200
        assert (await client.patch(f"/api/staff/{shop.owner_id}", json={"name": "改名"})).status_code == 403
        assert (await client.get("/api/wecom-apps")).status_code == 403


async def test_problems_have_sentences(shop: Shop) -> None:
    from huitouke.kernel import locales

    for problem in (problems.LastOwner, problems.OwnersOnly, problems.WecomUseridTaken, problems.WrongShape):
        assert issubclass(problem, Problem)
        assert locales.has_text(f"problems.{problem.type}")
