"""The gates themselves: what each gives, and that none lets a tenant see another's rows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text

from huitouke.kernel import clock
from huitouke.kernel.database import Database, current, transaction
from huitouke.kernel.events import Event, emit
from huitouke.kernel.ids import new_id
from huitouke.kernel.work import enqueue, schedule, wake_many
from huitouke.kernel.work.gates import FROM_THE_BEGINNING, Finished, LanePlace, WorkGates
from tests.modules.kernel.work.support import count, count_items
from tests.support.world import World


class Old(Event):
    event_type = "test.old"


@pytest.fixture
async def gates(database: Database) -> object:
    gates = WorkGates(current())
    yield gates
    await gates.close()


async def test_find_work_sweeps_over_tenants_and_looks_behind_a_mark(
    world: World, another_world: Callable[[], Awaitable[World]], gates: WorkGates
) -> None:
    other = await another_world()
    before, _ = await gates.find(None)
    for tenant in (world, other):
        async with transaction(tenant.context) as ctx:
            await wake_many(ctx, "test.found", ["a", "b", "c"])

    head, everywhere = await gates.find(None)
    _, behind = await gates.find(before)
    _, nothing = await gates.find(head)

    places = {place.tenant_id: place.seq for place in everywhere}
    assert places[world.tenant_id] < places[other.tenant_id]
    assert len([place for place in everywhere if place.tenant_id == world.tenant_id]) == 1
    assert {place.tenant_id for place in behind} == {world.tenant_id, other.tenant_id}
    assert nothing == []


async def test_claim_work_gives_a_stranger_nothing_and_a_worker_its_share(world: World, gates: WorkGates) -> None:
    async with transaction(world.context) as ctx:
        await wake_many(ctx, "test.claimed", [str(number) for number in range(60)])
        await wake_many(ctx, "test.foreign", ["x"])
    marks = [(world.tenant_id, 0)]

    assert await gates.claim(new_id(), {"test.claimed": None}, marks, 50) == []
    worker = new_id()
    await gates.heartbeat(worker, "test", 1, sweep=False)
    few = await gates.claim(worker, {"test.claimed": 2}, marks, 50)
    many = await gates.claim(worker, {"test.claimed": None}, marks, 1000)

    assert len(few) == 2
    assert len(many) == 50  # the limit of a tenant and round
    assert [item.seq for item in few] == sorted(item.seq for item in few)
    assert not {item.lease.key for item in few} & {item.lease.key for item in many}
    assert all(item.attempts == 1 and item.lease.number == 1 for item in many)
    await gates.farewell(worker)
    assert await count_items(world) == 61


async def test_finish_work_tells_the_lost_from_the_locked(world: World, gates: WorkGates) -> None:
    async with transaction(world.context) as ctx:
        await wake_many(ctx, "test.finished", ["done", "lost", "locked", "again"])
    worker = new_id()
    await gates.heartbeat(worker, "test", 1, sweep=False)
    items = {
        item.lease.key: item for item in await gates.claim(worker, {"test.finished": None}, [(world.tenant_id, 0)], 50)
    }
    async with transaction(world.context) as ctx:
        await wake_many(ctx, "test.finished", ["again"])
        await ctx.session.execute(
            text("UPDATE work_items SET lease_number = 9 WHERE tenant_id = :t AND key = 'lost'"),
            {"t": world.tenant_id},
        )
    keys = list(items)
    async with transaction(world.context) as ctx:
        await wake_many(ctx, "test.finished", ["locked"])  # holds the row while the result comes
        answers = await gates.finish(worker, clock.now(), [Finished(items[key], "done") for key in keys])
    stored = {keys[index]: answer for index, answer in answers.items()}

    assert set(stored) == {"done", "lost", "again"}
    assert stored["lost"].lost
    assert not stored["done"].lost
    assert stored["done"].again is None
    assert stored["again"].again is not None  # somebody asked again since it was claimed
    await gates.farewell(worker)


async def test_due_work_makes_ready_what_is_due_and_tells_the_next_time(world: World, gates: WorkGates) -> None:
    now = clock.now()
    async with transaction(world.context) as ctx:
        await enqueue(ctx, "test.due", {}, run_at=now + timedelta(days=400))
        await schedule(ctx, "test.due", now + timedelta(days=400, minutes=5))
        await schedule(ctx, "test.due", now + timedelta(days=400, minutes=6))

    _, upcoming = await gates.due(now, None)
    assert upcoming is not None
    assert upcoming <= now + timedelta(days=400)
    places, _ = await gates.due(now + timedelta(days=401), now + timedelta(days=399))

    assert [place.tenant_id for place in places].count(world.tenant_id) == 2  # the job, and one wake-up for both times
    assert await count(world, "work_schedules") == 0
    assert await count_items(world) == 2


async def test_expire_rows_deletes_what_has_outlived_its_use_and_nothing_else(world: World, gates: WorkGates) -> None:
    async with transaction(world.context) as ctx:
        await emit(ctx, Old(customer_id=new_id()))
        await emit(ctx, Old())
        await enqueue(ctx, "test.expire", {}, idempotency_key="once")

    async def left() -> tuple[int, int]:
        return await count(world, "events"), await count(world, "work_idempotency")

    now = clock.now()
    while await gates.expire(now, 1000):
        pass
    assert await left() == (2, 1)
    while await gates.expire(now + timedelta(days=91), 1000):
        pass
    assert await left() == (1, 0)  # the one with a customer stays 25 months
    while await gates.expire(now + timedelta(days=800), 1000):
        pass
    assert await left() == (0, 0)


async def test_claim_events_names_each_lane_once_with_its_first_event(world: World, gates: WorkGates) -> None:
    head, _ = await gates.find_lanes(None)
    customer = new_id()
    async with transaction(world.context) as ctx:
        for _ in range(3):
            await emit(ctx, Old(customer_id=customer))

    for after in (None, head):
        _, lanes = await gates.find_lanes(after)
        (lane,) = [lane for lane in lanes if lane.tenant_id == world.tenant_id]
        assert lane.seq > head


async def test_a_sweep_begins_where_the_last_ones_found_nothing_that_could_still_come(
    world: World, gates: WorkGates, owner: asyncpg.Connection
) -> None:
    """However many rows a long transaction keeps in the way; an event on its way is never passed over."""
    async with transaction(world.context) as writing:
        await emit(writing, Old(customer_id=new_id()))
        late = await owner.fetchval("SELECT last_value FROM event_seq")
        await owner.fetch("SELECT nextval('event_seq') FROM generate_series(1, 2000)")
        for _ in range(3):
            await sweep_later(gates, owner)
        held = await floor_of(owner)

    assert held < late
    places = await sweep_later(gates, owner)
    assert late in [place.seq for place in places if place.tenant_id == world.tenant_id]

    await owner.execute("DELETE FROM event_queue")
    async with asyncio.timeout(30):  # transactions of the server's other databases hold it for as long as they are open
        while await floor_of(owner) <= late:
            assert await sweep_later(gates, owner) == []
    async with transaction(world.context) as ctx:
        await emit(ctx, Old(customer_id=new_id()))
    assert len(await sweep_later(gates, owner)) == 1


@pytest.mark.parametrize("queue", ["work", "events"])
async def test_what_stands_below_the_floor_is_found_from_the_very_beginning(
    world: World, gates: WorkGates, owner: asyncpg.Connection, queue: str
) -> None:
    """Should the reckoning ever be wrong: nothing is lost, it is late."""
    async with transaction(world.context) as ctx:
        await wake_many(ctx, "test.low", ["a"])
        await emit(ctx, Old(customer_id=new_id()))
    await owner.execute("UPDATE queue_floors SET floor = floor + 1000000000 WHERE queue = $1", queue)
    find = gates.find if queue == "work" else gates.find_lanes
    _, swept = await find(None)
    _, found = await find(FROM_THE_BEGINNING)
    await owner.execute("UPDATE queue_floors SET floor = floor - 1000000000 WHERE queue = $1", queue)

    assert world.tenant_id not in {place.tenant_id for place in swept}
    assert world.tenant_id in {place.tenant_id for place in found}


async def test_a_transaction_id_from_another_server_is_no_reason_to_wait_for_ever(
    gates: WorkGates, owner: asyncpg.Connection
) -> None:
    """As it stands in a database that was restored from a backup."""
    await owner.execute("DELETE FROM event_queue")
    await owner.execute(
        "UPDATE queue_floors SET next_floor = floor, next_xid = $1, next_at = clock_timestamp() WHERE queue = 'events'",
        2**60,
    )
    await owner.fetch("SELECT nextval('event_seq') FROM generate_series(1, 2000)")
    await gates.find_lanes(None)
    assert await owner.fetchval("SELECT next_xid FROM queue_floors WHERE queue = 'events'") < 2**60


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    assert database.urls.owner is not None
    connection = await asyncpg.connect(database.urls.owner)
    yield connection
    await connection.close()


async def sweep_later(gates: WorkGates, owner: asyncpg.Connection) -> list[LanePlace]:
    await owner.execute("UPDATE queue_floors SET next_at = next_at - interval '11 seconds'")
    _, places = await gates.find_lanes(None)
    return places


async def floor_of(owner: asyncpg.Connection) -> int:
    return int(await owner.fetchval("SELECT floor FROM queue_floors WHERE queue = 'events'"))
