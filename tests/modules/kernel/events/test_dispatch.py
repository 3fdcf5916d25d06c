"""Events reach each handler exactly once, in order per customer, and one handler's failure is its own."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from importlib import import_module
from itertools import pairwise
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import text

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.events import Event, Received, emit, emit_many, on
from huitouke.kernel.events.dispatch import BATCH
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import Module, Modules
from huitouke.kernel.work import dead_letters, runner, wake
from huitouke.kernel.work.testing import drain
from huitouke.kernel.work.worker import Limits
from tests.modules.kernel.work.support import count, working
from tests.support.world import World


class Happened(Event):
    event_type = "test.happened"
    number: int
    state: str = "open"


class Followed(Event):
    event_type = "test.followed"
    number: int


class Number(BaseModel):
    number: int


@pytest.fixture(autouse=True)
def _clock() -> object:
    yield
    clock.set_offset(0)


async def test_a_handler_gets_the_events_of_a_transaction_in_order_and_in_one_list(world: World) -> None:
    lists: list[list[int]] = []

    @on("test.happened")
    async def handle(ctx: Context, events: Sequence[Received[Number]]) -> None:
        lists.append([event.payload.number for event in events])

    customer = new_id()
    async with transaction(world.context) as ctx:
        await emit_many(ctx, [Happened(customer_id=customer, number=n) for n in range(100)])
    await drain(modules=[Module("test", handlers=(handle,))])

    assert lists == [list(range(100))]
    assert await count(world, "event_queue") == 0
    assert await count(world, "events") == 100


async def test_what_nobody_handles_is_kept_and_not_queued(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    @on("test.happened")
    async def handle(ctx: Context, events: Sequence[Received[Number]]) -> None:
        pass

    module = Module("test", events=(Happened, Followed), handlers=(handle,))
    monkeypatch.setattr(import_module("huitouke.kernel.events.emit"), "load_modules", lambda: Modules((module,)))
    async with transaction(world.context) as ctx:
        await emit_many(ctx, [Followed(number=1), Happened(number=2), Followed(number=3)])

    assert await count(world, "events") == 3
    assert await count(world, "event_queue") == 1
    await drain(modules=[module])
    assert await count(world, "event_queue") == 0


async def test_the_envelope_says_who_when_and_about_whom(world: World) -> None:
    got: list[Received[Number]] = []

    @on("test.happened")
    async def handle(ctx: Context, events: Sequence[Received[Number]]) -> None:
        assert ctx.causation_id == events[0].id
        got.extend(events)

    customer, conversation = new_id(), new_id()
    before = clock.now()
    async with transaction(world.context) as ctx:
        event_id = await emit(ctx, Happened(customer_id=customer, conversation_id=conversation, number=1))
    await drain(modules=[Module("test", handlers=(handle,))])

    (event,) = got
    assert (event.id, event.customer_id, event.conversation_id) == (event_id, customer, conversation)
    assert event.actor == world.context.actor
    assert before <= event.occurred_at <= clock.now()


async def test_events_of_a_transaction_that_rolls_back_never_happened(world: World) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction(world.context) as ctx:
            await emit(ctx, Happened(number=1 // 0))
    with pytest.raises(RuntimeError):
        async with transaction(world.context) as ctx:
            await emit(ctx, Happened(number=1))
            raise RuntimeError
    assert await count(world, "events") == 0
    assert await count(world, "event_queue") == 0


async def test_what_a_handler_writes_wakes_and_emits_commits_with_the_mark_that_it_did(world: World) -> None:
    followed: list[int] = []
    woken: list[str] = []

    @on("test.happened")
    async def first(ctx: Context, events: Sequence[Received[Number]]) -> None:
        for event in events:
            await emit(ctx, Followed(number=event.payload.number * 10))
        await wake(ctx, "test.woken", "key")

    @on("test.followed")
    async def second(ctx: Context, events: Sequence[Received[Number]]) -> None:
        followed.extend(event.payload.number for event in events)

    @runner("test.woken")
    async def run(context: Context, key: str) -> None:
        woken.append(key)

    async with transaction(world.context) as ctx:
        await emit(ctx, Happened(number=4))
    await drain(modules=[Module("test", handlers=(first, second), runners=(run,))])

    assert followed == [40]
    assert woken == ["key"]
    async with transaction(world.context) as ctx:
        raw = await connection(ctx)
        caused = await raw.fetchval(
            "SELECT c.type FROM events e JOIN events c ON c.tenant_id = e.tenant_id AND c.id = e.causation_id"
            " WHERE e.tenant_id = $1 AND e.type = 'test.followed'",
            world.tenant_id,
        )
    assert caused == "test.happened"


async def test_a_failing_handler_is_undone_and_tried_again_while_the_others_go_on(world: World) -> None:
    failing = True
    good: list[int] = []
    bad: list[int] = []

    @on("test.happened")
    async def fails(ctx: Context, events: Sequence[Received[Number]]) -> None:
        for event in events:
            await emit(ctx, Followed(number=event.payload.number))
        if failing and any(event.payload.number == 2 for event in events):
            raise RuntimeError("two is too much")
        bad.extend(event.payload.number for event in events)

    @on("test.happened")
    async def works(ctx: Context, events: Sequence[Received[Number]]) -> None:
        good.extend(event.payload.number for event in events)

    module = Module("test", handlers=(fails, works))
    customer = new_id()
    async with transaction(world.context) as ctx:
        await emit_many(ctx, [Happened(customer_id=customer, number=n) for n in (1, 2, 3)])
    await drain(modules=[module])

    assert good == [1, 2, 3]
    assert bad == []
    assert await count(world, "event_queue") == 0
    assert await count(world, "event_retry") == 3
    assert await _followed(world) == []  # the savepoint took back what it had emitted

    clock.set_offset(3)  # the events come one by one: only the bad one stays
    await drain(modules=[module])
    assert bad == [1, 3]
    assert await count(world, "event_retry") == 1

    failing = False
    clock.set_offset(30)
    await drain(modules=[module])
    assert bad == [1, 3, 2]
    assert await count(world, "event_retry") == 0
    assert sorted(await _followed(world)) == [1, 2, 3]


async def test_an_event_that_always_fails_becomes_a_dead_letter_that_can_be_replayed(world: World) -> None:
    failing = True
    done: list[int] = []

    @on("test.happened")
    async def fails(ctx: Context, events: Sequence[Received[Number]]) -> None:
        if failing:
            raise RuntimeError("never")
        done.extend(event.payload.number for event in events)

    module = Module("test", handlers=(fails,))
    async with transaction(world.context) as ctx:
        event_id = await emit(ctx, Happened(number=9))
    for step in range(10):
        clock.set_offset(step * 800)
        await drain(modules=[module])

    async with transaction(world.context) as ctx:
        (letter,) = (await dead_letters.list_dead_letters(ctx)).items
        assert (letter.source, letter.kind, letter.key) == ("event", fails.name, str(event_id))
        assert letter.attempts == 8
        await dead_letters.replay(ctx, letter.id)
    failing = False
    await drain(modules=[module])

    assert done == [9]
    assert await count(world, "work_dead_letters") == 0


async def test_a_handler_that_poisons_the_transaction_does_not_stop_the_others(world: World) -> None:
    """A broken statement aborts a PostgreSQL transaction; the savepoint confines it."""
    good: list[int] = []

    @on("test.happened")
    async def poisons(ctx: Context, events: Sequence[Received[Number]]) -> None:
        await ctx.session.execute(text("SELECT 1/0"))

    @on("test.happened")
    async def works(ctx: Context, events: Sequence[Received[Number]]) -> None:
        good.extend(event.payload.number for event in events)

    async with transaction(world.context) as ctx:
        await emit(ctx, Happened(number=5))
    await drain(modules=[Module("test", handlers=(poisons, works))])

    assert good == [5]
    assert await count(world, "event_retry") == 1


async def test_two_workers_handle_every_event_once_and_each_customers_in_order(world: World) -> None:
    """Effects are counted in the database, in the handler's own transaction: exactly once or not at all."""
    chance = random.Random(7)
    customers = [new_id() for _ in range(12)]
    expected: defaultdict[UUID, list[int]] = defaultdict(list)

    @on("test.happened")
    async def handle(ctx: Context, events: Sequence[Received[Number]]) -> None:
        for event in events:
            await wake(ctx, "test.effect", f"{event.customer_id}/{event.payload.number}")
            handled[event.customer_id].append(event.payload.number)
        if chance.random() < 0.1:
            await asyncio.sleep(0.01)

    handled: defaultdict[UUID | None, list[int]] = defaultdict(list)

    async def emitter(mine: Sequence[UUID]) -> None:
        for number in range(40):
            customer = chance.choice(mine)
            async with transaction(world.context) as ctx:
                await emit(ctx, Happened(customer_id=customer, number=number))
            expected[customer].append(number)

    module = Module("test", handlers=(handle,))
    async with working(module), working(module):
        await asyncio.gather(*(emitter(customers[n * 3 : n * 3 + 3]) for n in range(4)))
        async with asyncio.timeout(30):
            while await count(world, "event_queue"):  # noqa: ASYNC110 - what is waited for stands in the database
                await asyncio.sleep(0.02)

    assert handled == expected
    async with transaction(world.context) as ctx:
        raw = await connection(ctx)
        effects = await raw.fetch(
            "SELECT key, requested FROM work_items WHERE tenant_id = $1 AND kind = 'test.effect'", world.tenant_id
        )
    assert {row["key"]: row["requested"] for row in effects} == {
        f"{customer}/{number}": 1 for customer, numbers in expected.items() for number in numbers
    }


