"""Customers: found or made set by set, once each whoever comes first; their cards."""

import asyncio

from sqlalchemy import func, select, text

from huitouke.kernel import clock
from huitouke.kernel.database import transaction
from huitouke.modules.customers import service as customers
from huitouke.modules.customers.models import Customer, CustomerIdentity
from tests.support.http import signed_in_client
from tests.support.world import World

CORP = "ww1234567890abcdef"


async def find(world: World, *values: str) -> dict[str, object]:
    async with transaction(world.context) as ctx:
        return dict(await customers.find_or_create_many(ctx, "external_userid", CORP, list(values)))


async def test_the_same_identity_is_the_same_customer(world: World) -> None:
    first = await find(world, "wm-a", "wm-b", "wm-a", "")
    second = await find(world, "wm-b", "wm-c")

    assert set(first) == {"wm-a", "wm-b"}
    assert second["wm-b"] == first["wm-b"]
    assert len({*first.values(), *second.values()}) == 3


async def test_two_accounts_that_meet_the_same_new_customers_at_once_make_them_once(world: World) -> None:
    values = [f"wm-{n}" for n in range(50)]

    results = await asyncio.gather(*(find(world, *values) for _ in range(4)))

    assert all(result == results[0] for result in results)
    async with transaction(world.context) as ctx:
        assert await ctx.session.scalar(select(func.count(Customer.id))) == 50
        created = await ctx.session.scalar(
            text("SELECT count(*) FROM events WHERE tenant_id = :t AND type = 'customers.created'"),
            {"t": world.tenant_id},
        )
    assert created == 50


async def test_what_a_channel_tells_fills_the_card_and_never_empties_it(world: World) -> None:
    known = await find(world, "wm-a")
    customer_id = known["wm-a"]
    for profile in (
        customers.ProfileUpdate(customer_id, "周婷", "http://x/a.png", "female", "union-1"),  # type: ignore[arg-type]  # ids are UUIDs
        customers.ProfileUpdate(customer_id, "", None, "unknown"),  # type: ignore[arg-type]  # ids are UUIDs
    ):
        async with transaction(world.context) as ctx:
            await customers.update_profiles(ctx, CORP, [profile])

    async with transaction(world.context) as ctx:
        row = await ctx.session.scalar(select(Customer))
        kinds = list(await ctx.session.scalars(select(CustomerIdentity.kind).order_by(CustomerIdentity.kind)))
    assert row is not None
    assert (row.name, row.avatar_url, row.gender) == ("周婷", "http://x/a.png", "female")
    assert kinds == ["external_userid", "unionid"]


async def test_last_seen_only_moves_forward(world: World) -> None:
    known = await find(world, "wm-a")
    now = clock.now()
    async with transaction(world.context) as ctx:
        await customers.note_seen(ctx, {known["wm-a"]: now})  # type: ignore[dict-item]  # ids are UUIDs
        await customers.note_seen(ctx, {known["wm-a"]: now.replace(year=now.year - 1)})  # type: ignore[dict-item]  # ids are UUIDs
        assert await ctx.session.scalar(select(Customer.last_seen_at)) == now


async def test_cards_over_http(world: World) -> None:
    known = await find(world, *(f"wm-{n}" for n in range(3)))
    async with signed_in_client(world) as client:
        path = f"/api/customers/{known['wm-1']}"
        changed = await client.patch(path, json={"name": "周婷", "remark": "老顾客"})
        assert changed.status_code == 200, changed.text
        assert (changed.json()["name"], changed.json()["remark"]) == ("周婷", "老顾客")
        assert changed.json()["identities"] == [{"kind": "external_userid", "issuer": CORP, "value": "wm-1"}]
        found = (await client.get("/api/customers", params={"q": "顾客"})).json()["items"]
        assert [one["id"] for one in found] == [str(known["wm-1"])]
        seen: list[str] = []
        cursor = None
        while True:
            query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await client.get("/api/customers", params=query)).json()
            seen += [one["id"] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(set(seen)) == len(seen) == 3
        taken_away = await client.patch(path, json={"remark": ""})
        assert taken_away.json()["remark"] is None
        assert (await client.patch(path, json={"name": " "})).status_code == 422
