"""Finding the entry that answers a question: how fast, how soon after an edit, how well.

subject  the product's search (`search_knowledge`, the entries, the rarity of their words), as the application's role
         and through row-level security, for a merchant with 10,000 entries in a database that holds 1,000,000
peer     a text search of PostgreSQL over the same words: `tsvector` with GIN, ranked by `ts_rank`, best eight
limit    one look-up by key through the same transaction: what any question to the database costs

Quality is measured on the folders below `--data-folder`, or `HUITOUKE_EVAL_DATA` (their format: docs/guide/en.md,
"Measure it"), beside BM25 over words and over bigrams. Without them speed alone is measured, and the line says so.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

import asyncpg
import uvloop

from benchmarks.support import data, knowledge, postgres
from benchmarks.support.options import read_options
from benchmarks.support.report import Report, interleaved, median_ratio, medians, percentile, say
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import Database, DatabaseUrls, configure, connection, transaction
from huitouke.modules.assistant.retrieval.evaluate import EvaluationReport, evaluate
from huitouke.modules.assistant.retrieval.index import search
from huitouke.modules.assistant.retrieval.text import words
from huitouke.modules.assistant.schemas import EntryChange, EntryDraft
from huitouke.modules.assistant.service import add_entries, change_entry

SETS: Final = ("faq-shop-small", "faq-health-long", "faq-travel", "refusal", "faq-multiturn")
MESSAGES: Final = 2
"""Messages before a question in the quality figures: what plain search gains most from."""

LARGE_TENANT, MIDDLE_TENANT, NEW_TENANT = knowledge.tenant_id(0), knowledge.tenant_id(1), knowledge.tenant_id(2)
WARM_UP: Final = 50
CPU_QUESTIONS: Final = 150
IMPORT_BATCH: Final = 500
"""Entries per transaction, as an import writes them."""

PEER_TABLE: Final = """
CREATE TABLE peer_entries (id uuid PRIMARY KEY, terms tsvector NOT NULL);
CREATE INDEX ON peer_entries USING gin (terms);
"""
PEER_QUERY: Final = (
    "SELECT id FROM peer_entries, to_tsquery('simple', $1) AS asked WHERE terms @@ asked"
    " ORDER BY ts_rank(terms, asked) DESC LIMIT 8"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the messages before it."""

    text: str
    before: Sequence[str]


class Searching:
    """The three that are measured, each by its p95 in milliseconds over the next questions."""

    def __init__(self, peer: asyncpg.Connection, questions: list[Asked], at_once: int) -> None:
        self._peer = peer
        self._questions = questions
        self._at_once = at_once
        self._next = 0
        self.elapsed_ms: list[float] = []

    async def subject(self) -> float:
        """The product's search for the merchant with 10,000 entries."""
        elapsed = await _search_all(job_context(MIDDLE_TENANT), self._take())
        self.elapsed_ms += elapsed
        return percentile(elapsed, 0.95)

    async def limit(self) -> float:
        """One entry read by its key."""
        key, elapsed = knowledge.entry(7).id, []
        for _ in self._take():
            async with transaction(job_context(MIDDLE_TENANT)) as ctx:
                raw = await connection(ctx)
                started = time.perf_counter()
                await raw.fetch(
                    "SELECT question FROM knowledge_entries WHERE tenant_id = $1 AND id = $2", MIDDLE_TENANT, key
                )
                elapsed.append((time.perf_counter() - started) * 1000)
        return percentile(elapsed, 0.95)

    async def peer(self) -> float:
        """Any of the words, ranked."""
        elapsed = []
        for asked in self._take():
            started = time.perf_counter()
            terms = " | ".join(dict.fromkeys(words(" ".join([*asked.before, asked.text]))))
            await self._peer.fetch(PEER_QUERY, terms)
            elapsed.append((time.perf_counter() - started) * 1000)
        return percentile(elapsed, 0.95)

    def _take(self) -> list[Asked]:
        taken = [self._questions[(self._next + at) % len(self._questions)] for at in range(self._at_once)]
        self._next += self._at_once
        return taken


