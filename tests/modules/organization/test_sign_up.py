"""Signing up: closed until the operator opens it, on trial, limited per address."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from huitouke.kernel import clock
from huitouke.kernel.database import platform_transaction
from huitouke.kernel.ids import new_id
from tests.support.http import PASSWORD, application, client, forget_guesses
from tests.support.operators import make_operator, operator_client


def wish(**change: Any) -> dict[str, Any]:
    body = {"shop_name": "新店", "owner_name": "店长", "sign_in_name": f"new-{new_id().hex}", "password": PASSWORD}
    return {**body, **change}


@pytest.fixture
async def browser(database: object) -> AsyncIterator[httpx2.AsyncClient]:
    await forget_guesses()
    async with client(application()) as opened:
        yield opened
    async with platform_transaction() as session:
        await session.execute(text("UPDATE platform_settings SET sign_up_open = false"))
    await forget_guesses()


async def opened_by_an_operator(key: str = "standard") -> httpx2.Response:
    async with operator_client(application(), await make_operator()) as operator:
        plans = (await operator.get("/operator/api/plans")).json()["items"]
        plan = next(plan for plan in plans if plan["key"] == key)
        body = {"sign_up_open": True, "sign_up_plan_id": plan["id"]}
        return await operator.put("/operator/api/settings", json=body)


async def test_it_is_closed_by_default(browser: httpx2.AsyncClient) -> None:
    assert (await browser.get("/api/sign-up")).json() == {"open": False, "trial_days": None}
    refused = await browser.post("/api/sign-up", json=wish())
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/organization.sign_up_closed")


async def test_a_shop_signs_up_on_trial_and_is_in(browser: httpx2.AsyncClient) -> None:
    await opened_by_an_operator()
    assert (await browser.get("/api/sign-up")).json() == {"open": True, "trial_days": 14}
    before = clock.now()
    made = await browser.post("/api/sign-up", json=wish())
    assert made.status_code == 201

    me = (await browser.get("/api/session")).json()
    assert (me["tenant"]["name"], me["staff"]["role"]) == ("新店", "owner")
    plan = (await browser.get("/api/plan")).json()
    assert plan["name"] == "标准"
    ends = datetime.fromisoformat(plan["expires_at"])
    assert timedelta(days=14) <= ends - before < timedelta(days=14, minutes=5)


async def test_after_the_trial_everything_is_there_to_read(browser: httpx2.AsyncClient) -> None:
    await opened_by_an_operator()
    body = wish()
    await browser.post("/api/sign-up", json=body)
    clock.set_offset(timedelta(days=14, minutes=1).total_seconds())
    try:
        again = {"sign_in_name": body["sign_in_name"], "password": PASSWORD}
        me = (await browser.post("/api/session", json=again)).json()
        assert me["tenant"]["read_only"] is True
        assert len((await browser.get("/api/staff")).json()["items"]) == 1
    finally:
        clock.set_offset(0)


@pytest.mark.parametrize(
    ("field", "wrong"), [("password", {"password": "short"}), ("sign_in_name", {"sign_in_name": "a b"})]
)
async def test_what_cant_be_used_leaves_no_shop(browser: httpx2.AsyncClient, field: str, wrong: dict[str, str]) -> None:
    await opened_by_an_operator()
    name = f"店{new_id().hex[-12:]}"
    refused = await browser.post("/api/sign-up", json=wish(shop_name=name, **wrong))
    assert (refused.status_code, refused.json()["field"]) == (422, field)
    async with platform_transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM tenants WHERE name = :name"), {"name": name}) == 0


async def test_a_taken_name_is_refused(browser: httpx2.AsyncClient) -> None:
    await opened_by_an_operator()
    body = wish()
    await browser.post("/api/sign-up", json=body)
    again = await browser.post("/api/sign-up", json=body)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/access.sign_in_name_taken")


async def test_many_shops_from_one_address_are_too_many(browser: httpx2.AsyncClient) -> None:
    await opened_by_an_operator()
    answers = [(await browser.post("/api/sign-up", json=wish(password="short"))).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]


async def test_a_plan_without_a_trial_is_not_tried(browser: httpx2.AsyncClient) -> None:
    refused = await opened_by_an_operator("basic")
    assert (refused.status_code, refused.json()["field"]) == (422, "sign_up_plan_id")
