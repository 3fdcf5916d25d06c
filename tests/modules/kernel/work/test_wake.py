"""A wake-up is never lost, and a key has one runner at a time."""

import asyncio
import random
from collections import Counter, defaultdict

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.modules import Module
from huitouke.kernel.work import runner, wake, wake_many
from huitouke.kernel.work.testing import drain
from tests.modules.kernel.work.support import count_items, settled, working
from tests.support.world import World


async def test_a_woken_key_is_run_once_however_often_it_was_woken_before(world: World) -> None:
    ran: list[str] = []

    @runner("test.once")
    async def run(context: Context, key: str) -> None:
        ran.append(key)

    for _ in range(5):
        async with transaction(world.context) as ctx:
            await wake(ctx, "test.once", "a")

    await drain(modules=[Module("test", runners=(run,))])

    assert ran == ["a"]
    assert await count_items(world) == 0


async def test_a_wake_up_in_a_transaction_that_rolls_back_never_happened(world: World) -> None:
    ran: list[str] = []

    @runner("test.rolled_back")
    async def run(context: Context, key: str) -> None:
        ran.append(key)

    class Changed(Exception):
        pass

    try:
        async with transaction(world.context) as ctx:
            await wake(ctx, "test.rolled_back", "a")
            raise Changed
    except Changed:
        pass
    await drain(modules=[Module("test", runners=(run,))])

    assert ran == []


async def test_a_wake_up_that_comes_while_its_runner_runs_brings_another_run(world: World) -> None:
    runs = 0
    started, go_on = asyncio.Event(), asyncio.Event()

    @runner("test.during")
    async def run(context: Context, key: str) -> None:
        nonlocal runs
        runs += 1
        started.set()
        await go_on.wait()

    async with working(Module("test", runners=(run,))):
        async with transaction(world.context) as ctx:
            await wake(ctx, "test.during", "a")
        await started.wait()
        async with transaction(world.context) as ctx:
            await wake(ctx, "test.during", "a")
        go_on.set()
        await settled(world)

    assert runs == 2


async def test_under_concurrent_wakers_and_two_workers_nothing_is_lost_and_no_key_runs_twice_at_once(
    world: World,
) -> None:
    """Each waker writes what it wants done before it wakes; a run does all that is written. Nothing may stay undone."""
    written: Counter[str] = Counter()
    done: Counter[str] = Counter()
    running: defaultdict[str, int] = defaultdict(int)
    overlaps = 0

    @runner("test.busy")
    async def run(context: Context, key: str) -> None:
        nonlocal overlaps
        running[key] += 1
        overlaps += running[key] > 1
        seen = written[key]
        await asyncio.sleep(random.random() * 0.01)
        done[key] = seen
        running[key] -= 1

    async def waker(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(25):
            keys = chance.sample([f"k{n}" for n in range(6)], 2)
            async with transaction(world.context) as ctx:
                await wake_many(ctx, "test.busy", keys)
                for key in keys:
                    written[key] += 1
                await asyncio.sleep(chance.random() * 0.003)

    module = Module("test", runners=(run,))
    async with working(module), working(module):
        await asyncio.gather(*(waker(seed) for seed in range(6)))
        await settled(world, within_seconds=15)

    assert done == written
    assert overlaps == 0
