"""Followers: whose customer somebody is, kept together with the mark that lists go by."""

import asyncio

import pytest
from sqlalchemy import select

from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.context import ALL_DATA, Actor, ActorKind, Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.modules.customers import service as customers
from huitouke.modules.customers.models import Customer, CustomerFollower
from huitouke.modules.customers.queries import followers
from huitouke.modules.customers.service import followers as rules
from huitouke.modules.organization.models import Staff
from tests.support.firm import Firm, Plan, make_firm
from tests.support.http import signed_in_client

THREE = Plan(member_of=(frozenset(),) * 3, followed_by=(frozenset(), frozenset({0})))


@pytest.fixture
async def firm(database: object) -> Firm:
    return await make_firm(THREE)


async def state(firm: Firm, number: int) -> tuple[bool, set[int]]:
    """The customer's mark, and who follows."""
    async with transaction(firm.world.context) as ctx:
        mark = await ctx.session.scalar(select(Customer.followed).where(Customer.id == firm.customers[number]))
        rows = await ctx.session.scalars(
            select(CustomerFollower.staff_id).where(CustomerFollower.customer_id == firm.customers[number])
        )
        return bool(mark), {firm.staff.index(one) for one in rows}


async def test_the_mark_goes_with_the_followers(firm: Firm) -> None:
    async with transaction(firm.world.context) as ctx:
        assert await customers.follow(ctx, firm.customers[0], firm.staff[1])
        assert not await customers.follow(ctx, firm.customers[0], firm.staff[1])
        await customers.add_follower(ctx, firm.customers[0], firm.staff[2])
    assert await state(firm, 0) == (True, {1, 2})

    async with transaction(firm.world.context) as ctx:
        await customers.remove_follower(ctx, firm.customers[0], firm.staff[1])
    assert await state(firm, 0) == (True, {2})
    async with transaction(firm.world.context) as ctx:
        await customers.remove_follower(ctx, firm.customers[0], firm.staff[2])
    assert await state(firm, 0) == (False, set())


async def test_who_comes_while_another_goes_is_not_overlooked(firm: Firm) -> None:
    for _ in range(10):
        async with transaction(firm.world.context) as ctx:
            await customers.follow(ctx, firm.customers[1], firm.staff[0])

        async def goes() -> None:
            async with transaction(firm.world.context) as ctx:
                await customers.remove_follower(ctx, firm.customers[1], firm.staff[0])

        async def comes() -> None:
            async with transaction(firm.world.context) as ctx:
                await customers.follow(ctx, firm.customers[1], firm.staff[1])

        await asyncio.gather(goes(), comes())
        assert await state(firm, 1) == (True, {1})
        async with transaction(firm.world.context) as ctx:
            await customers.remove_follower(ctx, firm.customers[1], firm.staff[1])


async def test_who_removes_the_own_name_loses_sight_and_leaves_the_mark_right(firm: Firm) -> None:
    """The rows that are left are out of the doer's sight, and count all the same."""
    async with transaction(firm.world.context) as ctx:
        await customers.follow(ctx, firm.customers[1], firm.staff[1])
    own = await firm.acting(0, "own")

    async with transaction(own) as ctx:
        await customers.remove_follower(ctx, firm.customers[1], firm.staff[0])

    assert await state(firm, 1) == (True, {1})
    async with transaction(own) as ctx:
        with pytest.raises(NotFound):
            await customers.add_follower(ctx, firm.customers[1], firm.staff[0])


async def test_only_people_who_work_here_are_named(firm: Firm) -> None:
    async with transaction(firm.world.context) as ctx:
        gone = await ctx.session.scalar(select(Staff).where(Staff.id == firm.staff[2]))
        assert gone is not None
        gone.state = "left"
    async with transaction(firm.world.context) as ctx:
        for staff_id in (firm.staff[2], new_id()):
            with pytest.raises(NotFound):
                await customers.add_follower(ctx, firm.customers[0], staff_id)
        with pytest.raises(NotFound):
            await customers.remove_follower(ctx, firm.customers[0], firm.staff[0])


async def test_there_is_an_end_to_naming(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_FOLLOWERS", 1)
    async with transaction(firm.world.context) as ctx:
        with pytest.raises(InvalidInput):
            await customers.add_follower(ctx, firm.customers[1], firm.staff[1])


async def test_it_is_written_down_who_named_whom(firm: Firm) -> None:
    doer = Context(firm.world.tenant_id, Actor(ActorKind.STAFF, firm.staff[0]), scope=ALL_DATA)
    async with transaction(doer) as ctx:
        await customers.add_follower(ctx, firm.customers[0], firm.staff[1])
        await customers.add_follower(ctx, firm.customers[0], firm.staff[1])
        await customers.remove_follower(ctx, firm.customers[0], firm.staff[1])
    async with transaction(firm.world.context) as ctx:
        entries = (await ctx.session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
        assert await followers(ctx, firm.customers[0]) == []
    assert [(entry.action, entry.before, entry.after) for entry in entries] == [
        ("customers.follower_added", None, {"name": "员工1"}),
        ("customers.follower_removed", {"name": "员工1"}, None),
    ]


async def test_followers_over_http(firm: Firm) -> None:
    async with signed_in_client(firm.world) as client:
        path = f"/api/customers/{firm.customers[0]}"
        assert (await client.put(f"{path}/followers/{firm.staff[1]}")).status_code == 204
        (shown,) = (await client.get(path)).json()["followers"]
        assert (shown["id"], shown["name"]) == (str(firm.staff[1]), "员工1")
        assert (await client.delete(f"{path}/followers/{firm.staff[1]}")).status_code == 204
        again = await client.delete(f"{path}/followers/{firm.staff[1]}")
        assert (again.status_code, again.json()["field"]) == (404, "staff_id")
        assert (await client.get(path)).json()["followers"] == []
    async with signed_in_client(firm.world, role="analyst") as looking:
        assert (await looking.put(f"{path}/followers/{firm.staff[1]}")).status_code == 403
