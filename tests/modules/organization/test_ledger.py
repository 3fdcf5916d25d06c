"""The ledger of prerequisites: states, checks, what waits for what, and an entry in a stranger's hands."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select, text, update

from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.context import job_context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.plans.standing import forget_standing
from huitouke.kernel.shared_links import living_links
from huitouke.kernel.tenancy import Tenant
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.models import WecomApp
from huitouke.modules.organization.service.prerequisites import LINK_KIND
from tests.support.http import HEADERS, ORIGIN, PASSWORD, application, client, signed_in
from tests.support.plans import give_plan, let_expire
from tests.support.time import later, today
from tests.support.world import World

SECRET = "a-secret-of-the-app-0123456789"


@pytest.fixture
async def shop(world: World) -> tuple[World, str]:
    name = f"owner-{new_id().hex}"
    founded = await organization.found_tenant(f"小店{new_id().hex[-6:]}", name, Secret(PASSWORD), owner_name="店长")
    return World(founded.tenant_id, job_context(founded.tenant_id)), name


@pytest.fixture
async def owner(shop: tuple[World, str]) -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in(application(), shop[1]) as opened:
        yield opened


@pytest.fixture
async def stranger() -> AsyncIterator[httpx2.AsyncClient]:
    async with client(application()) as opened:
        yield opened


async def ok(call: Any, status: int = 200) -> Any:
    answer = await call
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def entry(ledger: Any, name: str) -> Any:
    return next(one for one in ledger["items"] if one["name"] == name)


def feature(ledger: Any, name: str) -> Any:
    return next(one for one in ledger["features"] if one["name"] == name)


async def done(owner: httpx2.AsyncClient, *names: str) -> Any:
    for name in names:
        ledger = await ok(owner.patch(f"/api/prerequisites/{name}", json={"state": "done"}))
    return ledger


async def handed_over(owner: httpx2.AsyncClient, name: str) -> tuple[str, str]:
    link = await ok(owner.post(f"/api/prerequisites/{name}/links", json={"label": "代办公司"}), 201)
    assert link["url"].split("#")[0].endswith("/handed")
    return link["id"], link["url"].split("#")[1]


async def test_a_new_shop_is_told_what_to_begin_today_and_when_it_can_answer(owner: httpx2.AsyncClient) -> None:
    ledger = await ok(owner.get("/api/prerequisites"))
    assert {one["state"] for one in ledger["items"]} == {"todo"}
    assert ledger["begin_today"] == ["business_licence", "server"]
    assert ledger["chain"] == ["server", "domain"]
    assert feature(ledger, "chat")["state"] == "waits"
    assert feature(ledger, "chat")["usable_on"] == entry(ledger, "domain")["ready_on"]


async def test_what_is_done_moves_the_day_and_names_the_next(owner: httpx2.AsyncClient) -> None:
    before = await ok(owner.get("/api/prerequisites"))
    ledger = await done(owner, "business_licence", "server")
    assert feature(ledger, "chat")["usable_on"] < feature(before, "chat")["usable_on"]
    assert set(ledger["begin_today"]) >= {"domain", "wecom_verified", "wecom_app"}
    assert entry(ledger, "server")["done_by"] == "店长"


async def test_when_everything_it_needs_is_there_a_feature_is_usable(owner: httpx2.AsyncClient) -> None:
    ledger = await done(owner, "business_licence", "sms_signature")
    assert feature(ledger, "sms") == {
        "name": "sms", "title": "短信", "state": "usable", "usable_on": ledger["today"], "waits_for": [],
    }  # fmt: skip
    ledger = await ok(owner.patch("/api/prerequisites/archive_seats", json={"state": "not_needed"}))
    assert feature(ledger, "archive")["state"] == "off"


async def test_a_shop_reckons_with_what_it_was_told(owner: httpx2.AsyncClient) -> None:
    ledger = await ok(owner.patch("/api/prerequisites/domain", json={"expected_days": 5}))
    assert (entry(ledger, "domain")["days"], entry(ledger, "domain")["usual_days"]) == (5, 20)
    ledger = await ok(owner.patch("/api/prerequisites/domain", json={"expected_days": None}))
    assert entry(ledger, "domain")["days"] == 20


@pytest.mark.parametrize(
    ("entity", "state", "words"),
    [
        ("小店（上海）餐饮有限公司", "done", "检查通过"),
        ("小店(上海)餐饮有限公司", "todo", "只差在括号"),
        ("别家餐饮有限公司", "todo", "不是同一家"),
    ],
)
async def test_the_filing_is_compared_with_the_licence(
    owner: httpx2.AsyncClient, entity: str, state: str, words: str
) -> None:
    licence = {"values": {"company_name": "小店（上海）餐饮有限公司"}}
    await ok(owner.put("/api/prerequisites/business_licence/values", json=licence))
    filing = {"values": {"domain": "shop.example.com", "filing_entity": entity}}
    await ok(owner.put("/api/prerequisites/domain/values", json=filing))
    ledger = await ok(owner.post("/api/prerequisites/domain/check"))
    found = entry(ledger, "domain")
    assert found["state"] == state
    assert words in found["found"]["message"]
    assert bool(found["found"]["fix"]) is (state == "todo")


async def test_what_an_entry_does_not_ask_for_or_misses_is_refused(owner: httpx2.AsyncClient) -> None:
    path = "/api/prerequisites/domain/values"
    assert (await owner.put(path, json={"values": {"colour": "red"}})).status_code == 422
    assert (await owner.put(path, json={"values": {"domain": "shop.example.com"}})).status_code == 422
    assert (await owner.patch("/api/prerequisites/nothing", json={"state": "done"})).status_code == 404


async def test_the_holder_of_a_link_sees_that_entry_alone_and_ticks_it(
    owner: httpx2.AsyncClient, stranger: httpx2.AsyncClient, shop: tuple[World, str]
) -> None:
    await ok(owner.patch("/api/prerequisites/sms_signature", json={"note": "押金别多付"}))
    _, token = await handed_over(owner, "sms_signature")

    seen = await ok(stranger.post("/api/handed-over/look", json={"token": token}))
    assert (seen["title"], seen["state"]) == ("短信签名", "handed")
    assert "押金" not in str(seen), "what the shop notes is its own"
    assert "服务器" not in str(seen), "nothing of other entries"
    said = {"token": token, "state": "done", "values": {"signature": "小店餐饮"}, "note": "已通过"}
    await ok(stranger.post("/api/handed-over/say", json=said))

    found = entry(await ok(owner.get("/api/prerequisites")), "sms_signature")
    assert (found["state"], found["done_by"], found["note"]) == ("done", "代办公司", "押金别多付\n代办公司：已通过")
    assert found["asks"][0]["value"] == "小店餐饮"
    async with transaction(shop[0].context) as ctx:
        entries = (await ctx.session.scalars(select(AuditEntry).where(AuditEntry.object_kind == "prerequisite"))).all()
    assert {one.actor_kind for one in entries} == {"staff", "visitor"}
    for path in ("/api/prerequisites", "/api/staff", "/api/wecom-apps"):
        assert (await stranger.get(path)).status_code == 401


async def test_a_secret_goes_where_it_is_used_and_is_never_shown(
    owner: httpx2.AsyncClient, stranger: httpx2.AsyncClient, shop: tuple[World, str]
) -> None:
    _, token = await handed_over(owner, "wecom_app")
    values = {"corp_id": "ww1234567890abcdef", "agent_id": "1000002", "secret": SECRET}
    seen = await ok(stranger.post("/api/handed-over/say", json={"token": token, "state": "waiting", "values": values}))
    assert SECRET not in str(seen)
    ledger = await ok(owner.get("/api/prerequisites"))
    assert SECRET not in str(ledger)
    assert [one["entered"] for one in entry(ledger, "wecom_app")["asks"]] == [True, True, True]
    async with transaction(shop[0].context) as ctx:
        app = await ctx.session.scalar(select(WecomApp))
        rows = await ctx.session.scalars(
            text(
                "SELECT row_to_json(p)::text FROM prerequisite_states p UNION ALL"
                " SELECT row_to_json(a)::text FROM audit_log a UNION ALL"
                " SELECT row_to_json(w)::text FROM wecom_apps w"
            )
        )
        assert SECRET not in "".join(rows.all())
    assert app is not None
    assert app.corp_id == "ww1234567890abcdef"


async def test_what_can_be_tried_is_not_done_because_a_stranger_says_so(
    owner: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    await ok(owner.put("/api/prerequisites/business_licence/values", json={"values": {"company_name": "小店有限公司"}}))
    _, token = await handed_over(owner, "domain")
    values = {"domain": "shop.example.com", "filing_entity": "别家有限公司"}
    seen = await ok(stranger.post("/api/handed-over/say", json={"token": token, "state": "done", "values": values}))
    assert seen["state"] == "waiting"
    values["filing_entity"] = "小店有限公司"
    seen = await ok(stranger.post("/api/handed-over/say", json={"token": token, "state": "done", "values": values}))
    assert seen["state"] == "done"


async def test_a_link_that_was_taken_back_or_ran_out_opens_nothing(
    owner: httpx2.AsyncClient, stranger: httpx2.AsyncClient, shop: tuple[World, str]
) -> None:
    link_id, token = await handed_over(owner, "server")
    await ok(owner.delete(f"/api/prerequisite-links/{link_id}"), 204)
    assert (await stranger.post("/api/handed-over/look", json={"token": token})).status_code == 410

    _, token = await handed_over(owner, "server")
    await later(timedelta(days=15).total_seconds())
    try:
        assert (await stranger.post("/api/handed-over/look", json={"token": token})).status_code == 410
        async with transaction(shop[0].context) as ctx:
            assert list(await living_links(ctx, LINK_KIND, ["server"])) == []
    finally:
        await today()


async def test_links_are_few_and_guessing_is_slowed_down(owner: httpx2.AsyncClient) -> None:
    for _ in range(5):
        await handed_over(owner, "server")
    assert (await owner.post("/api/prerequisites/server/links", json={"label": "又一个"})).status_code == 409
    elsewhere = httpx2.ASGITransport(app=application(), client=("198.51.100.9", 1))  # others' tries are counted apart
    async with httpx2.AsyncClient(transport=elsewhere, base_url=ORIGIN, headers=HEADERS) as guesser:
        tries = [await guesser.post("/api/handed-over/look", json={"token": f"guess-{n}"}) for n in range(61)]
    assert {one.status_code for one in tries} == {410, 429}


async def test_a_link_of_a_neighbour_shows_the_neighbours_entry_and_writes_there(
    owner: httpx2.AsyncClient, stranger: httpx2.AsyncClient, shop: tuple[World, str]
) -> None:
    _, token = await handed_over(owner, "server")
    seen = await ok(stranger.post("/api/handed-over/say", json={"token": token, "state": "waiting"}))
    assert seen["state"] == "waiting"
    async with transaction(shop[0].context) as ctx:
        row = await ctx.session.execute(text("SELECT tenant_id, state FROM prerequisite_states WHERE name = 'server'"))
    assert row.one() == (shop[0].tenant_id, "waiting")


async def test_a_shop_whose_plan_is_over_shows_its_entry_and_takes_no_answer(
    owner: httpx2.AsyncClient, stranger: httpx2.AsyncClient, shop: tuple[World, str]
) -> None:
    _, token = await handed_over(owner, "server")
    try:
        await let_expire(shop[0].tenant_id)
        await ok(stranger.post("/api/handed-over/look", json={"token": token}))
        said = await stranger.post("/api/handed-over/say", json={"token": token, "state": "waiting"})
        assert said.json()["type"] == "/problems/tenant_read_only"
    finally:
        await give_plan(shop[0].tenant_id, None)
        forget_standing()


async def test_a_shop_that_is_suspended_shows_nothing(
    owner: httpx2.AsyncClient, stranger: httpx2.AsyncClient, shop: tuple[World, str]
) -> None:
    _, token = await handed_over(owner, "server")
    async with platform_transaction() as session:
        await session.execute(update(Tenant).where(Tenant.id == shop[0].tenant_id).values(state="suspended"))
    for path, body in (("look", {}), ("say", {"state": "done"})):
        assert (await stranger.post(f"/api/handed-over/{path}", json={"token": token, **body})).status_code == 410
