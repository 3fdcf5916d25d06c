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
from huitouke.modules.assistant.retrieval.terms import postings, query_terms
from huitouke.modules.assistant.sql import statement

ENTRIES_AT_ONCE: Final = 500
"""Entries per statement: about 50,000 postings, some 10 MB of arrays."""

CANDIDATES: Final = 30
"""Entries whose exact score is computed."""

FOUND: Final = 8
"""Entries that are read and checked."""

_SEARCH: Final = "SELECT * FROM find_answers($1, $2, $3, $4, $5)"
_COUNTS: Final = "SELECT term, entries FROM knowledge_counts($1)"


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
        rows, told = _cut(batch) if len(batch) <= 10 else await asyncio.to_thread(_cut, batch)
        if rows:
            ids, terms, frequencies, lengths = zip(*rows, strict=True)
            await raw.execute(
                statement("add_postings"), ctx.tenant_id, list(ids), list(terms), list(frequencies), list(lengths)
            )
        await raw.execute(statement("add_told"), ctx.tenant_id, [entry.entry_id for entry in batch], told)


async def search(ctx: Context, question: str, context: Sequence[str] = ()) -> Found:
    """The entries nearest to a question. `context` is the messages before it, oldest first."""
    weights = query_terms(question, context)
    asked = list(terms_to_weigh([question]))
    raw = await connection(ctx)
    rows = await raw.fetch(_SEARCH, list(weights), list(weights.values()), CANDIDATES, FOUND, asked)
    found = [row for row in rows if row["entry_id"] is not None]
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
        for row in sorted(found, key=lambda row: (-row["score"], row["entry_id"]))
    ]
    counts = {term: count for row in rows for term, count in zip(row["told"] or (), row["counts"] or (), strict=True)}
    if any(row["told"] is None for row in found):
        counts |= await _counts(ctx, candidates)
    return Found(candidates, Rarity(counts.get("*", 0), lambda term: counts.get(term, 0)))


async def _counts(ctx: Context, candidates: Sequence[Candidate]) -> dict[str, int]:
    """For entries that a release before put into the index: what the check weighs of them, counted apart."""
    raw = await connection(ctx)
    terms = terms_to_weigh([wording for candidate in candidates for wording in candidate.wordings])
    return {row["term"]: row["entries"] for row in await raw.fetch(_COUNTS, list(terms))}


def _cut(batch: Sequence[Indexed]) -> tuple[list[tuple[UUID, str, int, int]], list[str]]:
    """The postings of entries, and for each the terms that the check weighs, one in each line."""
    rows = [
        (entry.entry_id, posting.term, posting.frequency, posting.length)
        for entry in batch
        for posting in postings(entry.question, entry.variants, entry.answer)
    ]
    return rows, ["\n".join(sorted(terms_to_weigh([entry.question, *entry.variants]))) for entry in batch]


def _texts(value: object) -> list[str]:
    """A jsonb list, as the driver gives it: text, or parsed where a codec is set."""
    parsed = json.loads(value) if isinstance(value, str) else value
    return [str(item) for item in parsed] if isinstance(parsed, list) else []
