"""Measures retrieval and the check on a folder of `knowledge.jsonl` and `queries.jsonl`.

Knowledge lines have id, question, variants, answer; query lines have text, expected (ids; empty: not in the knowledge),
and perhaps kind and history. Uses the slow reference index, which ranks as the SQL function does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from huitouke.modules.assistant.retrieval.check import CERTAIN, Candidate, Question, check_all
from huitouke.modules.assistant.retrieval.ranking import Index
from huitouke.modules.assistant.retrieval.terms import postings, query_terms

CANDIDATES: Final = 10
RIGHT_SHARE: Final = 0.95


class EvaluationReport(BaseModel):
    """Shares between 0 and 1. recall@k and MRR over queries that have an answer; the rest over all queries."""

    folder: str
    entries: int
    queries: int
    with_answer: int
    recall_at_1: float | None
    recall_at_3: float | None
    mrr_at_10: float | None
    answered: float
    """Queries answered at the product's own threshold."""
    right_of_answered: float | None
    right_at_95: float
    """The largest share that could be answered by a threshold on the confidence with 95 % of the answers right."""


@dataclass(frozen=True)
class _Result:
    expected: frozenset[str]
    ranked: Sequence[str]
    confidence: float


def evaluate(folder: Path) -> EvaluationReport:
    """Measures one folder.

    Raises:
        FileNotFoundError, ValueError: the folder lacks a file, or a line is no JSON object of that format.
    """
    knowledge = {row["id"]: row for row in _lines(folder / "knowledge.jsonl")}
    index = Index(
        {
            entry_id: postings(row["question"], row.get("variants", []), row.get("answer", ""))
            for entry_id, row in knowledge.items()
        }
    )
    results = [_ask(index, knowledge, query) for query in _lines(folder / "queries.jsonl")]
    return _report(folder.name, len(knowledge), results)


def _ask(index: Index[str], knowledge: dict[str, dict[str, Any]], query: dict[str, Any]) -> _Result:
    context = [message["text"] for message in query.get("history", [])]
    scores = index.scores(query_terms(query["text"], context))
    best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:CANDIDATES]
    candidates = [
        Candidate(entry_id, row["question"], row.get("variants", []), row.get("answer", ""), score)
        for entry_id, score in best
        for row in (knowledge[entry_id],)
    ]
    checked = check_all(Question(query["text"], context, index.rarity), candidates[:2])
    return _Result(
        frozenset(query["expected"]),
        [entry_id for entry_id, _ in best],
        checked[0].confidence if checked else 0.0,
    )


def _report(name: str, entries: int, results: Sequence[_Result]) -> EvaluationReport:
    known = [result for result in results if result.expected]
    answered = [result for result in results if result.confidence >= CERTAIN]
    right = sum(_right(result) for result in answered)
    return EvaluationReport(
        folder=name,
        entries=entries,
        queries=len(results),
        with_answer=len(known),
        recall_at_1=_mean([_recall(result, 1) for result in known]),
        recall_at_3=_mean([_recall(result, 3) for result in known]),
        mrr_at_10=_mean([_reciprocal(result) for result in known]),
        answered=len(answered) / max(len(results), 1),
        right_of_answered=right / len(answered) if answered else None,
        right_at_95=_answerable_at(results, RIGHT_SHARE),
    )


def _right(result: _Result) -> bool:
    return bool(result.ranked) and result.ranked[0] in result.expected


def _recall(result: _Result, k: int) -> float:
    return len(result.expected.intersection(result.ranked[:k])) / min(k, len(result.expected))


def _reciprocal(result: _Result) -> float:
    places = [place for place, entry_id in enumerate(result.ranked, 1) if entry_id in result.expected]
    return 1 / places[0] if places else 0.0


def _answerable_at(results: Sequence[_Result], share: float) -> float:
    ordered = sorted(results, key=lambda result: -result.confidence)
    best = right = 0
    for count, result in enumerate(ordered, 1):
        right += _right(result)
        ends = count == len(ordered) or ordered[count].confidence < result.confidence
        if ends and right / count >= share:
            best = count
    return best / max(len(results), 1)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _lines(path: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path.name}: every line must be one JSON object")
    return rows
