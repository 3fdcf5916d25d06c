"""Callbacks of WeCom, taken for good: verified, decrypted, deduplicated, stored with a synced commit, acknowledged.

subject  two `huitouke serve` processes behind real HTTP, 200 merchants with keys of their own, whose accounts are woken
limit    pgbench: one transaction per row, 16 clients, the same row into a table with the same columns and key
peer     the usual way: Flask on two gunicorn workers of eight threads (2.4 times as fast as sync workers, which
         take a new connection per request), wechatpy's crypto, one INSERT and commit per request

Subject and peer get the same requests from the same load generator on the same cores. Further figures: the answer's
time at half of our own rate, and a burst that must be taken whole.
"""

import asyncio
import gc
import re
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import uvloop

from benchmarks.support import data, postgres
from benchmarks.support.http_load import Address, closed, paced
from benchmarks.support.options import CACHE, read_options
from benchmarks.support.peers import PEERS, peer_python
from benchmarks.support.processes import LOOPBACK, Installation, free_port
from benchmarks.support.report import Report, interleaved, median_ratio, medians, percentile, say
from benchmarks.support.wecom_callbacks import Endpoint, make_endpoints, make_requests, write_endpoints
from huitouke.kernel.database import DatabaseUrls
from huitouke.kernel.database.launcher import Server

MERCHANTS: Final = 200
SERVERS: Final = 2
LIMIT_CLIENTS: Final = 16
CONNECTIONS: Final = 128
PEER_CONNECTIONS: Final = 16
"""As many as the peer has threads; more gain it nothing."""
BURST_CONNECTIONS: Final = 500
HALF_LOAD_CONNECTIONS: Final = 256
FASTEST: Final = 15_000
"""Callbacks a second for which requests are made beforehand."""
FASTEST_PEER: Final = 4_000

PEER: Final = "ingest_peer"
PEER_TABLE: Final = """
CREATE TABLE callbacks (id bigserial PRIMARY KEY, tenant_id varchar(36) NOT NULL, account varchar NOT NULL,
                        event varchar NOT NULL, body bytea NOT NULL, received_at timestamptz NOT NULL);
CREATE INDEX ON callbacks (tenant_id);
"""
LIMIT_TABLE: Final = """
CREATE TABLE limit_callbacks (LIKE callbacks INCLUDING CONSTRAINTS);
ALTER TABLE limit_callbacks ADD PRIMARY KEY (tenant_id, digest);
"""


