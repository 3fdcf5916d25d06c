"""What we add: from the acknowledged callback to the send request, without the burst's pause and without a model.

subject  a customer's message through all of the product: callback, sync_msg, turn, answer from the knowledge, send_msg
limit    the bare sequence of the same HTTP calls and synced commits in a straight line, by one program that does
         nothing else: sync_msg, commit the message, commit the answer, commit that it is being sent, send_msg

Times are the sandbox's own: when it had our 200, and when the send request arrived. `p95_ms` is one customer alone,
with server and worker in one process (`p95_ms_two_processes`: apart). `p99_ms_50` is 50 who write at the same moment,
after a first such moment that opens connections, each from the 200 to the callback of their own word;
`from_word_p99_ms_50` is the same from the word, so that the sandbox's own way to us is in it. `oldest_s_500`: age of
the oldest row that waits for anybody (work, events, due turns, queued messages) while 500 customers converse, server
and worker apart, sampled 10 times a second. `part_…_ms` are the medians of a waterfall, alone.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import httpx2

from benchmarks.support import data, postgres
from benchmarks.support.options import CACHE, Options, read_options
from benchmarks.support.processes import Installation
from benchmarks.support.report import Report, percentile, say
from huitouke.kernel.database import DatabaseUrls
from huitouke.kernel.database.launcher import Server
from huitouke.modules.assistant.reply.turns import QUIET
from tests.chaos.merchant import KNOWLEDGE, OWNER, PASSWORD, Merchant, merchant

AT_ONCE: Final = 50
ACTIVE: Final = 500
EVERY_SECONDS: Final = (10.0, 30.0)
"""Between two messages of one of the 500: some 25 messages and as many answers a second."""

SAMPLE_SECONDS: Final = 0.1
POLL_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 60.0
QUESTIONS: Final = list(KNOWLEDGE)

PARTS: Final = """
SELECT i.created_at AS stored, t.first_message_at AS noted, t.due_at AS due, o.created_at AS queued
  FROM messages i
  JOIN reply_turns t ON t.tenant_id = i.tenant_id AND t.conversation_id = i.conversation_id
  JOIN messages o ON o.tenant_id = i.tenant_id AND o.conversation_id = i.conversation_id AND o.seq > i.seq
                 AND o.sender_kind = 'assistant'
 WHERE i.external_msgid = $1
 ORDER BY o.seq LIMIT 1
"""
OLDEST: Final = """
SELECT greatest(
  (SELECT max($1 - created_at) FROM work_items WHERE seq IS NOT NULL AND worker_id IS NULL),
  (SELECT max($1 - e.occurred_at) FROM event_queue q JOIN events e ON e.tenant_id = q.tenant_id AND e.id = q.event_id),
  (SELECT max($1 - due_at) FROM reply_turns WHERE state = 'waiting' AND due_at < $1),
  (SELECT max($1 - next_attempt_at) FROM outbound_messages WHERE state = 'queued' AND next_attempt_at < $1))
