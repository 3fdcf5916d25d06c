"""The index in PostgreSQL: kept in the transaction that changes the entry, asked by `search_knowledge`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.modules.assistant.retrieval.check import Candidate, Rarity, terms_to_weigh
from huitouke.modules.assistant.retrieval.terms import Posting, postings, query_terms
from huitouke.modules.assistant.sql import statement

ENTRIES_AT_ONCE: Final = 500
"""Entries per statement: about 50,000 postings, some 10 MB of arrays."""

CANDIDATES: Final = 30
"""Entries whose exact score is computed."""

FOUND: Final = 8
"""Entries that are read and checked."""

_SEARCH: Final = """
SELECT found.*, entry.question, entry.variants, entry.answer
  FROM (SELECT * FROM search_knowledge($2, $3, $4) LIMIT $5) AS found
 CROSS JOIN LATERAL (
       SELECT question, variants, answer
         FROM knowledge_entries
        WHERE tenant_id = $1 AND id = found.entry_id AND deleted_at IS NULL AND state = 'on' OFFSET 0) AS entry
 ORDER BY found.score DESC, found.entry_id
"""
"""`OFFSET 0`: the planner takes the function for a thousand rows, and would read all entries for them."""

_COUNTS: Final = (
    "SELECT term, entries FROM knowledge_terms WHERE tenant_id = $1 AND term = ANY($2)"
    " UNION ALL SELECT kind, amount FROM knowledge_statistics WHERE tenant_id = $1 AND kind = '*'"
)


@dataclass(frozen=True, slots=True)
class Indexed:
    """What of an entry goes into the index."""

    entry_id: UUID
    question: str
    variants: Sequence[str]
    answer: str


@dataclass(frozen=True)
class Found:
    """The best entries for a question, best first, and how much terms tell in this merchant's knowledge."""

    candidates: Sequence[Candidate]
    rarity: Rarity


async def reindex(ctx: Context, removed: Iterable[UUID], added: Sequence[Indexed]) -> None:
    """Takes entries out of the index and puts entries in, in the open transaction; an entry may be in both.

    Cost: about 100 postings an entry, 75,000 a second. One writer per tenant at a time.
    """
    raw = await connection(ctx)
    await raw.execute(statement("lock_index"), ctx.tenant_id)
    gone = list(removed)
    if gone:
        await raw.execute(statement("remove_postings"), ctx.tenant_id, gone)
    for start in range(0, len(added), ENTRIES_AT_ONCE):
        batch = added[start : start + ENTRIES_AT_ONCE]
        # Cutting words is CPU work: a millisecond for ten entries, so a thread takes over for more.
        rows = _rows(batch) if len(batch) <= 10 else await asyncio.to_thread(_rows, batch)
        if rows:
            ids, terms, frequencies, lengths = zip(*rows, strict=True)
            await raw.execute(
                statement("add_postings"), ctx.tenant_id, list(ids), list(terms), list(frequencies), list(lengths)
            )


async def search(ctx: Context, question: str, context: Sequence[str] = ()) -> Found:
    """The entries nearest to a question. `context` is the messages before it, oldest first."""
    weights = query_terms(question, context)
    raw = await connection(ctx)
    rows = await raw.fetch(_SEARCH, ctx.tenant_id, list(weights), list(weights.values()), CANDIDATES, FOUND)
    candidates = [
        Candidate(
            entry_id=row["entry_id"],
            question=row["question"],
            variants=_texts(row["variants"]),
            answer=row["answer"],
            score=row["score"],
            words=row["words"],
            bigrams=row["bigrams"],
            concepts=row["concepts"],
            answers=row["answers"],
        )
        for row in rows
    ]
    return Found(candidates, await _rarity(ctx, question, candidates))


async def _rarity(ctx: Context, question: str, candidates: Sequence[Candidate]) -> Rarity:
    raw = await connection(ctx)
    terms = list(terms_to_weigh(question, candidates))
    counts = {row["term"]: int(row["entries"]) for row in await raw.fetch(_COUNTS, ctx.tenant_id, terms)}
    return Rarity(counts.get("*", 0), lambda term: counts.get(term, 0))


def _rows(batch: Sequence[Indexed]) -> list[tuple[UUID, str, int, int]]:
    return [
        (entry.entry_id, posting.term, posting.frequency, posting.length)
        for entry in batch
        for posting in _postings(entry)
    ]


def _postings(entry: Indexed) -> list[Posting]:
    return postings(entry.question, entry.variants, entry.answer)


def _texts(value: object) -> list[str]:
    """A jsonb list, as the driver gives it: text, or parsed where a codec is set."""
    parsed = json.loads(value) if isinstance(value, str) else value
    return [str(item) for item in parsed] if isinstance(parsed, list) else []