class Ingest:
    """The three that are measured, and the requests that are left."""

    def __init__(self, server: Server, urls: DatabaseUrls, folder: Path, seconds: float) -> None:
        self.server = server
        self.urls = urls
        self.folder = folder
        self.seconds = seconds
        self.ours: list[Address] = []
        self.theirs: list[Address] = []
        self._requests: list[bytes] = []
        self._taken = 0
        self._taken_by_peer = 0
        self.acknowledged = 0

    def use(self, requests: list[bytes]) -> None:
        self._requests = requests
        gc.collect()
        gc.freeze()

    def take(self, count: int) -> list[bytes]:
        """Requests that were not sent before. Those of a timed round that are left over are given back."""
        taken = self._requests[self._taken : self._taken + count]
        assert len(taken) == count, "more requests are needed than were made"
        self._taken += count
        return taken

    async def limit(self) -> float:
        """Transactions a second, of one row each."""
        script = self.folder / "limit.sql"
        script.write_text(_limit_script())
        command = [
            str(postgres.pgbench()), "--no-vacuum", "--protocol=prepared", f"--client={LIMIT_CLIENTS}", "--jobs=2",
            f"--time={round(self.seconds)}", f"--file={script}", "--host", str(self.server.socket_dir),
            "--username=postgres", _database(self.urls),
        ]  # fmt: skip
        run = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        printed, complaint = await run.communicate()
        found = re.search(r"tps = ([\d.]+)", printed.decode())
        if found is None:
            raise RuntimeError(f"pgbench: {complaint.decode()}")
        return float(found[1])

    async def subject(self) -> float:
        """Callbacks a second through the product."""
        requests = self.take(round(FASTEST * self.seconds))
        result = await closed(self.ours, requests, connections=CONNECTIONS, seconds=self.seconds)
        assert result.refused == 0, f"{result.refused} of {result.answered} refused"
        self._taken -= len(requests) - result.answered
        self.acknowledged += result.answered
        return result.per_second

    async def peer(self) -> float:
        """Callbacks a second the usual way."""
        start = self._taken_by_peer % (len(self._requests) // 2)
        requests = self._requests[start : start + round(FASTEST_PEER * self.seconds)]
        result = await closed(self.theirs, requests, connections=PEER_CONNECTIONS, seconds=self.seconds)
        assert result.refused == 0, f"{result.refused} of {result.answered} refused by the peer"
        self._taken_by_peer += result.answered
        return result.per_second

    async def half_load_p99_ms(self, per_second: float, seconds: float) -> tuple[float, float]:
        """p50 and p99 in ms of the answers at that rate."""
        requests = self.take(int(per_second * seconds))
        result = await paced(
            self.ours, requests, connections=HALF_LOAD_CONNECTIONS, per_second=per_second, seconds=seconds
        )
        assert result.refused == 0, f"{result.refused} refused at half load"
        self.acknowledged += result.answered
        return percentile(result.latencies_s, 0.5) * 1000, percentile(result.latencies_s, 0.99) * 1000

    async def burst(self, count: int) -> tuple[int, float]:
        """How many of `count` were refused, and how many a second were taken."""
        result = await closed(self.ours, self.take(count), connections=BURST_CONNECTIONS)
        self.acknowledged += result.answered
        return result.refused, result.per_second

    async def lost(self) -> tuple[int, int]:
        """Acknowledged callbacks that are not in the database, and wake-ups that are missing."""
        connection = await asyncpg.connect(self.server.url(_database(self.urls)))
        try:
            stored = await connection.fetchval("SELECT count(*) FROM callbacks")
            woken = await connection.fetchval("SELECT sum(requested)::bigint FROM work_items")
        finally:
            await connection.close()
        return self.acknowledged - stored, self.acknowledged - woken


async def measure() -> None:
    options = read_options()
    report = Report("ingest", "callbacks/s", options)
    with postgres.durable_server("ingest") as server, ExitStack() as stack:
        kept = await data.template(server, "empty")
        peer = peer_python("ingest")
        if options.data_only:
            return
        async with data.clone(kept, "ingest") as urls:
            shop = stack.enter_context(Installation(CACHE / "ingest" / "run", urls))
            endpoints = await make_endpoints(urls, shop.folder, MERCHANTS)
            rounds, burst = int(options.pick(3, 5)), int(options.pick(30_000, 200_000))
            ingest = Ingest(server, urls, shop.folder, seconds=options.pick(3, 10))
            half_load_seconds = options.pick(4, 20)
            count = int(FASTEST * (ingest.seconds * (rounds * 0.8 + 1) + half_load_seconds / 2)) + burst
            say(f"encrypting {count:,} callbacks")
            ingest.use(make_requests(endpoints, count))
            started = await asyncio.gather(*(shop.serve() for _ in range(SERVERS)))
            ingest.ours = [_address(each.url) for each in started]
            ingest.theirs = [await _start_peer(server, shop, peer, endpoints)]
            await _execute(server.url(_database(urls)), LIMIT_TABLE)
            await ingest.half_load_p99_ms(500, 1)  # every process knows all keys before anything is measured
            parts = {"limit": ingest.limit, "subject": ingest.subject, "peer": ingest.peer}
            measured = await interleaved(rounds, parts)
            report.value = medians(measured)["subject"]
            p50, p99 = await ingest.half_load_p99_ms(report.value / 2, half_load_seconds)
            refused, burst_rate = await ingest.burst(burst)
            lost, not_woken = await ingest.lost()
    report.judge_noise(measured["limit"])
    report.ratio("limit", "pgbench one-row durable commits", median_ratio(measured, "subject", "limit"), at_least=0.5)
    report.ratio("peer", "Flask + wechatpy + INSERT", median_ratio(measured, "subject", "peer"), at_least=5)
    report.figure("limit_per_second", medians(measured)["limit"])
    report.figure("peer_per_second", medians(measured)["peer"])
    report.figure("p50_ms", p50)
    report.at_most("p99_ms", p99, bar=25)
    report.figure("burst", burst)
    report.figure("burst_per_second", burst_rate)
    report.at_most("refused", refused, bar=0)
    report.at_most("lost", lost, bar=0)
    report.at_most("wakes_lost", not_woken, bar=0)
    report.print()


async def _execute(address: str, *statements: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _limit_script() -> str:
    """The row that the product stores, with a digest of its own each time."""
    body = "<xml>" + "x" * 375 + "</xml>"
    return (
        "\\set digest random(1, 9000000000000000000)\n"
        "INSERT INTO limit_callbacks (tenant_id, digest, id, endpoint_id, kind, account, event, body, wake_kind,"
        " wake_key, received_at) VALUES ('0192f0c1-2f3a-7000-8000-000000000001',"
        " sha256(int8send(:digest)), '0192f0c1-2f3a-7000-8000-000000000002', '0192f0c1-2f3a-7000-8000-000000000003',"
        f" 'wecom', 'wk000000000000000000000000000001', 'kf_msg_or_event', '{body}', 'conversations.sync',"
        " 'wk000000000000000000000000000001', '2026-01-01');\n"
    )


async def _start_peer(server: Server, shop: Installation, python: Path, endpoints: Sequence[Endpoint]) -> Address:
    """gunicorn with two workers, and a database of its own on the same server."""
    await _execute(server.url(), f"DROP DATABASE IF EXISTS {PEER} WITH (FORCE)", f"CREATE DATABASE {PEER}")
    await _execute(server.url(PEER), PEER_TABLE)
    keys = shop.folder / "endpoints.json"
    write_endpoints(endpoints, keys)
    variables = {
        "INGEST_DATABASE": server.url(PEER).replace("postgresql:", "postgresql+psycopg2:"),
        "INGEST_ENDPOINTS": str(keys),
    }
    port = free_port()
    address = f"{LOOPBACK}:{port}"
    arguments = [
        "-m",
        "gunicorn",
        "--workers",
        "2",
        "--threads",
        "8",
        "--bind",
        address,
        "--chdir",
        str(PEERS / "ingest"),
        "app:app",
    ]
    await shop.start("peer", arguments, f"http://{address}", "/ready", variables, program=python)
    return LOOPBACK, port


def _database(urls: DatabaseUrls) -> str:
    return urlsplit(urls.application).path.removeprefix("/")


def _address(url: str) -> Address:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


if __name__ == "__main__":
    uvloop.run(measure())