async def test_a_lane_held_by_another_process_is_left_to_it_and_found_again(world: World) -> None:
    got: list[int] = []

    @on("test.happened")
    async def handle(ctx: Context, events: Sequence[Received[Number]]) -> None:
        got.extend(event.payload.number for event in events)

    async with working(Module("test", handlers=(handle,))):
        async with transaction(world.context) as holder:
            raw = await connection(holder)
            for lane in range(8):
                await raw.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 8 + $2::integer))",
                    world.tenant_id,
                    lane,
                )
            async with transaction(world.context) as ctx:
                await emit(ctx, Happened(number=1))
            await asyncio.sleep(0.2)
            assert got == []
        async with asyncio.timeout(2):
            while not got:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_merchant_with_a_backlog_gives_its_place_to_another_after_each_batch(
    world: World, another_world: Callable[[], Awaitable[World]]
) -> None:
    handled: list[int] = []

    @on("test.happened")
    async def handle(ctx: Context, events: Sequence[Received[Number]]) -> None:
        handled.extend(event.payload.number for event in events)

    customer = new_id()
    async with transaction(world.context) as ctx:
        await emit_many(ctx, [Happened(customer_id=customer, number=n) for n in range(3 * BATCH)])
    async with transaction((await another_world()).context) as ctx:
        await emit(ctx, Happened(number=-1))

    async with working(Module("test", handlers=(handle,)), limits=Limits(items=1, lanes=1)), asyncio.timeout(30):
        while len(handled) < 3 * BATCH + 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert handled.index(-1) <= BATCH
    handled.remove(-1)
    assert handled == list(range(3 * BATCH))


