"""Two steps at sign-in over the console's API, and a colleague's lost phone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from huitouke.kernel.access import second_factor
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from tests.support.http import PASSWORD, application, client, forget_guesses, signed_in, signed_in_client
from tests.support.second_step import Authenticator, unused_again
from tests.support.world import World, make_world


@dataclass
class Person:
    """Somebody of the staff with the second step on, signed in."""

    staff_id: str
    sign_in_name: str
    app: Authenticator
    http: httpx2.AsyncClient


@pytest.fixture(autouse=True)
async def others_are_not_locked_out(world: World) -> AsyncIterator[None]:
    yield
    await forget_guesses()


@pytest.fixture
async def owner(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in_client(world) as opened:
        yield opened


async def answered(call: Any, status: int = 200) -> Any:
    answer = await call
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


@asynccontextmanager
async def colleague(owner: httpx2.AsyncClient, role: str = "agent") -> AsyncIterator[Person]:
    """A person of that role who turned the second step on, over the API."""
    name = f"person-{new_id().hex}"
    new = {"name": "小雨", "sign_in_name": name, "password": PASSWORD, "role": role}
    staff = await answered(owner.post("/api/staff", json=new), 201)
    async with signed_in(application(), name) as http:
        begun = await answered(http.post("/api/second-factor", json={"password": PASSWORD}))
        app = Authenticator(Secret(begun["secret"]))
        first = {"code": app.code().reveal()}
        app.recovery_codes = (await answered(http.post("/api/second-factor/confirm", json=first)))["codes"]
        await unused_again(name)
        assert begun["secret"] in begun["uri"]
        yield Person(staff["id"], name, app, http)


def problem(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


async def on_in_list(owner: httpx2.AsyncClient, staff_id: str) -> bool:
    rows = (await answered(owner.get("/api/staff")))["items"]
    return bool({row["id"]: row["second_step"] for row in rows}[staff_id])


async def test_the_password_answers_with_a_challenge_and_no_cookie_and_the_code_with_the_session(
    owner: httpx2.AsyncClient,
) -> None:
    async with colleague(owner) as person, client(application()) as browser:
        first = await browser.post("/api/session", json={"sign_in_name": person.sign_in_name, "password": PASSWORD})
        assert (first.status_code, "set-cookie" in first.headers) == (202, False)
        assert set(first.json()) == {"challenge", "expires_at"}
        assert (await browser.get("/api/session")).status_code == 401

        challenge = first.json()["challenge"]
        wrong = await browser.post(
            "/api/session/second-step", json={"challenge": challenge, "code": person.app.wrong_code().reveal()}
        )
        assert problem(wrong) == (401, "/problems/access.wrong_sign_in")
        assert (wrong.json()["field"], "set-cookie" in wrong.headers) == ("code", False)
        assert wrong.json()["detail"].startswith("验证码不对")

        me = await answered(
            browser.post("/api/session/second-step", json={"challenge": challenge, "code": person.app.code().reveal()})
        )
        assert me["user"]["sign_in_name"] == person.sign_in_name
        assert (await browser.get("/api/session")).status_code == 200
        late = await browser.post("/api/session/second-step", json={"challenge": challenge, "code": "123456"})
        assert problem(late) == (410, "/problems/access.challenge_gone")


async def test_a_reset_link_asks_for_the_code_too(owner: httpx2.AsyncClient) -> None:
    async with colleague(owner) as person, client(application()) as browser:
        link = await answered(owner.post(f"/api/staff/{person.staff_id}/link"))
        token = link["url"].partition("#")[2]
        used = await browser.post("/api/access-links/use", json={"token": token, "password": PASSWORD + "!"})
        assert (used.status_code, "set-cookie" in used.headers) == (202, False)
        step = {"challenge": used.json()["challenge"], "code": person.app.code().reveal()}
        assert (await answered(browser.post("/api/session/second-step", json=step)))["staff"]["id"] == person.staff_id


async def test_a_person_sees_since_when_renews_the_codes_and_turns_it_off(owner: httpx2.AsyncClient) -> None:
    async with colleague(owner) as person:
        state = await answered(person.http.get("/api/second-factor"))
        assert state["on_since"] is not None
        assert state["recovery_codes_left"] == 10
        proof = {"password": PASSWORD, "code": person.app.code().reveal()}
        fresh = (await answered(person.http.post("/api/second-factor/recovery-codes", json=proof)))["codes"]
        assert not set(fresh) & set(person.app.recovery_codes)

        again = await person.http.post("/api/second-factor/off", json=proof)
        assert problem(again) == (401, "/problems/access.wrong_sign_in")
        await answered(person.http.post("/api/second-factor/off", json={**proof, "code": fresh[0]}), 204)

        state = await answered(person.http.get("/api/second-factor"))
        assert state == {"on_since": None, "recovery_codes_left": 0}
        assert not await on_in_list(owner, person.staff_id)


async def test_the_password_is_changed_with_the_code_too(owner: httpx2.AsyncClient) -> None:
    async with colleague(owner) as person:
        wish = {"old_password": PASSWORD, "new_password": PASSWORD + "!"}
        wrong = person.app.wrong_code().reveal()
        for body in (wish, {**wish, "code": wrong}):
            refused = await person.http.post("/api/session/password", json=body)
            assert problem(refused) == (401, "/problems/access.wrong_sign_in")
            assert refused.json()["field"] == "code"
        proof = {**wish, "code": person.app.recovery_codes[0]}
        await answered(person.http.post("/api/session/password", json=proof), 204)
        again = {"old_password": PASSWORD + "!", "new_password": PASSWORD, "code": person.app.recovery_codes[0]}
        assert problem(await person.http.post("/api/session/password", json=again))[0] == 401


@pytest.mark.parametrize(
    ("by", "of", "allowed"),
    [
        ("owner", "owner", True),
        ("owner", "administrator", True),
        ("owner", "agent", True),
        ("administrator", "owner", False),
        ("administrator", "administrator", True),
        ("administrator", "agent", True),
        ("agent", "agent", False),
    ],
)
async def test_who_may_make_a_reset_link_may_help_a_colleague_who_lost_the_phone(
    world: World, owner: httpx2.AsyncClient, by: str, of: str, allowed: bool
) -> None:
    async with colleague(owner, of) as person, signed_in_client(world, role=by) as helper:
        assert await on_in_list(owner, person.staff_id)
        removed = await helper.delete(f"/api/staff/{person.staff_id}/second-step")
        linked = await helper.post(f"/api/staff/{person.staff_id}/link")
        assert (removed.status_code, linked.status_code) == ((204, 200) if allowed else (403, 403))
        assert await on_in_list(owner, person.staff_id) is not allowed


async def test_removing_it_is_told_once_in_the_audit_log(owner: httpx2.AsyncClient) -> None:
    async with colleague(owner) as person:
        for _ in range(2):
            await answered(owner.delete(f"/api/staff/{person.staff_id}/second-step"), 204)
        entries = (await answered(owner.get("/api/audit", params={"object_id": person.staff_id})))["items"]
    actions = [entry["action"] for entry in entries]
    assert actions.count("organization.second_step_removed") == 1
    assert actions.count("access.second_step_on") == 1


async def test_nobody_takes_the_own_one_away_without_password_and_code(owner: httpx2.AsyncClient) -> None:
    async with colleague(owner, "owner") as person:
        refused = await person.http.delete(f"/api/staff/{person.staff_id}/second-step")
        assert problem(refused) == (409, "/problems/organization.own_second_step")
        assert await on_in_list(owner, person.staff_id)


async def test_another_merchants_owner_does_not_reach_it(owner: httpx2.AsyncClient) -> None:
    async with colleague(owner) as person, signed_in_client(await make_world()) as stranger:
        refused = await stranger.delete(f"/api/staff/{person.staff_id}/second-step")
        assert refused.status_code == 404
        assert await on_in_list(owner, person.staff_id)


async def test_the_command_line_lets_the_last_owner_back_in(owner: httpx2.AsyncClient) -> None:
    async with colleague(owner, "owner") as person:
        assert await second_factor.remove_by_name(person.sign_in_name)
        async with signed_in(application(), person.sign_in_name) as back:
            assert (await answered(back.get("/api/second-factor")))["on_since"] is None
        entries = (await answered(owner.get("/api/audit", params={"object_id": person.staff_id})))["items"]
    assert entries[0]["action"] == "access.second_step_removed"
    assert entries[0]["actor_kind"] == "platform_operator"
