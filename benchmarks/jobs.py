"""Events and jobs: how fast one worker reads, with much or little waiting, beside a long transaction, and how fair.

subject  one `Worker` with two handlers of one event, each of which writes a row per event, batches of up to 200;
         counted are (event, handler) runs, in a database where 1,000,000 events wait
base     the same where 100,000 wait, 62 in each of a merchant's lanes, so that batches are smaller
beside   the same as the subject, in a database in which a transaction has been open since the start
peer     PgQueuer, jobs that insert a row each

Then a merchant with 100,000 jobs (and events) that wait, and how long another one's single job takes to begin.
"""

import asyncio
import logging
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter
from typing import Final
from uuid import UUID

import asyncpg
import structlog
import uvloop
from pydantic import BaseModel

from benchmarks.support import data, event_data, postgres
from benchmarks.support.options import Options, read_options
from benchmarks.support.peers import PEERS, peer_python
from benchmarks.support.readers import MODULE, Happened, Noted, began, runs
from benchmarks.support.report import Report, say
from huitouke.kernel.context import job_context
from huitouke.kernel.database import Database, DatabaseUrls, configure, transaction
from huitouke.kernel.database.launcher import Server
from huitouke.kernel.events import emit
from huitouke.kernel.modules import load_modules
from huitouke.kernel.work import enqueue
from huitouke.kernel.work.worker import Worker
from tests.support.database import Template

BACKLOG: Final = 1_000_000
BASE_BACKLOG: Final = 100_000
LOW: Final = 150_000
"""Below this a backlog of a million is no such thing any more, and is filled up again."""
PEER_JOBS: Final = 200_000
BASE_SECONDS: Final = 2.0
"""Before it is empty."""
WARM_SECONDS: Final = 1.0
SINGLES: Final = 12
SINGLE_PAUSE_SECONDS: Final = 0.25
OTHER: Final = 2
PEER: Final = "jobs_peer"


@asynccontextmanager
async def working(urls: DatabaseUrls) -> AsyncIterator[None]:
    """A worker on that database, at work for as long as the block."""
    database = Database(urls)
    configure(database)
    worker = Worker([*load_modules(), MODULE], database=database)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        await worker.stop(0)
        await task
        configure(None)
        await database.close()


async def rate(urls: DatabaseUrls, seconds: float) -> float:
    """(event, handler) runs a second of one worker that has just begun."""
    async with working(urls):
        await asyncio.sleep(WARM_SECONDS)
        before, started = runs.done, perf_counter()
        await asyncio.sleep(seconds)
        return (runs.done - before) / (perf_counter() - started)


async def fill_up(urls: DatabaseUrls, low: int, full: int) -> None:
    """Brings a backlog of less than `low` to `full` again."""
    assert urls.owner is not None
    connection = await asyncpg.connect(urls.owner)
    try:
        waiting = await connection.fetchval("SELECT count(*) FROM event_queue")
        if waiting < low:
            await event_data.add_events(connection, full - waiting)
    finally:
        await connection.close()


@asynccontextmanager
async def left_open(urls: DatabaseUrls) -> AsyncIterator[None]:
    """A transaction with a snapshot of its own, as a long report or a backup has it."""
    connection = await asyncpg.connect(urls.application)
    try:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM tenants")
        yield
    finally:
        await connection.close()


async def peer_rate(server: Server, python: Path, seconds: float) -> float:
    """Jobs a second of PgQueuer, with a database of its own."""
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {PEER} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {PEER}")
    finally:
        await connection.close()
    command = [str(python), str(PEERS / "jobs" / "drain.py"), server.url(PEER), str(PEER_JOBS), str(seconds)]
    run = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    printed, complaint = await run.communicate()
    if run.returncode != 0:
        raise RuntimeError(f"PgQueuer: {complaint.decode()[-2_000:]}")
    return float(printed)


async def delays(urls: DatabaseUrls, ask: Callable[[UUID], Awaitable[None]]) -> list[float]:
    """Seconds from the commit that asks for something of another merchant to its begin, beside the backlog."""
    found = []
    async with working(urls):
        await asyncio.sleep(WARM_SECONDS)
        for _ in range(SINGLES):
            began.clear()
            await ask(event_data.merchant(OTHER))
            committed = monotonic()
            await asyncio.wait_for(began.event.wait(), 60)
            found.append(max(0.0, began.at - committed))
            await asyncio.sleep(SINGLE_PAUSE_SECONDS)
    return found


