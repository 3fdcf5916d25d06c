"""Plans enforce themselves: what they open, how much they allow, and what happens when their time is over."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from huitouke.kernel import clock, plans
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.locales import has_text
from huitouke.kernel.modules import Module, ModuleError, assemble, load_modules
from huitouke.kernel.plans.measuring import measure
from huitouke.kernel.plans.models import TenantUsage
from huitouke.kernel.plans.service import quota_named, used_now
from huitouke.kernel.plans.standing import standing_of
from huitouke.modules.customers.service import find_or_create_many
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.service import NewStaff, StaffChange
from tests.support.http import PASSWORD, application, signed_in
from tests.support.plans import give_limits, give_plan, let_expire, make_plan
from tests.support.world import World


@dataclass
class Shop:
    """A founded tenant, and its owner's client."""

    context: Context
    owner: httpx2.AsyncClient

    async def adds(self) -> Any:
        new = NewStaff("小雨", f"staff-{new_id().hex}", Secret(PASSWORD), "agent")
        async with transaction(self.context) as ctx:
            return await organization.add_staff(ctx, new)

    async def quotas(self) -> dict[str, dict[str, Any]]:
        return {quota["name"]: quota for quota in (await self.owner.get("/api/plan")).json()["quotas"]}


@pytest.fixture
async def shop(database: object) -> AsyncIterator[Shop]:
    name = f"owner-{new_id().hex}"
    founded = await organization.found_tenant("拾光衣橱", name, Secret(PASSWORD))
    async with signed_in(application(), name) as owner:
        yield Shop(job_context(founded.tenant_id), owner)


def tenant(shop: Shop) -> Any:
    return shop.context.tenant_id


async def test_a_tenant_without_a_plan_is_limited_by_nothing(shop: Shop) -> None:
    async with transaction(shop.context) as ctx:
        await plans.require(ctx, "own_roles")
        assert await plans.left(ctx, "seats") is None
    shown = (await shop.owner.get("/api/plan")).json()
    assert (shown["name"], shown["expires_at"], shown["read_only"]) == (None, None, False)
    assert {quota["name"] for quota in shown["quotas"]} == {"seats", "contacts", "ai_tokens", "storage"}


async def test_the_seat_too_many_is_refused_with_the_way_up(shop: Shop) -> None:
    await give_limits(tenant(shop), seats=2)
    body = {"name": "小雨", "sign_in_name": f"staff-{new_id().hex}", "password": PASSWORD, "role": "agent"}
    assert (await shop.owner.post("/api/staff", json=body)).status_code == 201

    refused = await shop.owner.post("/api/staff", json={**body, "sign_in_name": f"staff-{new_id().hex}"})

    told = refused.json()
    assert (refused.status_code, told["type"]) == (409, "/problems/over_quota")
    assert told["params"] | {"quota": "seats", "limit": 2, "used": 2} == told["params"]
    assert "套餐最多 2 个" in told["detail"]
    assert "升级套餐" in told["detail"]


async def test_of_two_who_want_the_last_seat_one_is_refused(shop: Shop) -> None:
    await give_limits(tenant(shop), seats=3)
    wanted = await asyncio.gather(*(shop.adds() for _ in range(5)), return_exceptions=True)

    assert sum(isinstance(one, plans.OverQuota) for one in wanted) == 3
    async with transaction(shop.context) as ctx:
        assert await organization.seats_taken(ctx) == 3


async def test_a_disabled_colleague_leaves_the_seat_and_needs_one_to_come_back(shop: Shop) -> None:
    await give_limits(tenant(shop), seats=2)
    first = await shop.adds()
    async with transaction(shop.context) as ctx:
        await organization.update_staff(ctx, first.id, StaffChange(active=False))
    await shop.adds()

    with pytest.raises(plans.OverQuota):
        async with transaction(shop.context) as ctx:
            await organization.update_staff(ctx, first.id, StaffChange(active=True))


async def test_a_smaller_plan_takes_nobody_away(shop: Shop) -> None:
    await shop.adds()
    await shop.adds()
    await give_limits(tenant(shop), seats=1)

    seats = (await shop.quotas())["seats"]
    assert (seats["used"], seats["limit"]) == (3, 1)
    async with transaction(shop.context) as ctx:
        assert await plans.left(ctx, "seats") == 0


async def test_customers_beyond_the_quota_are_received_and_only_bulk_is_refused(shop: Shop) -> None:
    await give_limits(tenant(shop), contacts=2)
    async with transaction(shop.context) as ctx:
        found = await find_or_create_many(ctx, "external_userid", "ww1", [f"wm{n}" for n in range(4)])
    assert len(found) == 4

    with pytest.raises(plans.OverQuota):
        async with transaction(shop.context) as ctx:
            await plans.use(ctx, "contacts", 1)
    assert "照常接待" in (await shop.quotas())["contacts"]["when_full"]