async def measure() -> None:
    """Runs the benchmark."""
    options = read_options()
    report = Report("retrieval", "ms p95 over 10,000 entries", options)
    settings = {"shared_buffers": "1GB", "max_wal_size": "8GB"}
    with postgres.durable_server("retrieval", settings) as server:
        kept = await data.template(server, "retrieval", fill=knowledge.fill, made_by=Path(knowledge.__file__))
        if options.data_only:
            return
        async with data.clone(kept, "retrieval") as urls:
            await _measure_speed(report, urls, int(options.pick(60, 300)), int(options.pick(1_000, 5_000)))
    folder = _data_folder()
    if folder is None:
        report.figure("quality", "not measured: no HUITOUKE_EVAL_DATA")
    else:
        _measure_quality(report, folder)
    report.print()


async def _measure_speed(report: Report, urls: DatabaseUrls, at_once: int, imported: int) -> None:
    database = Database(urls)
    configure(database)
    peer = await asyncpg.connect(urls.owner)
    try:
        await _make_peer(peer)
        asked = [Asked(*each) for each in knowledge.questions(1, 4 * at_once, knowledge.MIDDLE)]
        await _search_all(job_context(MIDDLE_TENANT), asked[:WARM_UP])
        searching = Searching(peer, asked, at_once)
        parts = {"limit": searching.limit, "subject": searching.subject, "peer": searching.peer}
        measured = await interleaved(4, parts)
        large = [Asked(*each) for each in knowledge.questions(2, 3 * at_once, knowledge.LARGE)]
        elapsed = (await _search_all(job_context(LARGE_TENANT), large))[WARM_UP:]
        cpu = {name: await _cpu_ms(tenant, large) for name, tenant in (("", MIDDLE_TENANT), ("_100k", LARGE_TENANT))}
        edit_ms = await _answers_after_edit()
        per_second = await _import_rate(imported)
    finally:
        await peer.close()
        configure(None)
        await database.close()
    report.value = medians(measured)["subject"]
    report.judge_noise(measured["limit"])
    report.figure("limit", "one row by its key, the same transaction")
    report.figure("limit_p95_ms", medians(measured)["limit"])
    report.ratio("peer", "tsvector with GIN, ts_rank", median_ratio(measured, "peer", "subject"))
    report.figure("p50_ms", percentile(searching.elapsed_ms, 0.5))
    report.at_most("p95_ms", report.value, bar=5)
    report.figure("p50_ms_100k", percentile(elapsed, 0.5))
    report.at_most("p95_ms_100k", percentile(elapsed, 0.95), bar=15)
    for name, both in cpu.items():
        if both is not None:
            report.figure(f"server_cpu_ms{name}", both[0])
            report.figure(f"own_cpu_ms{name}", both[1])
    report.at_most("edit_answers_ms", edit_ms, bar=1_000)
    report.at_least("indexed_per_second", per_second, bar=1_000)


async def _search_all(context: Context, questions: Sequence[Asked]) -> list[float]:
    """Milliseconds of each search within an open transaction, as a reply does it."""
    elapsed = []
    for asked in questions:
        async with transaction(context) as ctx:
            await connection(ctx)
            started = time.perf_counter()
            await search(ctx, asked.text, asked.before)
            elapsed.append((time.perf_counter() - started) * 1000)
    return elapsed


async def _cpu_ms(tenant: UUID, questions: Sequence[Asked]) -> tuple[float, float] | None:
    """Median work of PostgreSQL and of this process per question, which other load changes least. Linux alone."""
    theirs, ours = [], []
    for asked in questions[:CPU_QUESTIONS]:
        async with transaction(job_context(tenant)) as ctx:
            raw = await connection(ctx)
            backend = int(await raw.fetchval("SELECT pg_backend_pid()"))
            begun, started = _running_ms(backend), time.process_time()
            if begun is None:
                return None
            await search(ctx, asked.text, asked.before)
            ours.append((time.process_time() - started) * 1000)
            theirs.append((_running_ms(backend) or begun) - begun)
    return median(theirs), median(ours)