"""


@dataclass(frozen=True)
class Shop:
    """A merchant on an installation that runs, and the database behind it."""

    merchant: Merchant
    database: "asyncpg.Connection[Any]"

    async def asks(self, customer: str) -> dict[str, Any]:
        """The customer writes; gives the sandbox's record of it."""
        path = f"customers/{customer}/chats/{self.merchant.open_kfid}/messages"
        text = random.choice(QUESTIONS)
        sent = await self.merchant.control("POST", path, {"msgtype": "text", "text": {"content": text}})
        return {"external_userid": customer, **sent}

    async def answers(self, after: int) -> list[dict[str, Any]]:
        """What was sent to customers, behind that number."""
        page = await self.merchant.control("GET", "records", source="api", after=after)
        items: list[dict[str, Any]] = page["items"]
        return items

    async def answer_to(self, question: dict[str, Any]) -> dict[str, Any]:
        (answer,) = await self.answers_to([question])
        return answer

    async def answers_to(self, questions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The first answer after each question, when all are there."""
        first = min(question["seq"] for question in questions)
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            found: dict[str, dict[str, Any]] = {}
            for answer in await self.answers(first):
                found.setdefault(answer["external_userid"], answer)
            if all(question["external_userid"] in found for question in questions):
                return [found[question["external_userid"]] for question in questions]
            if monotonic() > deadline:
                raise TimeoutError(f"{len(found)} of {len(questions)} were answered")
            await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def shop(
    server: Server, urls: DatabaseUrls, folder: Path, customers: int, *, apart: bool
) -> AsyncIterator[tuple[Shop, str]]:
    """An installation with one merchant: server and worker in one process, or apart. Also the sandbox's address."""
    with Installation(folder, urls) as installation:
        sandbox = await installation.sandbox()
        await installation.run("tenant", "create", "--name", "小店", "--owner", OWNER, "--password", PASSWORD)
        serving = await installation.serve("realtime" if apart else "work,realtime")
        if apart:
            await installation.work()
        database = await asyncpg.connect(postgres.address(server).format(database=urlsplit(urls.application).path[1:]))
        try:
            async with merchant(serving.url, sandbox.url, customers) as one:
                yield Shop(one, database), sandbox.url
        finally:
            await database.close()


# ---- one alone


async def alone(shop: Shop, customers: Sequence[str], parts: dict[str, list[float]]) -> list[float]:
    """Milliseconds of ours for one message after the other, each of another customer."""
    ours = []
    for customer in customers:
        question = await shop.asks(customer)
        answer = await shop.answer_to(question)
        acknowledged = await _acknowledged(shop)
        row = await shop.database.fetchrow(PARTS, question["msgid"])
        assert row is not None
        steps = {
            "callback": (question["sent_at"], acknowledged),
            "sync": (acknowledged, row["stored"].timestamp()),
            "event": (row["stored"].timestamp(), row["noted"].timestamp()),
            "answer": (row["due"].timestamp(), row["queued"].timestamp()),
            "send": (row["queued"].timestamp(), answer["at"]),
        }
        for name, (begin, end) in steps.items():
            parts.setdefault(name, []).append((end - begin) * 1000)
        ours.append((answer["at"] - acknowledged - QUIET.total_seconds()) * 1000)
    return ours


async def _acknowledged(shop: Shop) -> float:
    """When the sandbox had our 200 for its newest callback."""
    page = await shop.merchant.control("GET", "callbacks", limit=1)
    attempt = page["items"][0]["attempts"][-1]
    return float(attempt["at"] + attempt["elapsed_ms"] / 1000)


# ---- many


async def at_once(shop: Shop, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of ours when 50 write at once: from each one's acknowledged callback, and from the word."""
    ours: list[float] = []
    from_word: list[float] = []
    for number in range(rounds):
        customers = shop.merchant.customers[:AT_ONCE]
        asked = await asyncio.gather(*map(shop.asks, customers))
        answers = await shop.answers_to(asked)
        acknowledged = await _all_acknowledged(shop)
        # A word and its callback are made in one step of the sandbox, so both stand in the same order.
        order = sorted(range(AT_ONCE), key=lambda place: asked[place]["seq"])
        for at, place in zip(acknowledged, order, strict=True):
            ours.append((answers[place]["at"] - at - QUIET.total_seconds()) * 1000)
            from_word.append((answers[place]["at"] - asked[place]["sent_at"] - QUIET.total_seconds()) * 1000)
        say(f"{AT_ONCE} at once, round {number + 1} of {rounds}: p99 {percentile(ours, 0.99):.0f} ms")
    return ours, from_word


async def _all_acknowledged(shop: Shop) -> list[float]:
    """When the sandbox had our 200 for each of its newest callbacks, in the order in which they were made."""
    page = await shop.merchant.control("GET", "callbacks", limit=AT_ONCE)
    attempts = [callback["attempts"][-1] for callback in reversed(page["items"])]
    return [float(attempt["at"] + attempt["elapsed_ms"] / 1000) for attempt in attempts]


async def converse(shop: Shop, seconds: float) -> tuple[list[float], float]:
    """The ages of the oldest waiting row while 500 converse, and how many messages came in a second."""
    ages: list[float] = []
    written = 0
    ends = monotonic() + seconds

    async def talk(customer: str) -> None:
        nonlocal written
        await asyncio.sleep(random.uniform(0, EVERY_SECONDS[0]))
        while monotonic() < ends:
            await shop.asks(customer)
            written += 1
            await asyncio.sleep(random.uniform(*EVERY_SECONDS))

    async def watch() -> None:
        await asyncio.sleep(EVERY_SECONDS[0])  # all have begun
        while monotonic() < ends:
            age = await shop.database.fetchval(OLDEST, datetime.now(UTC))
            ages.append(age.total_seconds() if age is not None else 0.0)
            await asyncio.sleep(SAMPLE_SECONDS)

    began = monotonic()
    talking = [asyncio.create_task(talk(customer)) for customer in shop.merchant.customers[:ACTIVE]]
    await watch()
    rate = written / (monotonic() - began)
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)
    return ages, rate


# ---- the limit


class Bare:
    """The same calls and commits in a straight line, for an account of its own that nobody else serves."""

    def __init__(self, sandbox: httpx2.AsyncClient, database: "asyncpg.Connection[Any]") -> None:
        self._sandbox = sandbox
        self._database = database
        self._token = ""
        self._chats: list[tuple[str, str]] = []
        """Customer and account: each has one of its own, for without a callback's token one may not pull often."""
        self._cursors: dict[str, str] = {}

    async def set_up(self, count: int) -> None:
        wish = {
            "corp_name": "bare",
            "apps": [{"name": "bare"}],
            "kf_accounts": [{"name": f"bare {n}"} for n in range(count)],
            "customers": [{"nickname": f"bare {n}"} for n in range(count)],
        }
        seeded = (await self._sandbox.post("/sandbox/setup", json=wish)).json()
        corp = seeded["corp"]
        accounts = [account["open_kfid"] for account in corp["kf_accounts"]]
        customers = [customer["external_userid"] for customer in seeded["customers"]]
        self._chats = list(zip(customers, accounts, strict=True))
        query = {"corpid": corp["corp_id"], "corpsecret": corp["apps"][0]["secret"]}
        self._token = (await self._sandbox.get("/cgi-bin/gettoken", params=query)).json()["access_token"]
        await self._database.execute("CREATE TABLE bare (id text PRIMARY KEY, body text NOT NULL, state text NOT NULL)")

    async def milliseconds(self) -> list[float]:
        """One message after the other."""
        taken = []
        for customer, open_kfid in self._chats:
            path = f"/sandbox/customers/{customer}/chats/{open_kfid}/messages"
            wish = {"msgtype": "text", "text": {"content": QUESTIONS[0]}}
            written = (await self._sandbox.post(path, json=wish)).json()
            began = monotonic()
            cursor = self._cursors.get(open_kfid, "")
            page = await self._call("kf/sync_msg", {"open_kfid": open_kfid, "cursor": cursor})
            self._cursors[open_kfid] = page["next_cursor"]
            await self._database.execute("INSERT INTO bare VALUES ($1, $2, 'received')", written["msgid"], str(page))
            answer = f"bare{written['msgid']}"[:32]
            await self._database.execute("INSERT INTO bare VALUES ($1, $2, 'queued')", answer, KNOWLEDGE[QUESTIONS[0]])
            await self._database.execute("UPDATE bare SET state = 'sending' WHERE id = $1", answer)
            text = {"content": KNOWLEDGE[QUESTIONS[0]]}
            message = {"touser": customer, "open_kfid": open_kfid, "msgtype": "text", "text": text}
            await self._call("kf/send_msg", message | {"msgid": answer})
            taken.append((monotonic() - began) * 1000)
        return taken

    async def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self._sandbox.post(f"/cgi-bin/{path}", params={"access_token": self._token}, json=body)
        told: dict[str, Any] = answer.json()
        if told["errcode"]:
            raise RuntimeError(f"{path}: {told}")
        return told


# ---- all of it


async def measure_small(server: Server, kept: Any, options: Options, report: Report) -> None:
    """One process for all; the limit in turns with it."""
    rounds, each = (2, 8) if options.quick else (4, 25)
    parts: dict[str, list[float]] = {}
    ours: list[float] = []
    bare: list[float] = []
    per_round: list[float] = []
    async with data.clone(kept, "overhead_small") as urls:
        customers = max(AT_ONCE, rounds * each)
        async with shop(server, urls, CACHE / "overhead" / "small", customers, apart=False) as (small, sandbox_url):
            async with httpx2.AsyncClient(base_url=sandbox_url, trust_env=False, timeout=30) as client:
                straight = Bare(client, small.database)
                await straight.set_up(each)
                await alone(small, small.merchant.customers[-3:], {})
                for number in range(rounds):
                    ours += await alone(small, small.merchant.customers[number * each : (number + 1) * each], parts)
                    found = await straight.milliseconds()
                    bare += found
                    per_round.append(percentile(found, 0.5))
                    middle = percentile(ours, 0.5)
                    say(f"alone, round {number + 1} of {rounds}: {middle:.0f} ms, bare {per_round[-1]:.0f} ms")
            await at_once(small, 1)  # connections are made, statements prepared
            crowd, from_word = await at_once(small, round(options.pick(2, 6)))
    report.value = percentile(ours, 0.5)
    report.figure("p50_ms", percentile(ours, 0.5))
    report.at_most("p95_ms", percentile(ours, 0.95), 40)
    report.figure("p50_ms_50", percentile(crowd, 0.5))
    report.at_most("p99_ms_50", percentile(crowd, 0.99), 300)
    report.figure("from_word_p99_ms_50", percentile(from_word, 0.99))
    report.ratio("limit", "the same calls and commits in a straight line", percentile(bare, 0.5) / report.value)
    report.figure("limit_p50_ms", percentile(bare, 0.5))
    for name, values in parts.items():
        report.figure(f"part_{name}_ms", percentile(values, 0.5))
    report.judge_noise(per_round)


async def measure_two(server: Server, kept: Any, options: Options, report: Report) -> None:
    """Server and worker apart, on the cores there are."""
    seconds = options.pick(25, 90)
    async with (
        data.clone(kept, "overhead_two") as urls,
        shop(server, urls, CACHE / "overhead" / "two", ACTIVE, apart=True) as (two, _),
    ):
        await alone(two, two.merchant.customers[-3:], {})  # connections are made, statements prepared
        found = await alone(two, two.merchant.customers[: round(options.pick(8, 40))], {})
        report.figure("p95_ms_two_processes", percentile(found, 0.95))
        ages, rate = await converse(two, seconds)
    report.at_most("oldest_s_500", percentile(ages, 0.99), 1.0)
    report.figure("messages_per_s_500", rate)
    report.duration(seconds)


async def main() -> None:
    options = read_options()
    report = Report("overhead", "ms", options)
    with postgres.durable_server("overhead") as server:
        kept = await data.template(server, "overhead")
        if options.data_only:
            return
        await measure_small(server, kept, options, report)
        await measure_two(server, kept, options, report)
    report.print()


if __name__ == "__main__":
    asyncio.run(main())
