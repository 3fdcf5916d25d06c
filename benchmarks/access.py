"""What it costs that people see some customers only, and how long a list of 200,000 takes for them.

subject  the console's application with a merchant of 200 people, 200,000 customers and 100,000 conversations, asked by
         somebody who sees one person's customers, a team's, a region's, and everybody's by departments
limit    the same endpoints, asked by the same person in turns, with the checks of permission and scope switched off

`added_ms` is the p95 of 1,000 requests with the checks less that without, of the endpoint to which they add most: a
customer's card, a conversation, its newest 50 messages. `p95_ms_<whose>` is a page of 50 customers in a list of
200,000: the first, one from the middle and the last in turns; `inbox_p95_ms_<whose>` and `counts_p95_ms_<whose>` are
the inbox's.
"""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final
from unittest.mock import patch

import httpx2
import structlog

from benchmarks.support import access_data, data, postgres
from benchmarks.support.access_data import VIEWERS
from benchmarks.support.inbox_data import PASSWORD
from benchmarks.support.options import Options, read_options
from benchmarks.support.report import Report, percentile, say
from huitouke.kernel.context import Context
from huitouke.kernel.database import Database, DatabaseUrls, configure, transactions
from tests.support.http import application, signed_in

PAGE: Final = 50
MIDDLE_PAGES: Final = 20
"""So many pages down the list stands the one from the middle."""

WARM_UP: Final = 30


@contextmanager
def switched_off() -> Iterator[None]:
    """Nobody is asked for a permission, and nothing is narrowed."""
    with (
        patch.object(transactions, "criteria", lambda _tenant, _scope: ()),
        patch.object(Context, "require", lambda _self, permission: None),
    ):
        yield


@asynccontextmanager
async def installed(urls: DatabaseUrls) -> AsyncIterator[None]:
    """The application's database is that one."""
    database = Database(urls)
    configure(database)
    try:
        yield
    finally:
        configure(None)
        await database.close()


async def milliseconds(client: httpx2.AsyncClient, address: str) -> float:
    """One request, answered."""
    began = perf_counter()
    answer = await client.get(address)
    taken = (perf_counter() - began) * 1000
    answer.raise_for_status()
    return taken


async def measure_added(client: httpx2.AsyncClient, address: str, requests: int) -> tuple[float, float]:
    """p95 with the checks and without, in turns."""
    with_checks, without = [], []
    for number in range(requests + WARM_UP):
        taken = await milliseconds(client, address)
        with switched_off():
            bare = await milliseconds(client, address)
        if number >= WARM_UP:
            with_checks.append(taken)
            without.append(bare)
    return percentile(with_checks, 0.95), percentile(without, 0.95)


async def addresses(client: httpx2.AsyncClient) -> dict[str, str]:
    """What one person looks at: a customer, a conversation, its messages."""
    customer = (await client.get("/api/customers")).json()["items"][0]["id"]
    conversation = (await client.get("/api/conversations")).json()["items"][0]["id"]
    return {
        "card": f"/api/customers/{customer}",
        "conversation": f"/api/conversations/{conversation}",
        "messages": f"/api/conversations/{conversation}/messages?limit={PAGE}",
    }


async def pages(client: httpx2.AsyncClient, path: str) -> list[str]:
    """The addresses of the first page, one from the middle and the last one that is full."""
    found = [f"{path}?limit={PAGE}"]
    while len(found) <= MIDDLE_PAGES:
        cursor = (await client.get(found[-1])).json()["next_cursor"]
        if cursor is None:
            break
        found.append(f"{path}?limit={PAGE}&cursor={cursor}")
    return [found[0], found[len(found) // 2], found[-1]]


async def measure_pages(client: httpx2.AsyncClient, path: str, requests: int) -> float:
    """p95 of these pages in turns."""
    asked = await pages(client, path)
    for address in asked * 3:
        await milliseconds(client, address)
    return percentile([await milliseconds(client, asked[n % len(asked)]) for n in range(requests)], 0.95)


async def measure_lists(whose: str, client: httpx2.AsyncClient, requests: int, report: Report) -> None:
    """Pages of customers and of the inbox, and the inbox's counts."""
    customers = await measure_pages(client, "/api/customers", requests)
    inbox = await measure_pages(client, "/api/conversations", requests)
    await milliseconds(client, "/api/conversations/counts")
    counts = percentile([await milliseconds(client, "/api/conversations/counts") for _ in range(requests)], 0.95)
    say(f"{whose}: customers {customers:.1f} ms, inbox {inbox:.1f} ms, counts {counts:.1f} ms")
    report.at_most(f"p95_ms_{whose}", customers, bar=50)
    report.figure(f"inbox_p95_ms_{whose}", inbox)
    report.figure(f"counts_p95_ms_{whose}", counts)


async def _measure(options: Options, report: Report) -> None:
    app = application()
    requests = int(options.pick(60, 300))
    for whose, viewer in VIEWERS.items():
        async with signed_in(app, viewer.sign_in_name, PASSWORD) as client:
            await measure_lists(whose, client, requests, report)
    added: dict[str, float] = {}
    bare: list[float] = []
    async with signed_in(app, VIEWERS["team"].sign_in_name, PASSWORD) as client:
        for name, address in (await addresses(client)).items():
            taken, without = await measure_added(client, address, int(options.pick(300, 1_000)))
            added[name] = taken - without
            bare.append(without)
            say(f"{name}: {taken:.2f} ms, without the checks {without:.2f} ms")
            report.figure(f"added_ms_{name}", added[name])
    report.value = max(added.values())
    report.at_most("added_ms", max(added.values()), bar=1.0)


async def measure() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    options = read_options()
    report = Report("access", "ms", options)
    with postgres.durable_server("access") as server:
        kept = await data.template(server, "access", fill=access_data.fill, made_by=Path(access_data.__file__))
        if options.data_only:
            return
        async with data.clone(kept, "access") as urls, installed(urls):
            gc.freeze()
            await _measure(options, report)
    report.print()


if __name__ == "__main__":
    asyncio.run(measure())
