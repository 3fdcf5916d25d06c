"""Departments and people by hand: made, moved, invited, left and come back, over the console's API."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
import pytest

from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.modules.organization import service as organization
from tests.support.http import PASSWORD, application, client, signed_in
from tests.support.plans import give_limits


@dataclass
class Shop:
    """A shop and its owner's client."""

    owner: httpx2.AsyncClient
    owner_id: str

    async def department(self, name: str, parent: str | None = None) -> str:
        made = await self.owner.post("/api/departments", json={"name": name, "parent_id": parent})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def person(self, name: str, *departments: str, **more: Any) -> str:
        made = await self.owner.post("/api/people", json={"name": name, "department_ids": departments, **more})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def names(self, **query: Any) -> list[str]:
        found = await self.owner.get("/api/people", params=query)
        assert found.status_code == 200, found.text
        return [one["name"] for one in found.json()["items"]]

    async def get(self, path: str, **query: Any) -> Any:
        found = await self.owner.get(path, params=query)
        assert found.status_code == 200, found.text
        return found.json()


@pytest.fixture
async def shop(database: object) -> AsyncIterator[Shop]:
    name = f"owner-{new_id().hex}"
    founded = await organization.found_tenant("拾光衣橱", name, Secret(PASSWORD), owner_name="林店长")
    async with signed_in(application(), name) as owner:
        yield Shop(owner, str(founded.staff_id))


def refused(answer: httpx2.Response, kind: str) -> None:
    assert answer.status_code >= 400, answer.text
    assert answer.json()["type"].endswith(kind), answer.text


async def test_departments_form_a_tree_that_is_read_level_by_level(shop: Shop) -> None:
    top = await shop.department("门店")
    first = await shop.department("一店", top)
    await shop.department("仓库")
    await shop.person("小梅", first)
    await shop.person("阿波", first, top)

    level = (await shop.get("/api/departments"))["items"]
    below = (await shop.get("/api/departments", parent_id=top))["items"]
    assert [(one["name"], one["people"], one["branches"]) for one in level] == [("门店", 2, True), ("仓库", 0, False)]
    assert [(one["name"], one["people"], one["path"]) for one in below] == [("一店", 2, [])]
    (found,) = (await shop.get("/api/departments", q="一"))["items"]
    assert [step["name"] for step in found["path"]] == ["门店", "一店"]


async def test_levels_come_in_pages(shop: Shop) -> None:
    for number in range(5):
        await shop.department(f"部门{number}")

    first = await shop.get("/api/departments", limit=3)
    second = await shop.get("/api/departments", limit=3, cursor=first["next_cursor"])
    assert [one["name"] for one in (*first["items"], *second["items"])] == [f"部门{number}" for number in range(5)]
    assert second["next_cursor"] is None


async def test_a_department_is_renamed_and_moved_but_never_below_itself(shop: Shop) -> None:
    top = await shop.department("门店")
    below = await shop.department("一店", top)

    refused(await shop.owner.patch(f"/api/departments/{top}", json={"parent_id": below}), "department_in_circle")
    refused(await shop.owner.patch(f"/api/departments/{top}", json={"parent_id": top}), "department_in_circle")
    moved = await shop.owner.patch(f"/api/departments/{below}", json={"name": "旗舰店", "parent_id": None})
    assert (moved.json()["name"], moved.json()["parent_id"]) == ("旗舰店", None)


async def test_a_department_goes_when_nobody_is_in_it(shop: Shop) -> None:
    top = await shop.department("门店")
    below = await shop.department("一店", top)
    person = await shop.person("小梅", below)

    refused(await shop.owner.delete(f"/api/departments/{top}"), "department_not_empty")
    refused(await shop.owner.delete(f"/api/departments/{below}"), "department_not_empty")
    assert (await shop.owner.post(f"/api/people/{person}/resign")).status_code == 200
    assert (await shop.owner.delete(f"/api/departments/{below}")).status_code == 204
    assert (await shop.owner.delete(f"/api/departments/{top}")).status_code == 204
    assert (await shop.get("/api/departments"))["items"] == []


