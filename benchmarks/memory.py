"""Memory under steady load: the sum of PSS of our processes and of PostgreSQL, sampled each second.

subject  server (with sockets) and worker, apart; 60 customers who write every half minute or so and are answered, and a
         person's console that looks at its inbox
bar      minute 60 at most 5 % over minute 15

`value` is the ratio of the mean of the last minute to that of the fifteenth (QUICK and HUITOUKE_SOAK_MINUTES: of the
last tenth to that of the quarter at which the first is over; `duration_s` says how long it was). The curve, in MiB per
minute, is a figure too, and both once more for server and worker without PostgreSQL. PostgreSQL's shared buffers are
full from the beginning, as those of any server are that has run for a day: one idle connection has touched them all.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import mean
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from benchmarks.support import data, postgres
from benchmarks.support.memory import Sampler, tree
from benchmarks.support.memory import postgres as postgres_processes
from benchmarks.support.options import CACHE, read_options
from benchmarks.support.postgres import address
from benchmarks.support.processes import Installation
from benchmarks.support.report import Report, say
from huitouke.kernel.database import DatabaseUrls
from huitouke.kernel.database.launcher import Server
from tests.chaos.merchant import KNOWLEDGE, OWNER, PASSWORD, Merchant, merchant

CUSTOMERS: Final = 60
EVERY_SECONDS: Final = (20.0, 40.0)
LOOK_SECONDS: Final = 5.0
FULL_MINUTES: Final = 60.0
QUICK_MINUTES: Final = 0.75
SETTLED_SHARE: Final = 0.25
"""Minute 15 of 60."""
MINUTE: Final = 60.0


async def load(shop: Merchant, seconds: float, written: list[int]) -> None:
    """Customers write and are answered; somebody looks at the inbox."""
    ends = monotonic() + seconds

    async def customer(one: str) -> None:
        await asyncio.sleep(random.uniform(0, EVERY_SECONDS[1]))
        while monotonic() < ends:
            await shop.says(one, random.choice([*KNOWLEDGE, "你们老板喜欢什么颜色"]))
            written[0] += 1
            await asyncio.sleep(random.uniform(*EVERY_SECONDS))

    async def console() -> None:
        while monotonic() < ends:
            rows = (await shop.ask("GET", "/api/conversations?limit=50")).json()["items"]
            for row in rows[:3]:
                await shop.ask("GET", f"/api/conversations/{row['id']}/messages")
            await asyncio.sleep(LOOK_SECONDS)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(console())
        for one in shop.customers:
            tasks.create_task(customer(one))


@asynccontextmanager
async def full_shared_buffers(server: Server, urls: DatabaseUrls) -> AsyncIterator[None]:
    """Memory that is shared counts where it was touched: a connection writes as much as fits, and stays."""
    database = urlsplit(urls.application).path[1:]
    connection = await asyncpg.connect(address(server).format(database=database))
    try:
        size = await connection.fetchval("SELECT setting::bigint * 8192 FROM pg_settings WHERE name = 'shared_buffers'")
        await connection.execute("CREATE UNLOGGED TABLE filling (line text)")
        await connection.execute(
            "INSERT INTO filling SELECT repeat('x', 1000) FROM generate_series(1, $1::bigint / 1000)", int(size * 1.2)
        )
        await connection.execute("DROP TABLE filling")
        yield
    finally:
        await connection.close()


async def tell(sampler: Sampler, written: list[int]) -> None:
    """A line a minute, for whoever watches."""
    while True:
        await asyncio.sleep(MINUTE)
        last = sampler.samples_kib[-int(MINUTE) :]
        say(f"minute {len(sampler.samples_kib) / MINUTE:.0f}: {mean(last) / 1024:.1f} MiB, {written[0]} messages")


def growth(samples_kib: Sequence[int]) -> float:
    """The end over the settled state: means of windows of a sixtieth (at least three samples), minute 60 over 15."""
    window = max(3, round(len(samples_kib) / FULL_MINUTES))
    settled = round(len(samples_kib) * SETTLED_SHARE)
    return mean(samples_kib[-window:]) / mean(samples_kib[settled - window : settled])


def curve(samples_kib: Sequence[int]) -> list[float]:
    """MiB of each minute."""
    minutes = [samples_kib[start : start + int(MINUTE)] for start in range(0, len(samples_kib), int(MINUTE))]
    return [round(mean(minute) / 1024, 1) for minute in minutes]


async def main() -> None:
    options = read_options()
    report = Report("memory", "minute 60 / minute 15", options)
    minutes = float(os.environ.get("HUITOUKE_SOAK_MINUTES") or options.pick(QUICK_MINUTES, FULL_MINUTES))
    written = [0]
    with postgres.durable_server("memory") as server:
        kept = await data.template(server, "memory")
        if options.data_only:
            return
        async with data.clone(kept, "memory_run") as urls:
            with Installation(CACHE / "memory" / "run", urls) as installation:
                sandbox = await installation.sandbox()
                await installation.run("tenant", "create", "--name", "小店", "--owner", OWNER, "--password", PASSWORD)
                serving = await installation.serve("realtime")
                worker = await installation.work()
                ours = (serving.pid, worker.pid)
                # The sandbox's own memory is nobody's business: it keeps every message that was ever written.
                async with (
                    full_shared_buffers(server, urls),
                    merchant(serving.url, sandbox.url, CUSTOMERS) as shop,
                    Sampler(lambda: [*tree(ours), *postgres_processes(server)]) as sampler,
                    Sampler(lambda: tree(ours)) as without_postgres,
                ):
                    telling = asyncio.create_task(tell(sampler, written))
                    await load(shop, minutes * MINUTE, written)
                    telling.cancel()
    samples = sampler.samples_kib
    report.value = growth(samples)
    report.at_most("growth", report.value, 1.05)
    report.figure("peak_mib", sampler.peak_mib)
    report.figure("curve_mib", curve(samples))
    report.figure("growth_without_postgres", growth(without_postgres.samples_kib))
    report.figure("curve_without_postgres_mib", curve(without_postgres.samples_kib))
    report.figure("messages", written[0])
    report.duration(minutes * MINUTE)
    report.print()


if __name__ == "__main__":
    asyncio.run(main())
