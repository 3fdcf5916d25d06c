"""Measures retrieval and the check on a folder of `knowledge.jsonl` and `queries.jsonl`, beside plain word search.

Knowledge lines have id, question, variants, answer; query lines have id, text, expected (ids; empty: not in the
knowledge), and perhaps history (messages before the question, oldest first). Further fields are ignored. Uses the slow
reference index, which ranks as the SQL function does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from huitouke.modules.assistant.reply.wishes import handover_reason, small_talk
from huitouke.modules.assistant.retrieval.check import CERTAIN, Candidate, Question, Rarity, check_all
from huitouke.modules.assistant.retrieval.index import FOUND
from huitouke.modules.assistant.retrieval.plain import CUTTERS, PlainSearch
from huitouke.modules.assistant.retrieval.ranking import Index
from huitouke.modules.assistant.retrieval.terms import CONTEXT_MESSAGES, postings, query_terms

RANKED: Final = 10
RIGHT_SHARE: Final = 0.95
REPORT_EVERY: Final = 50

Line = TypeVar("Line", bound=BaseModel)

Progress = Callable[[int, int], None]
"""Gets the number of queries that are done, and of all."""


class UnreadableFolderError(ValueError):
    """The folder lacks a file, or a line is not of the format; the message says which."""


class _Said(BaseModel):
    text: str


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    question: Annotated[str, Field(min_length=1)]
    variants: list[str] = []
    answer: str = ""


class _Query(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    text: str
    expected: list[str]
    history: list[_Said] = []


class Figures(BaseModel):
    """What one way of searching reaches. Shares between 0 and 1; None where there is nothing to share by.

    recall@k is over the queries whose answer is there: the share of their expected entries among the first k.
    """

    recall_at_1: float | None
    recall_at_5: float | None
    mrr_at_10: float | None
    right_at_95: float
    """Queries answered, of all, by the lowest threshold on the certainty that keeps 95 % of the answers right."""
    held_out_answered: float
    """Queries answered where each half is judged by the threshold that was found on the other half, …"""
    held_out_right: float | None
    """… and the share of these answers that are right."""


class EvaluationReport(BaseModel):
    """The product beside plain search. Ways: `huitouke`, `words`, `bigrams`."""

    folder: str
    entries: int
    queries: int
    with_answer: int
    ways: dict[str, Figures]
    answered: float
    """Queries that the product answers at its own threshold, of all."""
    right_of_answered: float | None
    refused_rightly: float | None
    """Of the queries without an answer in the knowledge, those that the product doesn't answer from it."""


@dataclass(frozen=True, slots=True)
class _Result:
    query_id: str
    expected: frozenset[str]
    ranked: Sequence[str]
    certainty: float

    @property
    def is_right(self) -> bool:
        return bool(self.ranked) and self.ranked[0] in self.expected


def evaluate(
    folder: Path, *, messages: int = CONTEXT_MESSAGES, progress: Progress = lambda done, of: None
) -> EvaluationReport:
    """Measures one folder. `messages` is how many of the messages before a question count at most.

    Raises:
        UnreadableFolderError: the folder lacks a file, or a line is not of the format.
    """
    knowledge = {entry.id: entry for entry in _lines(folder / "knowledge.jsonl", _Entry)}
    queries = _lines(folder / "queries.jsonl", _Query)
    product = _Product(knowledge)
    wordings = {entry.id: [entry.question, *entry.variants] for entry in knowledge.values()}
    plain = {name: PlainSearch(cut, wordings) for name, cut in CUTTERS.items()}
    results: dict[str, list[_Result]] = {name: [] for name in ("huitouke", *plain)}
    for done, query in enumerate(queries):
        if done % REPORT_EVERY == 0:
            progress(done, len(queries))
        context = [said.text for said in query.history[max(0, len(query.history) - messages) :]]
        results["huitouke"].append(product.ask(query, context))
        for name, search in plain.items():
            best = _best(search.scores(query.text, context))
            certainty = best[0][1] if best else 0.0
            results[name].append(_result(query, [entry_id for entry_id, _ in best], certainty))
    progress(len(queries), len(queries))
    return _report(folder.name, len(knowledge), results)


