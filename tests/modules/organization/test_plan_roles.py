"""A plan names the roles with which a new shop begins; the operator edits them, the shop changes its own."""

from typing import Any

import pytest

from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import load_modules
from huitouke.modules.organization.service.roles import permissions_of
from tests.support.http import PASSWORD, application, client
from tests.support.operators import make_operator, operator_client

FRONT_DESK = {"name": "前台", "like": "agent"}


def plan(**change: Any) -> dict[str, Any]:
    body = {"key": f"p{new_id().hex[-20:]}", "name": "小店", "features": ["assistant"], "trial_days": 7}
    return {**body, "roles": [FRONT_DESK], **change}


@pytest.mark.usefixtures("database")
async def test_a_new_shop_begins_with_the_roles_of_its_plan_and_others_have_none_of_them() -> None:
    owner = f"owner-{new_id().hex}"
    async with operator_client(application(), await make_operator()) as operator:
        made = (await operator.post("/operator/api/plans", json=plan())).json()
        assert made["roles"] == [FRONT_DESK]
        wish = {"name": "新店", "owner_name": "店长", "owner_sign_in_name": owner, "plan_id": made["id"]}
        invited = (await operator.post("/operator/api/tenants", json=wish)).json()
        listed = (await operator.get("/operator/api/plans")).json()["items"]
    assert next(one for one in listed if one["id"] == made["id"])["roles"] == [FRONT_DESK]
    assert all(one["roles"] == [] for one in listed if one["key"] in ("basic", "standard", "premium"))

    token = invited["url"].split("#")[1]
    async with client(application()) as shop:
        await shop.post("/api/access-links/use", json={"token": token, "password": PASSWORD})
        own = [role for role in (await shop.get("/api/roles")).json()["items"] if role["preset"] is None]
        assert [role["name"] for role in own] == ["前台"]
        assert set(own[0]["permissions"]) == permissions_of("agent", load_modules())
        renamed = {"version": 1, "name": "门店前台", "permissions": own[0]["permissions"], "data_scope": "all"}
        changed = await shop.put(f"/api/roles/{own[0]['key']}", json={**renamed, "department_ids": []})
        assert changed.json()["name"] == "门店前台"


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    "roles",
    [
        [FRONT_DESK, FRONT_DESK],
        [{"name": " ", "like": "agent"}],
        [{"name": "前台", "like": "owner"}],
        [{"name": f"角色{number}", "like": "agent"} for number in range(11)],
    ],
    ids=["twice", "nameless", "like an owner", "too many"],
)
async def test_roles_that_cannot_be_are_refused(roles: list[dict[str, str]]) -> None:
    async with operator_client(application(), await make_operator()) as operator:
        assert (await operator.post("/operator/api/plans", json=plan(roles=roles))).status_code == 422
