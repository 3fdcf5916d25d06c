"""What a worker holds is never lost with it, and who was taken for dead can't store results."""

import asyncio
import os
import signal
import sys
import textwrap
from datetime import timedelta
from pathlib import Path
from time import monotonic

import asyncpg
import pytest
from sqlalchemy import text

from huitouke.kernel.context import Context
from huitouke.kernel.database import Database, transaction
from huitouke.kernel.modules import Module
from huitouke.kernel.work import LeaseLost, execution, fence, runner, wake
from huitouke.kernel.work.gates import WorkGates
from huitouke.kernel.work.worker import Limits, Worker
from tests.modules.kernel.work.support import count, count_items, settled, working
from tests.support.world import World

CHILD = textwrap.dedent(
    """
    import asyncio, sys
    from huitouke.kernel.database import Database, DatabaseUrls, configure
    from huitouke.kernel.modules import Module
    from huitouke.kernel.work import runner
    from huitouke.kernel.work.worker import Worker

    @runner("test.killed")
    async def run(context, key):
        print("started", flush=True)
        await asyncio.sleep(3600)

    async def main():
        configure(Database(DatabaseUrls(sys.argv[1], sys.argv[1])))
        await Worker([Module("test", runners=(run,))]).run()

    asyncio.run(main())
    """
)


async def test_the_work_of_a_killed_process_is_taken_up_within_five_seconds(world: World, database: Database) -> None:
    taken = asyncio.Event()

    @runner("test.killed")
    async def run(context: Context, key: str) -> None:
        taken.set()

    async with transaction(world.context) as ctx:
        await wake(ctx, "test.killed", "a")
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CHILD,
        database.urls.application,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4] / "src")},
    )
    assert child.stdout is not None
    assert await asyncio.wait_for(child.stdout.readline(), 60) == b"started\n"

    async with working(Module("test", runners=(run,))):
        await asyncio.sleep(1.5)
        assert not taken.is_set()
        child.send_signal(signal.SIGKILL)
        await child.wait()
        killed_at = monotonic()
        await asyncio.wait_for(taken.wait(), 8)
        assert monotonic() - killed_at < 5.5
        await settled(world)


async def test_a_worker_that_stops_hands_back_what_it_cannot_finish_and_the_attempt_does_not_count(
    world: World,
) -> None:
    ended: list[str] = []
    started = asyncio.Event()

    @runner("test.slow")
    async def run(context: Context, key: str) -> None:
        started.set()
        await asyncio.sleep(3600 if not ended else 0)

    module = Module("test", runners=(run,))
    async with transaction(world.context) as ctx:
        await wake(ctx, "test.slow", "a")
    worker = Worker([module])
    running = asyncio.create_task(worker.run())
    await asyncio.wait_for(started.wait(), 30)
    await worker.stop(grace_seconds=0.1)
    await running

    async with transaction(world.context) as ctx:
        row = (
            await ctx.session.execute(
                text("SELECT seq, worker_id, attempts FROM work_items WHERE tenant_id = :tenant"),
                {"tenant": world.tenant_id},
            )
        ).one()
    assert row.seq is not None
    assert row.worker_id is None
    assert row.attempts == 0

    ended.append("first")
    async with working(module):
        await settled(world)


async def test_a_worker_that_stops_lets_running_work_finish(world: World) -> None:
    finished: list[str] = []
    started = asyncio.Event()

    @runner("test.finishes")
    async def run(context: Context, key: str) -> None:
        started.set()
        await asyncio.sleep(0.3)
        finished.append(key)

    async with transaction(world.context) as ctx:
        await wake(ctx, "test.finishes", "a")
    worker = Worker([Module("test", runners=(run,))])
    running = asyncio.create_task(worker.run())
    await asyncio.wait_for(started.wait(), 30)
    await worker.stop(grace_seconds=5)
    await running

    assert finished == ["a"]
    assert await count_items(world) == 0


