"""The page about privacy: who gets no offers, lists in and out, the limit per week, and who else handles data."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from huitouke.kernel.database import transaction
from huitouke.kernel.outreach import Recipient, refusals
from huitouke.modules.assistant.schemas import ModelIn
from huitouke.modules.assistant.service import save_endpoint
from huitouke.modules.customers import service as customers
from tests.support.firm import Firm, Plan, make_firm
from tests.support.http import signed_in_client

PLACE = "/api/privacy/refusals"


@pytest.fixture
async def firm(database: object) -> Firm:
    return await make_firm(Plan(followed_by=(frozenset(), frozenset())))


@pytest.fixture
async def owner(firm: Firm) -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in_client(firm.world) as client:
        yield client


async def uploaded(owner: httpx2.AsyncClient, *lines: str, name: str = "名单.csv") -> dict[str, str]:
    content = "\n".join(lines).encode()
    stored = await owner.post("/api/files", params={"purpose": "refusals_import"}, files={"file": (name, content)})
    assert stored.status_code == 201, stored.text
    return {"file_id": stored.json()["id"]}


async def listed(owner: httpx2.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await owner.get(PLACE, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_list_is_looked_at_and_taken_in(firm: Firm, owner: httpx2.AsyncClient) -> None:
    body = await uploaded(
        owner, "手机,备注", "13800138000,门店登记", "138 0013 8000,", "12345678901,", ",没有号码", "+85291234567,"
    )

    found = (await owner.post(f"{PLACE}/lists/look", json=body)).json()

    assert (found["numbers"], found["known"], found["rows_failed"]) == (2, 0, 3)
    assert found["errors"] == [
        {"row": 3, "message": "和第 2 行的号码一样"},
        {"row": 4, "message": "没有以这几位开头的手机号"},
        {"row": 5, "message": "没有写手机号"},
    ]
    assert await listed(owner) == []
    assert (await owner.post(f"{PLACE}/lists", json=body)).json() == {"added": 2}
    assert (await owner.post(f"{PLACE}/lists", json=body)).json() == {"added": 0}
    assert (await owner.post(f"{PLACE}/lists/look", json=body)).json()["known"] == 2
    lines = await listed(owner)
    assert {(one["phone"], one["source"], one["note"]) for one in lines} == {
        ("138****8000", "import", "门店登记"),
        ("+852****567", "import", None),
    }
    async with transaction(firm.world.context) as ctx:
        asked = [Recipient(phone="+8613800138000")]
        assert set((await refusals(ctx, asked, channel="sms", purpose="marketing")).values()) == {"refused_marketing"}


async def test_a_bare_list_of_numbers_needs_no_titles(owner: httpx2.AsyncClient) -> None:
    body = await uploaded(owner, "13800138000", "13900139000")

    assert (await owner.post(f"{PLACE}/lists", json=body)).json() == {"added": 2}


async def test_a_file_that_is_no_list_is_refused_with_a_sentence(owner: httpx2.AsyncClient) -> None:
    too_many = await uploaded(owner, "手机", *(f"138{number:08}" for number in range(5_001)))

    refused = await owner.post(f"{PLACE}/lists/look", json=too_many)

    assert refused.status_code == 422
    assert refused.json()["detail"] == "一次最多导入 5000 个号码。请拆成几个文件分别导入。"


async def test_refusals_are_searched_and_ended(firm: Firm, owner: httpx2.AsyncClient) -> None:
    async with transaction(firm.world.context) as ctx:
        await customers.edit(ctx, firm.customers[0], remark="老周")
        await customers.set_phone(ctx, firm.customers[0], "13800138000")
        said = [customers.Refusal("customer_words", one) for one in firm.customers]
        await customers.refuse_marketing(ctx, [*said, customers.Refusal("import", phone="+8613900139000")])

    assert len(await listed(owner)) == 3
    for q in ("老周", "13800138000"):
        (line,) = await listed(owner, q=q)
        assert (line["customer"]["name"], line["phone"]) == ("老周", "138****8000")
    (number,) = await listed(owner, q="13900139000")
    assert number["customer"] is None
    assert await listed(owner, q="1390013") == []

    path = f"{PLACE}/{number['id']}/end"
    assert (await owner.post(path, json={"reason": "  "})).status_code == 422
    assert (await owner.post(path, json={"reason": "号码写错了"})).status_code == 204
    assert (await owner.post(path, json={"reason": "号码写错了"})).status_code == 404
    assert await listed(owner, q="13900139000") == []


async def test_pages_follow_each_other(owner: httpx2.AsyncClient) -> None:
    await owner.post(f"{PLACE}/lists", json=await uploaded(owner, "手机", *(f"1380013800{n}" for n in range(5))))
    seen, cursor = [], None
    while True:
        page = (await owner.get(PLACE, params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        seen += [one["id"] for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == len(set(seen)) == 5


async def test_taking_the_list_out_is_noted(owner: httpx2.AsyncClient) -> None:
    await owner.post(f"{PLACE}/lists", json=await uploaded(owner, "手机", "13800138000"))

    taken = (await owner.post(f"{PLACE}/exports")).json()

    assert ([one["phone"] for one in taken["items"]], taken["more"]) == (["+8613800138000"], False)
    (noted,) = (await owner.get("/api/audit", params={"reading": True})).json()["items"]
    assert (noted["action"], noted["after"]) == ("customers.refusals_exported", {"entries": 1})


async def test_the_limit_is_the_shops(owner: httpx2.AsyncClient) -> None:
    assert (await owner.get("/api/privacy")).json()["marketing_per_week"] == 3
    assert (await owner.put("/api/privacy", json={"marketing_per_week": 5})).json()["marketing_per_week"] == 5
    assert (await owner.put("/api/privacy", json={"marketing_per_week": 0})).status_code == 422


async def test_who_else_handles_data_is_what_is_set_up(firm: Firm, owner: httpx2.AsyncClient) -> None:
    async def told() -> dict[str, str]:
        found = (await owner.get("/api/privacy")).json()["processors"]
        assert all(one["what"] and not one["what"].startswith("processors.") for one in found)
        return {one["kind"]: one["name"] for one in found}

    assert "model" not in await told()
    async with transaction(firm.world.context) as ctx:
        await save_endpoint(ctx, ModelIn(base_url="https://llm.example.cn/v1", model="m", api_key="k"))

    assert (await told())["model"] == "llm.example.cn"
    assert (await told())["storage"] == ""