async def test_departments_go_at_most_fifteen_levels_deep(shop: Shop) -> None:
    above: str | None = None
    for level in range(15):
        above = await shop.department(f"第{level}层", above)

    refused(await shop.owner.post("/api/departments", json={"name": "再深一层", "parent_id": above}), "too_deep")


async def test_people_are_found_by_department_name_account_and_state(shop: Shop) -> None:
    top = await shop.department("门店")
    below = await shop.department("一店", top)
    await shop.person("小梅", below, wecom_userid="MeiLin")
    await shop.person("阿波", top)
    gone = await shop.person("小陈")
    await shop.owner.post(f"/api/people/{gone}/resign")

    assert await shop.names() == ["林店长", "小梅", "阿波"]
    assert await shop.names(department_id=top) == ["小梅", "阿波"]
    assert await shop.names(department_id=top, below=False) == ["阿波"]
    assert await shop.names(q="小") == ["小梅"]
    assert await shop.names(q="meil") == ["小梅"]
    assert await shop.names(q="%") == []
    assert await shop.names(state="listed") == ["小梅", "阿波"]
    assert await shop.names(state="sign_in") == ["林店长"]
    assert await shop.names(state="left") == ["小陈"]
    page = await shop.get("/api/people", limit=2)
    assert await shop.names(limit=2, cursor=page["next_cursor"]) == ["阿波"]
    assert await shop.names(department_id=str(new_id())) == []


async def test_the_list_of_staff_still_holds_those_who_sign_in_alone(shop: Shop) -> None:
    await shop.person("小梅")

    assert [one["name"] for one in (await shop.get("/api/staff"))["items"]] == ["林店长"]


async def test_people_are_put_into_departments(shop: Shop) -> None:
    first, second = await shop.department("一店"), await shop.department("二店")
    person = await shop.person("小梅", first)

    moved = await shop.owner.put(f"/api/people/{person}/departments", json={"department_ids": [second]})
    assert [one["name"] for one in moved.json()["departments"]] == ["二店"]
    unknown = await shop.owner.put(f"/api/people/{person}/departments", json={"department_ids": [str(new_id())]})
    assert unknown.status_code == 404


async def test_an_invited_person_sets_a_password_and_comes_in(shop: Shop) -> None:
    person = await shop.person("小梅")
    name = f"mei-{new_id().hex}"

    invited = await shop.owner.post(f"/api/people/{person}/invite", json={"sign_in_name": name, "role": "agent"})
    assert invited.status_code == 200, invited.text
    assert (await shop.get(f"/api/people/{person}"))["state"] == "invited"
    token = urlsplit(invited.json()["url"]).fragment
    async with client(application()) as anybody:
        used = await anybody.post("/api/access-links/use", json={"token": token, "password": PASSWORD})
        assert used.status_code < 300, used.text
    async with signed_in(application(), name) as mei:
        assert (await mei.get("/api/session")).json()["staff"]["id"] == person
    assert (await shop.get(f"/api/people/{person}"))["state"] == "active"
    again = await shop.owner.post(f"/api/people/{person}/invite", json={"sign_in_name": f"x{name}"})
    refused(again, "has_sign_in")


async def test_a_sign_in_name_that_is_taken_makes_nothing(shop: Shop) -> None:
    first, second = await shop.person("小梅"), await shop.person("阿波")
    name = f"mei-{new_id().hex}"
    assert (await shop.owner.post(f"/api/people/{first}/invite", json={"sign_in_name": name})).status_code == 200

    refused(await shop.owner.post(f"/api/people/{second}/invite", json={"sign_in_name": name}), "sign_in_name_taken")
    assert (await shop.get(f"/api/people/{second}"))["state"] == "listed"


async def test_who_leaves_is_signed_out_at_once_and_may_come_back(shop: Shop) -> None:
    name = f"mei-{new_id().hex}"
    added = await shop.owner.post("/api/staff", json={"name": "小梅", "sign_in_name": name, "password": PASSWORD})
    person = added.json()["id"]
    async with signed_in(application(), name) as mei:
        left = await shop.owner.post(f"/api/people/{person}/resign")
        assert (left.json()["state"], left.json()["left_at"] is not None) == ("left", True)
        assert (await mei.get("/api/session")).status_code == 401
    refused(await shop.owner.patch(f"/api/staff/{person}", json={"state": "active"}), "has_left")
    back = await shop.owner.post(f"/api/people/{person}/return")
    assert back.json()["state"] == "active"
    async with signed_in(application(), name) as mei:
        assert (await mei.get("/api/session")).status_code == 200


