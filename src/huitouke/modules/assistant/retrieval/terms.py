"""Terms of the index: what an entry is filed under, and what a question looks for.

A term is a kind letter and a word: `w` words, `b` pairs of characters and `c` concepts of an entry's wordings (the
question and its variants joined in one text), `a` words and `d` concepts of its answer. Answers have kinds of their
own and small weights: joined with the wordings they make finding worse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from huitouke.modules.assistant.retrieval.concepts import lexicon
from huitouke.modules.assistant.retrieval.questions import parts_of, wishes
from huitouke.modules.assistant.retrieval.text import bigrams, words

KIND_WEIGHTS: Final = {"w": 1.0, "b": 1.0, "c": 4.0, "a": 0.4, "d": 0.5}
"""What a term of each kind counts. Concepts weigh most: they say what is asked for, and a question has few."""

MENTIONED_WEIGHT: Final = 0.3
"""What a concept counts that the question only mentions: whose address, near what."""

TOLD_WEIGHT: Final = 0.7
"""What a word counts that stands only in clauses which tell, in a message of which another clause asks."""

CONTEXT_WEIGHT: Final = 0.4
CONTEXT_DECAY: Final = 0.9
CONTEXT_MESSAGES: Final = 10
"""Messages before the question lend their words (what 「它」 stands for), not their concepts (what was asked then)."""

MAX_QUERY_TERMS: Final = 400
MAX_ANSWER_TERMS: Final = 400
"""Terms of one question and its context, and of one answer: the heaviest, or the first, are kept."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One term of an entry: how often it occurs, in a field of how many terms."""

    term: str
    frequency: int
    length: int


def postings(question: str, variants: Sequence[str], answer: str) -> list[Posting]:
    """The postings of one entry."""
    wordings = " \n ".join([question, *variants])
    found: list[Posting] = []
    for kind, tokens in (
        ("w", words(wordings)),
        ("b", bigrams(wordings)),
        ("c", lexicon().concepts(wordings)),
        ("a", words(answer)[:MAX_ANSWER_TERMS]),
        ("d", lexicon().concepts(answer)[:MAX_ANSWER_TERMS]),
    ):
        length = len(tokens)
        found.extend(Posting(kind + token, count, length) for token, count in Counter(tokens).items())
    return found


def query_terms(question: str, context: Sequence[str] = ()) -> dict[str, float]:
    """Terms of a question with their weights. `context` is the messages before it, oldest first.

    A term that occurs in several texts counts once, with the largest weight.
    """
    weights: dict[str, float] = {}
    for part in parts_of(question):
        _add_words(weights, part.text, 1.0 if part.asks else TOLD_WEIGHT)
    _add_concepts(weights, question)
    for age, text in enumerate(reversed(context[-CONTEXT_MESSAGES:])):
        _add_words(weights, text, CONTEXT_WEIGHT * CONTEXT_DECAY**age)
    if len(weights) <= MAX_QUERY_TERMS:
        return weights
    heaviest = sorted(weights.items(), key=lambda item: -item[1])[:MAX_QUERY_TERMS]
    return dict(heaviest)


def _add_words(weights: dict[str, float], text: str, weight: float) -> None:
    cut = words(text)
    for kind, tokens in (("w", cut), ("b", bigrams(text)), ("a", cut)):
        for token in tokens:
            _raise(weights, kind, token, weight)


def _add_concepts(weights: dict[str, float], text: str) -> None:
    for wish in wishes(text):
        for kind in "cd":
            for concept in wish.asked:
                _raise(weights, kind, concept, 1.0)
            for concept in wish.mentioned:
                _raise(weights, kind, concept, MENTIONED_WEIGHT)


def _raise(weights: dict[str, float], kind: str, token: str, weight: float) -> None:
    term = kind + token
    weights[term] = max(weights.get(term, 0.0), weight * KIND_WEIGHTS[kind])