class _Product:
    """The product's own way: its terms, its weights, its check, and what it does not look up at all."""

    def __init__(self, knowledge: dict[str, _Entry]) -> None:
        self._knowledge = knowledge
        self._index = Index(
            {entry.id: postings(entry.question, entry.variants, entry.answer) for entry in knowledge.values()}
        )

    def ask(self, query: _Query, context: Sequence[str]) -> _Result:
        best = _best(self._index.scores(query_terms(query.text, context)))
        candidates = [
            Candidate(entry_id, entry.question, entry.variants, entry.answer, score)
            for entry_id, score in best[:FOUND]
            for entry in (self._knowledge[entry_id],)
        ]
        looked_up = handover_reason(query.text, ()) is None and small_talk(query.text) is None
        rarity = Rarity(self._index.entries, self._index.count)
        checked = check_all(Question(query.text, context, rarity), candidates)
        certainty = checked[0].confidence if checked and looked_up else 0.0
        return _result(query, [entry_id for entry_id, _ in best], certainty)


def _best(scores: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:RANKED]


def _result(query: _Query, ranked: Sequence[str], certainty: float) -> _Result:
    return _Result(query.id, frozenset(query.expected), ranked, certainty)


def _report(name: str, entries: int, results: dict[str, list[_Result]]) -> EvaluationReport:
    ours = results["huitouke"]
    answered = [result for result in ours if result.certainty >= CERTAIN]
    missing = [result for result in ours if not result.expected]
    return EvaluationReport(
        folder=name,
        entries=entries,
        queries=len(ours),
        with_answer=len(ours) - len(missing),
        ways={way: _figures(listed) for way, listed in results.items()},
        answered=len(answered) / max(len(ours), 1),
        right_of_answered=_mean([float(result.is_right) for result in answered]),
        refused_rightly=_mean([float(result.certainty < CERTAIN) for result in missing]),
    )


def _figures(results: Sequence[_Result]) -> Figures:
    known = [result for result in results if result.expected]
    count, _ = _answerable(results)
    held_out, right = _held_out(results)
    return Figures(
        recall_at_1=_mean([_recall(result, 1) for result in known]),
        recall_at_5=_mean([_recall(result, 5) for result in known]),
        mrr_at_10=_mean([_reciprocal(result) for result in known]),
        right_at_95=count / max(len(results), 1),
        held_out_answered=held_out / max(len(results), 1),
        held_out_right=right / held_out if held_out else None,
    )


def _recall(result: _Result, k: int) -> float:
    return len(result.expected.intersection(result.ranked[:k])) / min(k, len(result.expected))


def _reciprocal(result: _Result) -> float:
    places = [place for place, entry_id in enumerate(result.ranked, 1) if entry_id in result.expected]
    return 1 / places[0] if places else 0.0


def _answerable(results: Sequence[_Result]) -> tuple[int, float]:
    """How many can be answered with 95 % right, and the threshold for it; (0, infinite) where none does it."""
    ordered = sorted(results, key=lambda result: -result.certainty)
    best, threshold, right = 0, float("inf"), 0
    for count, result in enumerate(ordered, 1):
        right += result.is_right
        ends = count == len(ordered) or ordered[count].certainty < result.certainty
        if ends and right / count >= RIGHT_SHARE:
            best, threshold = count, result.certainty
    return best, threshold


def _held_out(results: Sequence[_Result]) -> tuple[int, int]:
    """Answered and right, each half by the other half's threshold. Halves are made by a hash of the query's id."""
    halves: tuple[list[_Result], list[_Result]] = ([], [])
    for result in results:
        halves[hashlib.sha256(result.query_id.encode()).digest()[0] % 2].append(result)
    answered = [
        result
        for own, other in (halves, halves[::-1])
        for threshold in (_answerable(other)[1],)
        for result in own
        if result.certainty >= threshold
    ]
    return len(answered), sum(result.is_right for result in answered)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _lines(path: Path, kind: type[Line]) -> list[Line]:
    reader = TypeAdapter(kind)
    try:
        with path.open(encoding="utf-8") as file:
            return [_line(reader, text, number, path) for number, text in enumerate(file, 1) if text.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFolderError(f"{path} can't be read: {error}") from error


def _line(reader: TypeAdapter[Line], text: str, number: int, path: Path) -> Line:
    try:
        return reader.validate_json(text)
    except ValidationError as error:
        found = error.errors()[0]
        where = ".".join(str(part) for part in found["loc"])
        sentence = f"{path.name}, line {number}: {where} {found['msg']}"
        raise UnreadableFolderError(sentence) from error
