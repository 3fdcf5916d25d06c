"""The company behind the shop: its data, its corps in WeCom, and what WeCom grants."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.database import transaction
from tests.modules.conversations.desk import Desk
from tests.support.http import application, signed_in

LICENCE = "91330106MA2B0ABCDE"


@pytest.fixture
async def owner(desk: Desk) -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in(application(), desk.owner.sign_in_name) as opened:
        yield opened


async def ok(call: Any) -> Any:
    answer = await call
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_data_are_entered_changed_and_noted(desk: Desk, owner: httpx2.AsyncClient) -> None:
    await ok(owner.put("/api/company", json={"name": " 小店（上海）  有限公司 ", "licence_number": LICENCE.lower()}))
    found = await ok(owner.put("/api/company", json={"name": "小店（上海）有限公司", "licence_number": LICENCE}))
    assert (found["name"], found["licence_number"]) == ("小店（上海）有限公司", LICENCE)
    async with transaction(desk.context) as ctx:
        noted = (await ctx.session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "company"))).all()
    assert len(noted) == 2


@pytest.mark.parametrize("number", ["123", "91330106MA2B0ABCDO", "91330106MA2B0ABCDEF"])
async def test_a_number_that_can_not_be_one_is_refused_at_its_field(owner: httpx2.AsyncClient, number: str) -> None:
    refused = await owner.put("/api/company", json={"licence_number": number})
    assert refused.status_code == 422
    assert refused.json()["field"] == "licence_number"


async def test_what_wecom_grants_follows_the_checks(desk: Desk, owner: httpx2.AsyncClient) -> None:
    def states(found: Any) -> dict[str, str]:
        return {one["name"]: one["state"] for one in found["abilities"]}

    found = await ok(owner.get("/api/company"))
    assert found["corps"] == [{"corp_id": desk.shop.corp_id, "apps": ["客服"]}]
    assert states(found)["app"] == "missing", "never checked"
    await owner.put(f"/api/wecom-apps/{desk.app_id}/sign-in")
    await owner.post(f"/api/wecom-apps/{desk.app_id}/check")
    await owner.post("/api/prerequisites/kf_managed/check")
    found = states(await ok(owner.get("/api/company")))
    assert (found["app"] != "missing", found["kf"], found["sign_in"], found["contacts"]) == (
        True,
        "granted",
        "granted",
        "missing",
    )


async def test_the_licence_of_the_ledger_is_the_companys(owner: httpx2.AsyncClient) -> None:
    values = {"company_name": "小店（上海）有限公司"}
    await ok(owner.put("/api/prerequisites/business_licence/values", json={"values": values}))
    assert (await ok(owner.get("/api/company")))["name"] == "小店（上海）有限公司"
    await ok(owner.put("/api/company", json={"name": "小店(上海)有限公司"}))
    filing = {"domain": "shop.example.com", "filing_entity": "小店(上海)有限公司"}
    await ok(owner.put("/api/prerequisites/domain/values", json={"values": filing}))
    ledger = await ok(owner.post("/api/prerequisites/domain/check"))
    assert next(one for one in ledger["items"] if one["name"] == "domain")["state"] == "done"
