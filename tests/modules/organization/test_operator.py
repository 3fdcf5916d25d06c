"""The platform operator: makes tenants and plans, suspends, restores and closes, and looks at figures from outside."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select
from starlette.types import ASGIApp

from huitouke.kernel import clock
from huitouke.kernel.access import second_factor, totp
from huitouke.kernel.access.models import User
from huitouke.kernel.access.signed_in import forget
from huitouke.kernel.context import Actor, ActorKind, Context, job_context
from huitouke.kernel.database import connection, platform_transaction, transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.operators import health
from huitouke.kernel.operators.signing_in import remove_operator
from huitouke.kernel.plans.measuring import measure
from huitouke.modules.customers.service import find_or_create_many
from tests.support.http import PASSWORD, application, client, forget_guesses, signed_in
from tests.support.operators import make_operator, operator_client


@dataclass
class Platform:
    """The installation with an operator who is signed in."""

    app: ASGIApp
    name: str
    operator: httpx2.AsyncClient

    async def creates(self, **more: Any) -> tuple[UUID, str, str]:
        """A tenant; gives its id, the invitation's token and the owner's sign-in name."""
        owner = f"owner-{new_id().hex}"
        body = {"name": "拾光衣橱", "owner_name": "林店长", "owner_sign_in_name": owner, **more}
        made = await self.operator.post("/operator/api/tenants", json=body)
        assert made.status_code == 201, made.text
        return UUID(made.json()["tenant_id"]), made.json()["url"].partition("#")[2], owner

    async def joined(self, **more: Any) -> tuple[UUID, str]:
        """A tenant whose owner has come."""
        tenant_id, token, owner = await self.creates(**more)
        async with client(self.app) as browser:
            answer = await browser.post("/api/access-links/use", json={"token": token, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
        return tenant_id, owner

    async def plans(self) -> dict[str, Any]:
        return {plan["key"]: plan for plan in (await self.operator.get("/operator/api/plans")).json()["items"]}

    async def does(self, tenant_id: UUID, step: str, **body: Any) -> httpx2.Response:
        return await self.operator.post(f"/operator/api/tenants/{tenant_id}/{step}", json=body or None)

    async def sees(self, tenant_id: UUID) -> dict[str, Any]:
        found: dict[str, Any] = (await self.operator.get(f"/operator/api/tenants/{tenant_id}")).json()
        return found


@pytest.fixture
async def platform(database: object) -> AsyncIterator[Platform]:
    app, name = application(), await make_operator()
    async with operator_client(app, name) as operator:
        yield Platform(app, name, operator)


async def test_who_is_no_operator_is_told_what_a_wrong_password_is_told(platform: Platform) -> None:
    _, owner = await platform.joined()
    async with client(platform.app) as browser:
        for name, password in ((owner, PASSWORD), (platform.name, "wrong pass phrase"), ("nobody-here", PASSWORD)):
            body = {"sign_in_name": name, "password": password}
            refused = await browser.post("/operator/api/session", json=body)
            assert (refused.status_code, refused.json()["type"]) == (401, "/problems/access.wrong_sign_in")
    await forget_guesses()


async def test_an_operators_second_step_is_asked_for(platform: Platform) -> None:
    """It is the account's own, which the person set up in a shop's console."""
    async with platform_transaction() as session:
        user_id = await session.scalar(select(User.id).where(User.sign_in_name == platform.name))
    tenant_id, _ = await platform.joined()
    context = Context(tenant_id, Actor(ActorKind.STAFF, user_id=user_id))
    begun = await second_factor.begin(context, Secret(PASSWORD))
    step = totp.step_at(clock.now())
    await second_factor.confirm(context, Secret(totp.code_at(begun.secret, step)), keep_token="")

    body = {"sign_in_name": platform.name, "password": PASSWORD}
    async with client(platform.app) as browser:
        asked = await browser.post("/operator/api/session", json=body)
        assert (asked.status_code, asked.json()["type"]) == (401, "/problems/operators.code_needed")
        assert "set-cookie" not in asked.headers
        wrong = await browser.post("/operator/api/session", json={**body, "code": "000000"})
        assert (wrong.status_code, wrong.json()["field"]) == (401, "code")
        right = {**body, "code": totp.code_at(begun.secret, step + 1)}
        assert (await browser.post("/operator/api/session", json=right)).status_code == 200
    await forget_guesses()


async def test_a_removed_operator_is_out_at_once(platform: Platform) -> None:
    assert await remove_operator(platform.name)
    assert (await platform.operator.get("/operator/api/tenants")).status_code == 401


async def test_a_session_ends_after_a_working_day(platform: Platform) -> None:
    clock.set_offset(timedelta(hours=12, minutes=1).total_seconds())
    try:
        assert (await platform.operator.get("/operator/api/session")).status_code == 401
    finally:
        clock.set_offset(0)


async def test_a_tenant_is_made_and_its_owner_comes_by_the_link(platform: Platform) -> None:
    basic = (await platform.plans())["basic"]
    until = (clock.now() + timedelta(days=30)).isoformat()
    tenant_id, token, owner = await platform.creates(plan_id=basic["id"], until=until)
    async with client(platform.app) as browser:
        looked = await browser.post("/api/access-links/look", json={"token": token})
        assert looked.json()["tenant_name"] == "拾光衣橱"
        me = (await browser.post("/api/access-links/use", json={"token": token, "password": PASSWORD})).json()
    assert (me["tenant"]["id"], me["staff"]["role"], me["tenant"]["plan"]["name"]) == (str(tenant_id), "owner", "基础")

    async with signed_in(platform.app, owner) as opened:
        entries = (await opened.get("/api/audit")).json()["items"]
    created = next(entry for entry in entries if entry["action"] == "platform.tenant.created")
    assert created["actor_kind"] == "platform_operator"
    assert created["after"]["plan"] == "基础"


async def test_a_lost_invitation_is_made_anew_until_the_owner_has_come(platform: Platform) -> None:
    tenant_id, token, _ = await platform.creates()
    again = (await platform.does(tenant_id, "invitation")).json()["url"].partition("#")[2]
    async with client(platform.app) as browser:
        assert (await browser.post("/api/access-links/look", json={"token": token})).status_code == 410
        await browser.post("/api/access-links/use", json={"token": again, "password": PASSWORD})
    assert (await platform.does(tenant_id, "invitation")).status_code == 404


async def test_suspended_people_are_out_at_once_and_told_why(platform: Platform) -> None:
    tenant_id, owner = await platform.joined()
    async with signed_in(platform.app, owner) as opened:
        assert (await platform.does(tenant_id, "suspend", reason="三个月没有缴费")).status_code == 200
        refused = await opened.get("/api/staff")
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/tenant_suspended")
        assert "三个月没有缴费" in refused.json()["detail"]
        again = await opened.post("/api/session", json={"sign_in_name": owner, "password": PASSWORD})
        assert "三个月没有缴费" in again.json()["detail"]

        assert (await platform.does(tenant_id, "restore")).status_code == 200
        assert (await opened.get("/api/staff")).status_code == 200


async def test_a_suspended_tenants_customers_are_received_and_kept(platform: Platform) -> None:
    tenant_id, _ = await platform.joined()
    await platform.does(tenant_id, "suspend", reason="欠费")
    async with transaction(job_context(tenant_id)) as ctx:
        assert len(await find_or_create_many(ctx, "external_userid", "ww1", ["wm1", "wm2"])) == 2


async def test_closing_asks_for_the_name_and_keeps_the_data(platform: Platform) -> None:
    tenant_id, owner = await platform.joined()
    refused = await platform.does(tenant_id, "close", reason="不做了", name="拾光")
    assert (refused.status_code, refused.json()["field"]) == (422, "name")

    closed = await platform.does(tenant_id, "close", reason="不做了", name="拾光衣橱")
    assert closed.json()["state"] == "closed"
    assert (await platform.does(tenant_id, "suspend", reason="x")).json()[
        "type"
    ] == "/problems/organization.tenant_state"
    async with client(platform.app) as browser:
        told = await browser.post("/api/session", json={"sign_in_name": owner, "password": PASSWORD})
        assert (told.status_code, "已关闭" in told.json()["detail"]) == (403, True)
    assert (await platform.does(tenant_id, "restore")).json()["state"] == "active"
    forget()
    async with signed_in(platform.app, owner) as opened:
        assert len((await opened.get("/api/staff")).json()["items"]) == 1


async def test_plans_change_at_once_at_the_end_and_by_renewal(platform: Platform) -> None:
    plans = await platform.plans()
    now = clock.now()
    month, two = ((now + timedelta(days=days)).isoformat() for days in (30, 60))
    tenant_id, owner = await platform.joined(plan_id=plans["standard"]["id"], until=month)

    async def give(**body: Any) -> httpx2.Response:
        return await platform.operator.put(f"/operator/api/tenants/{tenant_id}/plan", json=body)

    later = (await give(plan_id=plans["basic"]["id"], until=two, when="period_end")).json()
    assert (later["plan_name"], later["next_plan_name"]) == ("标准", "基础")
    higher = (await give(plan_id=plans["premium"]["id"], until=month)).json()
    assert (higher["plan_name"], higher["next_plan_name"]) == ("高级", None)
    await give(plan_id=plans["basic"]["id"], until=two, when="period_end")

    clock.set_offset(timedelta(days=31).total_seconds())
    try:
        async with signed_in(platform.app, owner) as opened:
            assert (await opened.get("/api/plan")).json()["name"] == "基础"
            entries = (await opened.get("/api/audit")).json()["items"]
    finally:
        clock.set_offset(0)
    changed = [entry["after"] for entry in entries if entry["action"] == "platform.tenant.plan_changed"]
    assert (changed[0]["plan"], changed[0]["next_plan"]) == ("高级", "基础")

    early = await give(plan_id=plans["basic"]["id"], until=(now - timedelta(days=1)).isoformat())
    assert (early.status_code, early.json()["field"]) == (422, "until")


async def test_a_plan_that_is_changed_counts_for_everybody_who_has_it(platform: Platform) -> None:
    body = {"key": f"p{new_id().hex[-20:]}", "name": "小店", "features": [], "quotas": {"seats": 1}}
    plan = (await platform.operator.post("/operator/api/plans", json=body)).json()
    _, owner = await platform.joined(plan_id=plan["id"])
    person = {"name": "小雨", "sign_in_name": f"staff-{new_id().hex}", "password": PASSWORD, "role": "agent"}
    async with signed_in(platform.app, owner) as opened:
        assert (await opened.post("/api/staff", json=person)).json()["type"] == "/problems/over_quota"
        wider = {**body, "quotas": {"seats": 2}, "version": plan["version"]}
        changed = await platform.operator.put(f"/operator/api/plans/{plan['id']}", json=wider)
        assert (changed.status_code, changed.json()["tenants"]) == (200, 1)
        assert (await opened.post("/api/staff", json=person)).status_code == 201
    stale = await platform.operator.put(f"/operator/api/plans/{plan['id']}", json=wider)
    assert stale.status_code == 409


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("key", {"key": "Mit Leerzeichen"}),
        ("key", {"key": "basic"}),
        ("features", {"features": ["flying"]}),
        ("quotas", {"quotas": {"wishes": 3}}),
        ("name", {"name": "   "}),
    ],
)
async def test_a_plan_that_makes_no_sense_is_refused(platform: Platform, field: str, change: dict[str, Any]) -> None:
    body = {"key": f"p{new_id().hex[-20:]}", "name": "小店", **change}
    refused = await platform.operator.post("/operator/api/plans", json=body)
    assert (refused.status_code in (409, 422), refused.json()["field"]) == (True, field)


async def test_an_archived_plan_is_given_to_nobody_new(platform: Platform) -> None:
    body = {"key": f"p{new_id().hex[-20:]}", "name": "旧的"}
    plan = (await platform.operator.post("/operator/api/plans", json=body)).json()
    tenant_id, _ = await platform.joined(plan_id=plan["id"])
    put = {**body, "archived": True, "version": 1}
    await platform.operator.put(f"/operator/api/plans/{plan['id']}", json=put)

    new = {"name": "新店", "owner_name": "甲", "owner_sign_in_name": f"o-{new_id().hex}", "plan_id": plan["id"]}
    assert (await platform.operator.post("/operator/api/tenants", json=new)).status_code == 404
    renewed = {"plan_id": plan["id"], "until": (clock.now() + timedelta(days=9)).isoformat()}
    kept = await platform.operator.put(f"/operator/api/tenants/{tenant_id}/plan", json=renewed)
    assert kept.status_code == 200


async def test_usage_and_health_are_seen_without_a_look_into_the_tenant(platform: Platform) -> None:
    plans = await platform.plans()
    tenant_id, _ = await platform.joined(plan_id=plans["basic"]["id"])
    before = await platform.sees(tenant_id)
    assert before["health"] is None
    assert {one["used"] for one in before["usage"]} == {None}

    async with transaction(job_context(tenant_id)) as ctx:
        await find_or_create_many(ctx, "external_userid", "ww1", ["wm1", "wm2"])
    await measure(job_context(tenant_id))
    await health.look(job_context(tenant_id))

    seen = await platform.sees(tenant_id)
    used = {one["name"]: (one["used"], one["limit"]) for one in seen["usage"]}
    assert used["seats"] == (1, 3)
    assert used["contacts"] == (2, 2000)
    assert (seen["health"]["good"], seen["health"]["dead_letters"]) == (True, 0)


async def test_an_errors_own_words_stay_with_the_tenant(platform: Platform) -> None:
    tenant_id, _ = await platform.joined()
    async with transaction(job_context(tenant_id)) as ctx:
        raw = await connection(ctx)
        await raw.execute(
            "INSERT INTO work_dead_letters (tenant_id, id, source, kind, key, attempts, error, created_at, died_at)"
            " VALUES ($1, $2, 'job', 'a.job', 'k', 3, 'ValueError: 顾客的手机号 13800000000', $3, $3)",
            tenant_id,
            new_id(),
            clock.now(),
        )
    await health.look(job_context(tenant_id))
    seen = (await platform.sees(tenant_id))["health"]
    assert (seen["good"], seen["dead_letters"], seen["last_error"]) == (False, 1, "a.job: ValueError")


async def test_tenants_are_found_by_name_and_state(platform: Platform) -> None:
    word = new_id().hex[-12:]
    tenant_id, _ = await platform.joined(name=f"A{word.upper()}B")
    await platform.creates()

    async def names(**query: Any) -> list[str]:
        found = await platform.operator.get("/operator/api/tenants", params=query)
        return [row["name"] for row in found.json()["items"]]

    assert await names(q=word) == [f"A{word.upper()}B"]
    assert await names(q=word, state="suspended") == []
    await platform.does(tenant_id, "suspend", reason="x")
    assert await names(q=word, state="suspended") == [f"A{word.upper()}B"]
    first = (await platform.operator.get("/operator/api/tenants", params={"limit": 1})).json()
    second = await platform.operator.get("/operator/api/tenants", params={"limit": 1, "cursor": first["next_cursor"]})
    assert second.json()["items"][0]["id"] < first["items"][0]["id"]


async def test_what_operators_did_stands_in_the_platforms_log(platform: Platform) -> None:
    tenant_id, _ = await platform.joined()
    await platform.does(tenant_id, "suspend", reason="欠费")
    found = (await platform.operator.get("/operator/api/log", params={"tenant_id": str(tenant_id)})).json()["items"]
    assert [(entry["action"], entry["operator"]) for entry in found] == [
        ("tenant.suspended", platform.name),
        ("tenant.created", platform.name),
    ]
    assert found[0]["after"] == {"reason": "欠费"}