async def test_who_lost_the_lease_cannot_write_behind_the_fence(world: World) -> None:
    lost: list[bool] = []
    in_first, taken_away = asyncio.Event(), asyncio.Event()

    @runner("test.fenced")
    async def run(context: Context, key: str) -> None:
        if lost:
            return
        in_first.set()
        await taken_away.wait()
        async with transaction(context) as ctx:
            try:
                await fence(ctx)
            except LeaseLost:
                lost.append(True)
                raise

    async with working(Module("test", runners=(run,))):
        async with transaction(world.context) as ctx:
            await wake(ctx, "test.fenced", "a")
        await asyncio.wait_for(in_first.wait(), 30)
        async with transaction(world.context) as ctx:
            await ctx.session.execute(
                text(
                    "UPDATE work_items SET lease_number = lease_number + 1, worker_id = NULL, lease_until = NULL,"
                    " seq = nextval('work_seq') WHERE tenant_id = :tenant"
                ),
                {"tenant": world.tenant_id},
            )
        taken_away.set()
        await settled(world)

    assert lost == [True]


async def test_a_fenced_transaction_is_not_overtaken_while_it_is_open(world: World) -> None:
    """The holder's liveness is gone, its transaction is not: the item stays with it until the transaction ends."""
    overtaken: list[float] = []
    holder_done: list[float] = []
    in_transaction = asyncio.Event()

    @runner("test.overlap")
    async def holds(context: Context, key: str) -> None:
        async with transaction(context) as ctx:
            await fence(ctx)
            in_transaction.set()
            await asyncio.sleep(2.0)
        holder_done.append(monotonic())

    @runner("test.overlap")
    async def takes(context: Context, key: str) -> None:
        overtaken.append(monotonic())

    holder = Worker([Module("test", runners=(holds,))], limits=Limits(items=1, lanes=1))
    holding = asyncio.create_task(holder.run())
    async with transaction(world.context) as ctx:
        await wake(ctx, "test.overlap", "a")
    await asyncio.wait_for(in_transaction.wait(), 30)

    async with working(Module("test", runners=(takes,))) as other:
        gates = other.gates
        # The holder says farewell for a worker that is not heard of any more: as if its heartbeat had stopped.
        for _ in range(10):
            async with transaction(world.context) as ctx:
                await ctx.session.execute(
                    text("UPDATE work_items SET lease_until = '2000-01-01' WHERE tenant_id = :tenant"),
                    {"tenant": world.tenant_id},
                )
            await gates.heartbeat(other.id, "test", 1, sweep=True)
            await asyncio.sleep(0.1)
        assert overtaken == []
        await holder.stop(grace_seconds=5)
        await holding
        await settled(world)

    assert holder_done
    assert not overtaken or overtaken[0] > holder_done[0]


async def test_work_that_hangs_is_cancelled_and_tried_again(world: World) -> None:
    runs = 0

    @runner("test.hangs", max_seconds=0.2)
    async def run(context: Context, key: str) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            await asyncio.sleep(3600)

    async with working(Module("test", runners=(run,))):
        async with transaction(world.context) as ctx:
            await wake(ctx, "test.hangs", "a")
        await settled(world)
    assert runs == 2


@pytest.mark.parametrize("limit", [1, 3])
async def test_a_kind_never_exceeds_its_own_concurrency(world: World, limit: int) -> None:
    now = most = 0

    @runner("test.limited", concurrency=limit)
    async def run(context: Context, key: str) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1

    async with working(Module("test", runners=(run,))):
        async with transaction(world.context) as ctx:
            for number in range(12):
                await wake(ctx, "test.limited", str(number))
        await settled(world)
    assert most <= limit


async def test_one_tenants_backlog_does_not_hold_up_another(world: World, another_world: object) -> None:
    order: list[str] = []

    @runner("test.fair")
    async def run(context: Context, key: str) -> None:
        order.append("large" if context.tenant_id == world.tenant_id else "small")
        await asyncio.sleep(0.005)

    small = await another_world()  # type: ignore[operator]  # the fixture's factory
    async with transaction(world.context) as ctx:
        for number in range(300):
            await wake(ctx, "test.fair", str(number))
    async with working(Module("test", runners=(run,))):
        await asyncio.sleep(0.2)
        async with transaction(small.context) as ctx:
            await wake(ctx, "test.fair", "only")
        await settled(small)
        assert order.count("large") < 300
        await settled(world)


