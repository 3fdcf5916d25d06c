"""An operator looks into a tenant: only when an owner lets them, for so long, and every step is written down."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp

from huitouke.kernel import clock
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import load_modules
from huitouke.kernel.operators.signing_in import remove_operator
from huitouke.modules.organization import service as organization
from tests.support.http import PASSWORD, application, signed_in
from tests.support.operators import make_operator, operator_client


@dataclass
class Scene:
    """A shop's owner, an operator, and the browser in which the operator looks in."""

    app: ASGIApp
    tenant_id: str
    owner: httpx2.AsyncClient
    operator: httpx2.AsyncClient
    name: str

    async def asks(self) -> str:
        path = f"/operator/api/tenants/{self.tenant_id}/visits"
        made = await self.operator.post(path, json={"reason": "收不到消息"})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def granted(self, hours: int = 1) -> str:
        visit = await self.asks()
        answer = await self.owner.post(f"/api/visits/{visit}/grant", json={"hours": hours})
        assert answer.status_code == 200, answer.text
        return visit

    async def enters(self, visit: str) -> httpx2.Response:
        return await self.operator.post(f"/operator/api/visits/{visit}/enter")


@pytest.fixture
async def scene(database: object) -> AsyncIterator[Scene]:
    app, name = application(), f"owner-{new_id().hex}"
    founded = await organization.found_tenant("拾光衣橱", name, Secret(PASSWORD), owner_name="林店长")
    operator_name = await make_operator()
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(signed_in(app, name))
        operator = await stack.enter_async_context(operator_client(app, operator_name))
        yield Scene(app, str(founded.tenant_id), owner, operator, operator_name)


async def test_without_consent_nobody_comes_in(scene: Scene) -> None:
    visit = await scene.asks()
    assert (await scene.enters(visit)).status_code == 404
    assert (await scene.operator.get("/api/session")).status_code == 401

    await scene.owner.post(f"/api/visits/{visit}/refuse")
    assert (await scene.enters(visit)).status_code == 404
    late = await scene.owner.post(f"/api/visits/{visit}/grant", json={"hours": 1})
    assert (late.status_code, late.json()["type"]) == (409, "/problems/organization.visit_answered")


async def test_who_is_let_in_looks_at_everything_and_opens_no_door(scene: Scene) -> None:
    await scene.enters(await scene.granted())
    me = (await scene.operator.get("/api/session")).json()
    assert me["staff"]["role"] == "platform_operator"
    assert me["visit"] is not None
    assert (await scene.operator.get("/api/conversations")).status_code == 200
    assert (await scene.operator.get("/api/audit")).status_code == 200

    never = load_modules().permissions() - set(me["permissions"])
    assert never == {
        "conversations.reply",
        "customers.contacts",
        "customers.privacy",
        "organization.manage",
        "support.manage",
    }
    person = {"name": "x", "sign_in_name": f"staff-{new_id().hex}", "password": PASSWORD, "role": "agent"}
    assert (await scene.operator.post("/api/staff", json=person)).status_code == 403


async def test_an_operator_lets_nobody_in_by_themselves(scene: Scene) -> None:
    await scene.enters(await scene.granted())
    another = await scene.asks()
    refused = await scene.operator.post(f"/api/visits/{another}/grant", json={"hours": 24})
    assert refused.status_code == 403


async def test_every_action_stands_in_the_tenants_log_as_the_platforms(scene: Scene) -> None:
    visit = await scene.granted()
    await scene.enters(visit)
    await scene.operator.put("/api/assistant/settings", json={"name": "小助"})
    await scene.owner.post(f"/api/visits/{visit}/end")

    entries = (await scene.owner.get("/api/audit")).json()["items"]
    told = [(entry["action"], entry["actor_kind"]) for entry in reversed(entries)]
    assert told[-5:] == [
        ("platform.visit.asked", "platform_operator"),
        ("platform.visit.granted", "staff"),
        ("platform.visit.entered", "platform_operator"),
        ("assistant.settings_changed", "platform_operator"),
        ("platform.visit.ended", "staff"),
    ]


async def test_a_visit_that_is_ended_is_over_at_once(scene: Scene) -> None:
    visit = await scene.granted()
    await scene.enters(visit)
    assert (await scene.operator.get("/api/session")).status_code == 200
    await scene.owner.post(f"/api/visits/{visit}/end")

    assert (await scene.operator.get("/api/session")).status_code == 401
    assert (await scene.enters(visit)).status_code == 404


async def test_the_operator_may_end_it_too(scene: Scene) -> None:
    visit = await scene.granted()
    assert (await scene.operator.post(f"/operator/api/visits/{visit}/end")).status_code == 204
    (shown,) = (await scene.owner.get("/api/visits")).json()["items"]
    assert shown["state"] == "ended"


@pytest.mark.parametrize("hours", [1, 24])
async def test_a_visit_ends_by_itself_however_much_it_is_used(scene: Scene, hours: int) -> None:
    visit = await scene.granted(hours)
    await scene.enters(visit)
    try:
        clock.set_offset(timedelta(hours=hours, minutes=-1).total_seconds())
        assert (await scene.operator.get("/api/session")).status_code == 200
        clock.set_offset(timedelta(hours=hours, minutes=1).total_seconds())
        assert (await scene.operator.get("/api/session")).status_code == 401
        (shown,) = (await scene.owner.get("/api/visits")).json()["items"]
        assert shown["state"] == "ended"
    finally:
        clock.set_offset(0)


async def test_who_is_no_operator_any_more_is_out(scene: Scene) -> None:
    await scene.enters(await scene.granted())
    await remove_operator(scene.name)
    assert (await scene.operator.get("/api/session")).status_code == 401


async def test_only_owners_let_somebody_in(scene: Scene) -> None:
    visit = await scene.asks()
    name = f"staff-{new_id().hex}"
    person = {"name": "小雨", "sign_in_name": name, "password": PASSWORD, "role": "administrator"}
    assert (await scene.owner.post("/api/staff", json=person)).status_code == 201
    async with signed_in(scene.app, name) as admin:
        assert (await admin.get("/api/visits")).status_code == 200
        refused = await admin.post(f"/api/visits/{visit}/grant", json={"hours": 1})
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/organization.owners_only")


async def test_another_operators_visit_is_none_of_ones_own(scene: Scene) -> None:
    visit = await scene.granted()
    async with operator_client(scene.app, await make_operator()) as other:
        assert (await other.post(f"/operator/api/visits/{visit}/enter")).status_code == 404
        assert (await other.post(f"/operator/api/visits/{visit}/end")).status_code == 404


async def test_one_asks_once_at_a_time_and_says_why(scene: Scene) -> None:
    await scene.asks()
    path = f"/operator/api/tenants/{scene.tenant_id}/visits"
    again = await scene.operator.post(path, json={"reason": "还是不行"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/organization.visit_pending")
    assert (await scene.operator.post(path, json={"reason": ""})).status_code == 422


async def test_a_visit_shows_the_owner_who_and_why(scene: Scene) -> None:
    await scene.asks()
    shown: list[dict[str, Any]] = (await scene.owner.get("/api/visits")).json()["items"]
    assert [(one["operator"], one["reason"], one["state"]) for one in shown] == [(scene.name, "收不到消息", "asked")]
