"""BM25 as it is defined, slowly: the reference that the SQL function is held against, and the engine of `evaluate`.

Score of an entry = sum over the question's terms of weight · idf · f·(k1+1) / (f + k1·(1 − b + b·length/average)),
idf = ln(1 + (n − df + 0.5) / (df + 0.5)); lengths and averages are those of the term's kind.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, Generic, TypeVar

from huitouke.modules.assistant.retrieval.terms import Posting

K1: Final = 1.2
B: Final = 0.75

Id = TypeVar("Id")


def idf(entries: int, document_frequency: int) -> float:
    """How much a term tells that stands in so many of the entries."""
    return math.log(1 + (entries - document_frequency + 0.5) / (document_frequency + 0.5))


class Index(Generic[Id]):
    """An index in memory."""

    def __init__(self, entries: Mapping[Id, Sequence[Posting]]) -> None:
        self.entries = len(entries)
        self._postings: dict[str, list[tuple[Id, int, int]]] = defaultdict(list)
        totals: dict[str, int] = defaultdict(int)
        for entry_id, listed in entries.items():
            for kind, length in {posting.term[0]: posting.length for posting in listed}.items():
                totals[kind] += length
            for posting in listed:
                self._postings[posting.term].append((entry_id, posting.frequency, posting.length))
        self._averages = {kind: total / max(self.entries, 1) for kind, total in totals.items()}

    def count(self, term: str) -> int:
        """How many entries have that term."""
        return len(self._postings.get(term, ()))

    def scores(self, weights: Mapping[str, float]) -> dict[Id, float]:
        """Entries that share a term with the question, with their scores."""
        found: dict[Id, float] = defaultdict(float)
        for term, weight in weights.items():
            if term not in self._postings:
                continue
            rarity = idf(self.entries, self.count(term))
            average = self._averages[term[0]] or 1.0
            for entry_id, frequency, length in self._postings[term]:
                norm = K1 * (1 - B + B * length / average)
                found[entry_id] += weight * rarity * frequency * (K1 + 1) / (frequency + norm)
        return found