async def test_a_worker_outlasts_the_loss_of_all_its_connections(world: World, database: Database) -> None:
    ran: list[str] = []

    @runner("test.survives")
    async def run(context: Context, key: str) -> None:
        ran.append(key)

    async with working(Module("test", runners=(run,))) as worker:
        for number in range(3):
            async with worker.gates._connection.held() as connection:
                connection.terminate()
            await database.engine.dispose()
            async with transaction(world.context) as ctx:
                await wake(ctx, "test.survives", str(number))
            await settled(world)
    assert ran == ["0", "1", "2"]


async def loses_its_connection(context: Context) -> None:
    async with transaction(context) as ctx:
        await ctx.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


async def test_runs_that_lose_the_database_do_not_count_as_attempts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "AWAY_PAUSE_SECONDS", 0.0)
    attempts: list[str] = []

    @runner("test.loses", max_attempts=2)
    async def run(context: Context, key: str) -> None:
        attempts.append(key)
        if len(attempts) < 6:
            await loses_its_connection(context)

    async with working(Module("test", runners=(run,))):
        async with transaction(world.context) as ctx:
            await wake(ctx, "test.loses", "k")
        await settled(world)
    assert len(attempts) == 6
    assert await count(world, "work_dead_letters") == 0


async def test_work_that_loses_the_database_for_an_hour_is_a_dead_letter_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "AWAY_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(execution, "FORGIVEN", timedelta(0))

    @runner("test.breaks", max_attempts=1)
    async def run(context: Context, key: str) -> None:
        await loses_its_connection(context)

    async with working(Module("test", runners=(run,))):
        async with transaction(world.context) as ctx:
            await wake(ctx, "test.breaks", "k")
        await settled(world)
    assert await count(world, "work_dead_letters") == 1


async def test_a_long_run_keeps_its_lease(world: World) -> None:
    """Renewed from its fifth second on: 15 s after the lease began it still has time left."""
    go_on = asyncio.Event()

    @runner("test.long")
    async def run(context: Context, key: str) -> None:
        await go_on.wait()

    async with working(Module("test", runners=(run,))):
        async with transaction(world.context) as ctx:
            await wake(ctx, "test.long", "a")
        await asyncio.sleep(7.5)
        async with transaction(world.context) as ctx:
            left = await ctx.session.scalar(
                text(
                    "SELECT extract(epoch FROM lease_until - clock_timestamp())::float FROM work_items"
                    " WHERE tenant_id = :tenant"
                ),
                {"tenant": world.tenant_id},
            )
        go_on.set()
        await settled(world)
    assert left is not None
    assert left > 9


@pytest.mark.parametrize(
    "failure",
    [
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        asyncpg.CrashShutdownError("terminating connection because of crash of another server process"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        asyncpg.DiskFullError("could not extend file"),
        asyncpg.UndefinedFunctionError("a gate that a migration is just replacing"),
        ConnectionResetError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_a_worker_outlasts_whatever_a_dying_database_says(
    world: World, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    failed: list[str] = []

    @runner("test.outlasts")
    async def run(context: Context, key: str) -> None:
        ran.append(key)

    real = WorkGates._fetch

    async def fetch(self: WorkGates, statement: str, *arguments: object) -> object:
        if statement not in failed:  # each of the gates fails once
            failed.append(statement)
            raise failure
        return await real(self, statement, *arguments)

    async with working(Module("test", runners=(run,))):
        for key in ("before", "after"):
            async with transaction(world.context) as ctx:
                await wake(ctx, "test.outlasts", key)
            await settled(world)
            monkeypatch.setattr(WorkGates, "_fetch", fetch)
    assert ran == ["before", "after"]
    assert len(failed) >= 3