async def test_nobody_leaves_by_their_own_hand(shop: Shop) -> None:
    refused(await shop.owner.post(f"/api/people/{shop.owner_id}/resign"), "you_yourself")


async def test_the_last_owner_does_not_leave(shop: Shop) -> None:
    name = f"admin-{new_id().hex}"
    new = {"name": "管理员", "sign_in_name": name, "password": PASSWORD, "role": "administrator"}
    assert (await shop.owner.post("/api/staff", json=new)).status_code == 201
    async with signed_in(application(), name) as administrator:
        refused(await administrator.post(f"/api/people/{shop.owner_id}/resign"), "owners_only")


async def test_who_only_looks_changes_nothing(shop: Shop) -> None:
    name = f"manager-{new_id().hex}"
    new = {"name": "经理", "sign_in_name": name, "password": PASSWORD, "role": "manager"}
    await shop.owner.post("/api/staff", json=new)
    person = await shop.person("小梅")
    async with signed_in(application(), name) as manager:
        assert (await manager.get("/api/people")).status_code == 200
        assert (await manager.get("/api/departments")).status_code == 200
        for answer in (
            await manager.post("/api/departments", json={"name": "门店"}),
            await manager.post(f"/api/people/{person}/resign"),
            await manager.post(f"/api/people/{person}/invite", json={"sign_in_name": "x"}),
            await manager.get("/api/address-book"),
        ):
            assert answer.status_code == 403, answer.text


async def test_without_an_address_book_there_is_nothing_to_sync(shop: Shop) -> None:
    assert (await shop.get("/api/address-book")) == {"book": None}
    for answer in (
        await shop.owner.post("/api/address-book/sync"),
        await shop.owner.put("/api/address-book/contacts", json={"secret": "a-secret-of-contacts"}),
        await shop.owner.delete("/api/address-book"),
        await shop.owner.put("/api/address-book", json={"wecom_app_id": str(new_id())}),
    ):
        assert answer.status_code == 404, answer.text


async def test_nobody_is_put_where_the_doer_does_not_see(shop: Shop) -> None:
    """Whoever manages people and sees some of them would see further by moving a colleague, themselves or a branch."""
    north, south = await shop.department("北店"), await shop.department("南店")
    role = {"name": "北店长", "permissions": ["organization.manage"], "data_scope": "chosen", "department_ids": [north]}
    key = (await shop.owner.post("/api/roles", json=role)).json()["key"]
    name = f"north-{new_id().hex}"
    new = {"name": "北店长", "sign_in_name": name, "password": PASSWORD, "role": key}
    own_id = (await shop.owner.post("/api/staff", json=new)).json()["id"]
    async with signed_in(application(), name) as head:
        for answer in (
            await head.put(f"/api/people/{own_id}/departments", json={"department_ids": [south]}),
            await head.post("/api/people", json={"name": "小梅", "department_ids": [north, south]}),
            await head.patch(f"/api/departments/{south}", json={"parent_id": north}),
        ):
            refused(answer, "scope_beyond_yours")
        placed = await head.put(f"/api/people/{own_id}/departments", json={"department_ids": [north]})
        assert placed.status_code == 200, placed.text


async def test_who_is_invited_or_comes_back_takes_a_seat(shop: Shop) -> None:
    tenant_id = UUID((await shop.get("/api/session"))["tenant"]["id"])
    person = await shop.person("小梅")
    await give_limits(tenant_id, seats=1)
    invited = {"sign_in_name": f"staff-{new_id().hex}"}
    refused(await shop.owner.post(f"/api/people/{person}/invite", json=invited), "over_quota")
    await give_limits(tenant_id, seats=2)
    assert (await shop.owner.post(f"/api/people/{person}/invite", json=invited)).status_code == 200
    assert (await shop.owner.post(f"/api/people/{person}/resign")).status_code == 200
    await give_limits(tenant_id, seats=1)
    refused(await shop.owner.post(f"/api/people/{person}/return"), "over_quota")
