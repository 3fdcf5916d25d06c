"""Inviting people and letting them back in, over the console's API."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from huitouke.kernel.ids import new_id
from tests.support.http import application, client, forget_guesses, signed_in, signed_in_client
from tests.support.world import World

PASSWORD = "quite another pass phrase"


@pytest.fixture
async def owner(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in_client(world) as opened:
        yield opened


@pytest.fixture
async def browser() -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who is not signed in."""
    async with client(application()) as opened:
        yield opened
    await forget_guesses()


async def invite(owner: httpx2.AsyncClient, role: str = "agent") -> dict[str, Any]:
    made = await owner.post("/api/staff", json={"name": "小雨", "sign_in_name": f"new-{new_id().hex}", "role": role})
    assert made.status_code == 201, made.text
    return dict(made.json())


async def link_of(who: httpx2.AsyncClient, staff_id: str) -> dict[str, Any]:
    made = await who.post(f"/api/staff/{staff_id}/link")
    assert made.status_code == 200, made.text
    return dict(made.json())


def token_in(link: dict[str, Any]) -> str:
    return str(link["url"]).partition("/join#")[2]


async def test_an_invited_person_sets_a_password_and_works(
    owner: httpx2.AsyncClient, browser: httpx2.AsyncClient
) -> None:
    staff = await invite(owner)
    assert staff["state"] == "invited"
    link = await link_of(owner, staff["id"])
    token = token_in(link)

    looked = (await browser.post("/api/access-links/look", json={"token": token})).json()
    used = await browser.post("/api/access-links/use", json={"token": token, "password": PASSWORD})
    me = await browser.get("/api/session")
    again = await browser.post("/api/access-links/use", json={"token": token, "password": PASSWORD})

    assert (link["kind"], looked["kind"], looked["display_name"]) == ("invitation", "invitation", "小雨")
    assert used.json()["staff"]["id"] == me.json()["staff"]["id"] == staff["id"]
    assert (again.status_code, again.json()["type"]) == (410, "/problems/access.link_gone")
    listed = (await owner.get("/api/staff")).json()["items"]
    assert {row["id"]: row["state"] for row in listed}[staff["id"]] == "active"


async def test_who_forgot_the_password_gets_a_way_back(owner: httpx2.AsyncClient, browser: httpx2.AsyncClient) -> None:
    staff = await invite(owner)
    await browser.post(
        "/api/access-links/use", json={"token": token_in(await link_of(owner, staff["id"])), "password": PASSWORD}
    )
    link = await link_of(owner, staff["id"])
    assert link["kind"] == "reset"
    used = await browser.post("/api/access-links/use", json={"token": token_in(link), "password": PASSWORD + "!"})
    assert used.status_code == 200


async def test_an_administrator_can_not_become_the_owner(world: World, owner: httpx2.AsyncClient) -> None:
    me = (await owner.get("/api/session")).json()["staff"]["id"]
    async with signed_in_client(world, role="administrator") as administrator:
        refused = await administrator.post(f"/api/staff/{me}/link")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/organization.owners_only")


async def test_an_agent_makes_no_links(world: World, owner: httpx2.AsyncClient) -> None:
    staff = await invite(owner)
    async with signed_in_client(world, role="agent") as agent:
        assert (await agent.post(f"/api/staff/{staff['id']}/link")).status_code == 403


async def test_a_disabled_person_gets_no_link(owner: httpx2.AsyncClient, browser: httpx2.AsyncClient) -> None:
    staff = await invite(owner)
    token = token_in(await link_of(owner, staff["id"]))
    await owner.patch(f"/api/staff/{staff['id']}", json={"state": "disabled"})

    refused = await owner.post(f"/api/staff/{staff['id']}/link")
    looked = await browser.post("/api/access-links/look", json={"token": token})

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/organization.staff_disabled")
    assert looked.status_code == 410


async def test_the_link_stands_in_no_audit_entry(owner: httpx2.AsyncClient) -> None:
    staff = await invite(owner)
    link = await link_of(owner, staff["id"])
    told = await owner.get("/api/audit", params={"object_id": staff["id"]})
    assert "organization.staff_link_made" in told.text
    assert token_in(link) not in told.text


async def test_a_person_ends_their_own_sessions(owner: httpx2.AsyncClient, browser: httpx2.AsyncClient) -> None:
    staff = await invite(owner)
    await browser.post(
        "/api/access-links/use", json={"token": token_in(await link_of(owner, staff["id"])), "password": PASSWORD}
    )
    async with signed_in(application(), staff["sign_in_name"], PASSWORD) as there:
        ended = await browser.delete("/api/sessions")
        gone = await there.get("/api/session")
    listed = (await browser.get("/api/sessions")).json()
    assert ended.json() == {"sessions": 1}
    assert gone.status_code == 401
    assert [one["current"] for one in listed] == [True]
    assert (await owner.delete(f"/api/sessions/{listed[0]['id']}")).status_code == 404
