"""Schedules: called when the earliest wished time has come, one at a time per tenant and kind."""

import asyncio
from datetime import datetime, timedelta
from time import monotonic

import pytest

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.modules import Module
from huitouke.kernel.work import schedule, scheduled
from huitouke.kernel.work.testing import drain
from tests.modules.kernel.work.support import count, count_items, working
from tests.support.world import World


@pytest.fixture(autouse=True)
def _clock() -> object:
    yield
    clock.set_offset(0)


async def test_a_time_1200_ms_ahead_is_kept_within_50_ms(world: World) -> None:
    late: list[float] = []
    due = 0.0

    @scheduled("test.soon")
    async def call(context: Context) -> None:
        late.append(monotonic() - due)

    async with working(Module("test", schedules=(call,))):
        await asyncio.sleep(0.1)
        for _ in range(3):
            due = monotonic() + 1.2
            async with transaction(world.context) as ctx:
                await schedule(ctx, "test.soon", clock.now() + timedelta(seconds=1.2))
            await asyncio.sleep(1.35)

    assert len(late) == 3
    assert all(-0.005 <= seconds <= 0.05 for seconds in late), late


async def test_the_earliest_of_several_times_counts_and_the_others_stay(world: World) -> None:
    called: list[float] = []

    @scheduled("test.several")
    async def call(context: Context) -> None:
        called.append(clock.offset_seconds())

    module = Module("test", schedules=(call,))
    start = clock.now()
    async with transaction(world.context) as ctx:
        for seconds in (600, 60, 300):
            await schedule(ctx, "test.several", start + timedelta(seconds=seconds))
    for offset in (0, 61, 301, 601, 1000):
        clock.set_offset(offset)
        await drain(modules=[module])

    assert called == [61, 301, 601]


async def test_what_it_returns_is_its_next_time(world: World) -> None:
    called: list[float] = []

    @scheduled("test.minutely")
    async def call(context: Context) -> datetime | None:
        called.append(clock.offset_seconds())
        return clock.now() + timedelta(minutes=1) if len(called) < 3 else None

    module = Module("test", schedules=(call,))
    async with transaction(world.context) as ctx:
        await schedule(ctx, "test.minutely", clock.now())
    for offset in (1, 30, 62, 123, 400):
        clock.set_offset(offset)
        await drain(modules=[module])

    assert called == [1, 62, 123]
    assert await count_items(world) == 0
    assert await count(world, "work_schedules") == 0


async def test_a_schedule_that_fails_goes_on_failing_until_it_works_and_never_stops(world: World) -> None:
    calls = 0

    @scheduled("test.stubborn")
    async def call(context: Context) -> datetime | None:
        nonlocal calls
        calls += 1
        if calls <= 15:
            raise RuntimeError("still not")
        return None

    module = Module("test", schedules=(call,))
    async with transaction(world.context) as ctx:
        await schedule(ctx, "test.stubborn", clock.now())
    for step in range(16):
        clock.set_offset(step * 80)
        await drain(modules=[module])

    assert calls == 16
    assert await count(world, "work_dead_letters") == 0