async def test_what_the_plan_lacks_is_refused_and_what_is_there_goes_on(shop: Shop) -> None:
    role = {"name": "周末兼职", "permissions": ["customers.view"]}
    made = (await shop.owner.post("/api/roles", json=role)).json()
    await give_limits(tenant(shop), "assistant")

    refused = await shop.owner.post("/api/roles", json={**role, "name": "另一个"})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/plan_lacks_feature")
    assert "升级套餐" in refused.json()["detail"]
    changed = {**role, "version": made["version"], "name": "周末"}
    assert (await shop.owner.put(f"/api/roles/{made['key']}", json=changed)).status_code == 200


async def test_files_beyond_the_space_are_refused(shop: Shop) -> None:
    await give_limits(tenant(shop), storage=0)
    sent = await shop.owner.post("/api/files?purpose=message_file", files={"file": ("a.txt", b"words")})
    assert (sent.status_code, sent.json()["type"]) == (409, "/problems/over_quota")


async def test_a_monthly_quota_begins_anew_with_the_month(shop: Shop) -> None:
    await give_limits(tenant(shop), ai_tokens=1000)
    async with transaction(shop.context) as ctx:
        await plans.spend(ctx, "ai_tokens", 600)
        await plans.spend(ctx, "ai_tokens", 700)
    assert (await shop.quotas())["ai_tokens"]["used"] == 1300
    async with transaction(shop.context) as ctx:
        assert await plans.left(ctx, "ai_tokens") == 0

    clock.set_offset(timedelta(days=32).total_seconds())
    try:
        async with transaction(shop.context) as ctx:
            assert await used_now(ctx, quota_named("ai_tokens")) == 0
    finally:
        clock.set_offset(0)


async def test_an_expired_plan_shows_everything_and_says_how_to_go_on(shop: Shop) -> None:
    await let_expire(tenant(shop))

    assert (await shop.owner.get("/api/staff")).status_code == 200
    refused = await shop.owner.post("/api/roles", json={"name": "x", "permissions": []})
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/tenant_read_only")
    assert "续费" in refused.json()["detail"]
    me = (await shop.owner.get("/api/session")).json()
    assert me["tenant"]["read_only"] is True
    assert (await shop.owner.post("/api/audit/exports")).status_code == 200


async def test_renewal_restores_everything_at_once(shop: Shop) -> None:
    await let_expire(tenant(shop))
    assert (await shop.owner.patch("/api/session", json={"locale": "zh-CN"})).json()["tenant"]["read_only"] is True
    await give_plan(tenant(shop), await make_plan("own_roles"), clock.now() + timedelta(days=30))

    assert (await shop.owner.post("/api/roles", json={"name": "x", "permissions": []})).status_code == 201


async def test_english_people_read_the_plan_in_english(shop: Shop) -> None:
    await give_plan(tenant(shop), await make_plan(name="标准"), None)
    await shop.owner.patch("/api/session", json={"locale": "en"})
    assert (await shop.owner.get("/api/plan")).json()["name"] == "Try it"


async def test_the_hourly_measure_keeps_the_days_figures_where_the_operator_reads_them(shop: Shop) -> None:
    await shop.adds()
    before = clock.now()
    again = await measure(shop.context)
    await shop.adds()
    await measure(shop.context)

    assert again is not None
    assert again > before
    async with transaction(shop.context) as ctx:
        day = (await standing_of(ctx)).today(clock.now())
        rows = await ctx.session.scalars(select(TenantUsage).where(TenantUsage.tenant_id == ctx.tenant_id))
        kept = {(row.kind, row.day): row.amount for row in rows}
    assert kept["seats", day] == 3
    assert len(kept) == 4


async def test_a_stranger_to_the_database_is_closed(world: World) -> None:
    standing = await standing_of(job_context(new_id()))
    assert not standing.is_open(clock.now())


def test_every_feature_and_quota_has_its_words() -> None:
    wanted = [f"features.{feature.name}" for module in load_modules() for feature in module.features]
    for module in load_modules():
        for quota in module.quotas:
            wanted += [f"quotas.{quota.name}", f"quotas.{quota.name}.full", f"problems.over_quota.{quota.name}"]
    assert len(wanted) >= 14
    assert [key for key in wanted if not has_text(key)] == []


def test_two_modules_may_not_count_under_one_name() -> None:
    with pytest.raises(ModuleError, match="both declare the quota 'seats'"):
        assemble([Module("one", quotas=(plans.Quota("seats"),)), Module("two", quotas=(plans.Quota("seats"),))])
