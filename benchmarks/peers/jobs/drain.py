"""PgQueuer, the fastest Python queue on PostgreSQL: how many jobs that each insert a row it does a second.

python drain.py ADDRESS JOBS SECONDS        prints the jobs done per second
"""

import asyncio
import sys
from time import perf_counter

import asyncpg
import uvloop
from pgqueuer.core.qm import QueueManager
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

BATCH = 10
"""Of larger ones with a limit on tasks it takes none."""


async def main() -> None:
    address, jobs, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    async with asyncpg.create_pool(address, min_size=10, max_size=20) as pool:
        driver = AsyncpgPoolDriver(pool)
        queries = Queries(driver)
        await queries.install()
        await pool.execute("CREATE TABLE done (id bigint PRIMARY KEY, at timestamptz NOT NULL)")
        for start in range(0, jobs, 10_000):
            count = min(10_000, jobs - start)
            await queries.enqueue(["insert"] * count, [None] * count, [0] * count)
        manager = QueueManager(driver)
        done = 0

        @manager.entrypoint("insert")
        async def insert(job: Job) -> None:
            nonlocal done
            await pool.execute("INSERT INTO done VALUES ($1, clock_timestamp())", int(job.id))
            done += 1

        running = asyncio.ensure_future(manager.run(batch_size=BATCH))
        await asyncio.sleep(1)
        before, started = done, perf_counter()
        await asyncio.sleep(seconds)
        print((done - before) / (perf_counter() - started), flush=True)
        manager.shutdown.set()
        await asyncio.wait([running], timeout=5)


uvloop.run(main())