def _running_ms(process: int) -> float | None:
    """Milliseconds for which that process has had a core; None where the system doesn't tell."""
    account = Path(f"/proc/{process}/schedstat")
    return int(account.read_text().split()[0]) / 1_000_000 if account.exists() else None


async def _answers_after_edit() -> float:
    """Milliseconds from saving an entry to the first search that finds it by its new words, both committed."""
    entry_id = knowledge.entry(40).id
    context = job_context(MIDDLE_TENANT)
    started = time.perf_counter()
    async with transaction(context) as ctx:
        await change_entry(ctx, entry_id, EntryChange(question="鹦鹉可以寄养吗"))
    async with transaction(context) as ctx:
        found = await search(ctx, "鹦鹉能寄养么")
    assert found.candidates[0].entry_id == entry_id, "the edited entry is the best one"
    return (time.perf_counter() - started) * 1000


async def _import_rate(count: int) -> float:
    """Entries a second through `add_entries`, index and all, in transactions of an import's size."""
    drafts = [
        EntryDraft(question=made.question, variants=list(made.variants), answer=made.answer)
        for made in (knowledge.entry(knowledge.LARGE + number) for number in range(count))
    ]
    started = time.perf_counter()
    for start in range(0, count, IMPORT_BATCH):
        async with transaction(job_context(NEW_TENANT)) as ctx:
            await add_entries(ctx, drafts[start : start + IMPORT_BATCH], source="import")
    return count / (time.perf_counter() - started)


async def _make_peer(peer: asyncpg.Connection) -> None:
    await peer.execute(PEER_TABLE)
    rows = []
    for number in range(knowledge.MIDDLE):
        made = knowledge.entry(number)
        rows.append((made.id, " ".join(words(" \n ".join([made.question, *made.variants])))))
    await peer.executemany("INSERT INTO peer_entries VALUES ($1, to_tsvector('simple', $2))", rows)
    await peer.execute("VACUUM ANALYZE peer_entries")


def _data_folder() -> Path | None:
    arguments = sys.argv[1:]
    if "--data-folder" in arguments[:-1]:
        return Path(arguments[arguments.index("--data-folder") + 1])
    chosen = os.environ.get("HUITOUKE_EVAL_DATA")
    if chosen:
        return Path(chosen)
    say("no folder with questions: set HUITOUKE_EVAL_DATA, or --data-folder, to measure quality too")
    return None


def _measure_quality(report: Report, folder: Path) -> None:
    for name in SETS:
        if not (folder / name / "queries.jsonl").exists():
            report.figure(f"recall_at_1_{name}", "not there")
            continue
        found = evaluate(folder / name, messages=MESSAGES)
        plain = max(found.ways[way].recall_at_1 or 0.0 for way in ("words", "bigrams"))
        report.at_least(f"recall_at_1_{name}", found.ways["huitouke"].recall_at_1 or 0.0, bar=plain)
        for way, figures in found.ways.items():
            say(f"{name}, {way}: recall@1 {figures.recall_at_1:.3f}, 95 % right {figures.right_at_95:.3f}")
        if name in ("refusal", "faq-shop-small"):
            _refusing(report, name, found)


def _refusing(report: Report, name: str, found: EvaluationReport) -> None:
    figures = found.ways["huitouke"]
    report.figure(f"right_at_95_{name}", figures.right_at_95)
    report.figure(f"right_at_95_plain_{name}", max(found.ways[way].right_at_95 for way in ("words", "bigrams")))
    report.figure(f"held_out_answered_{name}", figures.held_out_answered)
    report.figure(f"held_out_right_{name}", figures.held_out_right)
    report.figure(f"answered_{name}", found.answered)
    report.figure(f"right_of_answered_{name}", found.right_of_answered)


if __name__ == "__main__":
    uvloop.run(measure())