async def test_a_payload_over_4_kb_is_refused(world: World) -> None:
    async with transaction(world.context) as ctx:
        with pytest.raises(ValueError, match="4096 bytes"):
            await emit(ctx, Happened(number=1, state="x" * 5000))


async def test_retries_wait_longer_each_time(world: World) -> None:
    tried: list[float] = []

    @on("test.happened")
    async def fails(ctx: Context, events: Sequence[Received[Number]]) -> None:
        tried.append(clock.offset_seconds())
        raise RuntimeError("never")

    module = Module("test", handlers=(fails,))
    start = clock.now()
    async with transaction(world.context) as ctx:
        await emit(ctx, Happened(number=1))
    for offset in range(0, 40, 2):
        clock.set_offset(offset)
        await drain(modules=[module])

    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert gaps == sorted(gaps)
    assert len(tried) >= 4
    assert clock.now() - start < timedelta(minutes=2)


async def _followed(world: World) -> list[int]:
    async with transaction(world.context) as ctx:
        raw = await connection(ctx)
        rows = await raw.fetch(
            "SELECT payload->>'number' AS number FROM events WHERE tenant_id = $1 AND type = 'test.followed'",
            world.tenant_id,
        )
    return [int(row["number"]) for row in rows]


async def test_a_handler_that_breaks_the_whole_transaction_is_set_aside_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails only at the commit undoes the others too; after three times the events go on one by one."""
    monkeypatch.setattr("huitouke.kernel.events.lanes.FAILURE_PAUSE_SECONDS", 0.01)
    good: list[int] = []

    @on("test.happened")
    async def breaks_the_commit(ctx: Context, events: Sequence[Received[Number]]) -> None:
        if any(event.payload.number == 2 for event in events):
            raw = await connection(ctx)
            await raw.execute(
                "CREATE TEMPORARY TABLE IF NOT EXISTS late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP"
            )
            await raw.execute("INSERT INTO late VALUES (1), (1)")

    @on("test.happened")
    async def works(ctx: Context, events: Sequence[Received[Number]]) -> None:
        for event in events:
            await wake(ctx, "test.good", str(event.payload.number))

    module = Module("test", handlers=(breaks_the_commit, works))
    customer = new_id()
    async with transaction(world.context) as ctx:
        await emit_many(ctx, [Happened(customer_id=customer, number=n) for n in (1, 2, 3)])
    for offset in range(0, 2000, 100):
        clock.set_offset(offset)
        await drain(modules=[module])

    async with transaction(world.context) as ctx:
        raw = await connection(ctx)
        rows = await raw.fetch(
            "SELECT key FROM work_items WHERE tenant_id = $1 AND kind = 'test.good' ORDER BY key", world.tenant_id
        )
        good = [int(row["key"]) for row in rows]
        letters = (await dead_letters.list_dead_letters(ctx)).items
    assert good == [1, 2, 3]
    assert [letter.kind for letter in letters] == [breaks_the_commit.name]
    assert await count(world, "event_queue") == 0
    assert await count(world, "event_retry") == 0