async def ask_for_job(tenant_id: UUID) -> None:
    async with transaction(job_context(tenant_id)) as ctx:
        await enqueue(ctx, "benchmark.job", Noted(note=True))


async def ask_for_event(tenant_id: UUID) -> None:
    async with transaction(job_context(tenant_id)) as ctx:
        await emit(ctx, Happened(customer_id=tenant_id, seq=-1, amount_fen=100, channel="wecom_kf"))


class Measured(BaseModel):
    """The figures of the turns, oldest first."""

    base: list[float] = []
    subject: list[float] = []
    beside: list[float] = []
    peer: list[float] = []


async def turns(
    server: Server, options: Options, kept: tuple[Template, Template], python: Path
) -> tuple[Measured, float]:
    """Turn by turn until the transaction has been open for long enough; for how many seconds it was."""
    small, large = kept
    open_seconds = options.pick(60, 600)
    window = options.pick(3, 10)
    measured = Measured()
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(data.clone(small, "jobs_base"))
        subject = await stack.enter_async_context(data.clone(large, "jobs_subject"))
        beside = await stack.enter_async_context(data.clone(large, "jobs_beside"))
        await stack.enter_async_context(left_open(beside))
        opened = monotonic()
        while monotonic() - opened < open_seconds or len(measured.peer) < 3:
            await fill_up(subject, LOW, BACKLOG)
            await fill_up(beside, LOW, BACKLOG)
            measured.subject.append(await rate(subject, window))
            measured.beside.append(await rate(beside, window))
            if len(measured.peer) < 3:
                await fill_up(base, BASE_BACKLOG, BASE_BACKLOG)
                measured.base.append(await rate(base, BASE_SECONDS))
                measured.peer.append(await peer_rate(server, python, window))
            turn = {name: round(figures[-1]) for name, figures in measured if figures}
            say(f"{monotonic() - opened:.0f} s: {turn}")
        lasted = monotonic() - opened
    return measured, lasted


async def fairness(kept: Template) -> tuple[float, float]:
    """The longest waits, in ms, of another merchant: of its job beside 100,000 jobs, of its event beside 100,000."""
    async with data.clone(kept, "jobs_fair") as urls:
        assert urls.owner is not None
        connection = await asyncpg.connect(urls.owner)
        try:
            await connection.execute("TRUNCATE event_queue")
            await event_data.add_jobs(connection, BASE_BACKLOG, 1, "benchmark.job")
            jobs = await delays(urls, ask_for_job)
            await connection.execute("TRUNCATE work_items")
            await event_data.add_events(connection, BASE_BACKLOG, merchants=1)
            events = await delays(urls, ask_for_event)
        finally:
            await connection.close()
    return max(jobs) * 1000, max(events) * 1000


async def measure() -> None:
    # A worker that is stopped in the middle of a batch says so; here that is how each turn ends.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    options = read_options()
    report = Report("jobs", "runs/s", options)
    made_by = Path(event_data.__file__)
    with postgres.durable_server("jobs") as server:
        small = await data.template(
            server, "base", fill=lambda urls: event_data.fill(urls, BASE_BACKLOG), made_by=made_by
        )
        large = await data.template(
            server, "backlog", fill=lambda urls: event_data.fill(urls, BACKLOG), made_by=made_by
        )
        python = peer_python("jobs")
        if options.data_only:
            return
        job_delay_ms, event_delay_ms = await fairness(small)
        say(f"another merchant waits {job_delay_ms:.0f} ms for a job, {event_delay_ms:.0f} ms for an event")
        measured, open_seconds = await turns(server, options, (small, large), python)
    value = median(measured.subject)
    report.value = value
    report.at_least("value", value, 15_000)
    report.ratio("base", "the same worker where 100,000 wait", value / median(measured.base), at_least=0.9)
    # The last half of the time: by then whatever a long transaction does to the queue it has done.
    late = len(measured.beside) // 2
    beside = median(ours / theirs for ours, theirs in zip(measured.beside[late:], measured.subject[late:], strict=True))
    report.ratio("no_open_transaction", "the same beside no open transaction", beside, at_least=0.9)
    report.duration(open_seconds)
    report.ratio("peer", "PgQueuer", median(measured.base) / median(measured.peer))
    report.figure("peer_per_second", median(measured.peer))
    report.at_most("job_delay_ms", job_delay_ms, 1_000)
    report.at_most("event_delay_ms", event_delay_ms, 1_000)
    report.judge_noise(measured.base)
    report.print()


if __name__ == "__main__":
    uvloop.run(measure())
