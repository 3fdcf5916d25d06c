"""Does this entry answer this very question? Asked apart from the search score, which says only that it is the nearest.

A confidence between 0 and 1 is the product of plain reasons, each kept for the trace:

- `asked_for`: the property that the question asks for (price, size, …) is one that the entry speaks of;
- `same_thing`: what the entry is about (its rare words) stands in the question or in the messages before it;
- `nothing_else`: the entry does not ask for something else;
- `covered`: the question's own words, rare ones first, stand in the entry;
- `numbers`, `negation`: no other figures, and not the opposite;
- `margin`: the next entry is clearly worse.

"Rare" is meant within the merchant's own knowledge. A reason that does not apply (no property named, no rare word) has
a fixed value a little below 1: there is nothing against the entry, but nothing for it either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final
from uuid import UUID

from huitouke.modules.assistant.retrieval.concepts import lexicon
from huitouke.modules.assistant.retrieval.questions import CUT_TEXTS, Wish, content_words, parts_of, wishes
from huitouke.modules.assistant.retrieval.ranking import idf
from huitouke.modules.assistant.retrieval.text import bigrams, fold

CERTAIN: Final = 0.2
"""From here on an entry's own answer is given. How it was found: docs/decisions/retrieval.md."""

POSSIBLE: Final = 0.05
"""From here on an entry may be evidence for a model, which reads it and decides."""

NOTHING_ASKED: Final = 0.6
NO_RARE_WORD: Final = 0.9
ANSWER_SHARE: Final = 0.5
"""What a word of the question counts that stands only in the answer."""
CONTEXT_SHARE: Final = 0.8
"""What a rare word of the entry counts that stands only in the messages before the question."""
TOLD_SHARE: Final = 0.3
"""What a word of the question counts that stands only in parts which tell and don't ask."""
COVERED_FLOOR: Final = 0.3
GENERAL: Final = 0.8
RARE_SHARE: Final = 0.5
RAREST: Final = 0.75
"""Words count as an entry's rarest from this share of the rarity of the very rarest on."""
HALF: Final = 0.5
SECOND_SHARE: Final = 0.5
"""How certain, of `CERTAIN`, the entry for a second wish must be."""
MARGIN_FLOOR: Final = 0.2
CLEAR_MARGIN: Final = 0.25
OTHER_NUMBER: Final = 0.5
OTHER_NEGATION: Final = 0.85

_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_NEGATION: Final = re.compile(r"不|没|无|别|未|not|n't|never")
_POLITE_NEGATION: Final = re.compile(
    r"(.)[不没]\1|能不能|可不可以|有没有|是不是|要不要|不好意思|不错|没事|没问题|不用谢"
)


@dataclass(frozen=True)
class Rarity:
    """How much a term (with its kind letter) tells within this merchant's knowledge, of so many `entries`."""

    entries: int
    count: Callable[[str], int]

    def __call__(self, term: str) -> float:
        """The term's inverse document frequency."""
        return idf(self.entries, self.count(term))


@dataclass(frozen=True)
class Candidate:
    """An entry found for a question. Scores are BM25 sums."""

    entry_id: UUID | str
    question: str
    variants: Sequence[str]
    answer: str
    score: float
    words: float = 0.0
    bigrams: float = 0.0
    concepts: float = 0.0
    answers: float = 0.0

    @cached_property
    def wordings(self) -> list[str]:
        """The question and its variants."""
        return [self.question, *self.variants]

    @cached_property
    def text(self) -> str:
        """All wordings, folded."""
        return fold(" \n ".join(self.wordings))

    @cached_property
    def asked(self) -> frozenset[str]:
        """Properties that the wordings speak of."""
        return frozenset(lexicon().concepts(self.text)) & lexicon().properties


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for or against, 0 to 1; `applies` is false where the question gives no ground for it."""

    name: str
    value: float
    applies: bool = True


@dataclass(frozen=True)
class Checked:
    """A candidate with what speaks for it."""

    candidate: Candidate
    confidence: float
    reasons: Sequence[Reason]


class Question:
    """A question with the messages before it, cut once and held against several entries."""

    def __init__(self, text: str, context: Sequence[str], rarity: Rarity) -> None:
        parts = parts_of(text)
        self.text = fold(text)
        self.context = fold(" \n ".join(context))
        self.rarity = rarity
        self.content = {
            word: 1.0 if part.asks else TOLD_SHARE
            for part in sorted(parts, key=lambda part: part.asks)
            for word in content_words(part.text)
            if not word.isdigit()
        }
        self.wishes: list[Wish] = wishes(text)
        self.concepts = frozenset(lexicon().concepts(text))

    def asked(self) -> list[frozenset[str]]:
        """The properties asked for, clause by clause."""
        properties = lexicon().properties
        return [wish.asked & properties for wish in self.wishes if wish.asked & properties]

    def answers(self, candidate: Candidate, asked: frozenset[str]) -> bool:
        """Whether the entry speaks of most of what one clause asks for."""
        return self._share({"c" + name for name in asked}, {"c" + name for name in candidate.asked}) > HALF

    def check(self, candidate: Candidate, margin: float) -> Checked:
        """Holds one entry against the question. `margin` is how far it stands before the next, 0 to 1."""
        reasons = [
            self._asked_for(candidate),
            *self._about(candidate, self._general(candidate)),
            self._covered(candidate),
            self._numbers(candidate),
            self._negation(candidate),
            Reason("margin", MARGIN_FLOOR + (1 - MARGIN_FLOOR) * min(1.0, margin / CLEAR_MARGIN)),
        ]
        confidence = 1.0
        for reason in reasons:
            confidence *= reason.value
        return Checked(candidate, confidence, reasons)

    def _asked_for(self, candidate: Candidate) -> Reason:
        shares = [
            self._share({"c" + name for name in asked}, {"c" + name for name in candidate.asked})
            for asked in self.asked()
        ]
        if not shares:
            return Reason("asked_for", NOTHING_ASKED, applies=False)
        return Reason("asked_for", max(shares))

    def _general(self, candidate: Candidate) -> float:
        """How far the entry need not name the thing: it alone, or with few others, speaks of what is asked for.

        Where every thing has an entry on its price, an entry on the price of another thing is wrong; where the shop has
        one entry on prices, that is the one.
        """
        asked = [wish for wish in self.asked() if wish <= candidate.asked]
        counts = [min(self.rarity.count("c" + name) for name in wish) for wish in asked]
        return GENERAL / max(1, min(counts)) if counts else 0.0

    def _about(self, candidate: Candidate, general: float) -> tuple[Reason, Reason]:
        """`same_thing` and `nothing_else` of the wording for which both together speak most."""
        best: tuple[Reason, Reason] | None = None
        for wording in candidate.wordings:
            pair = self._same_thing(wording, general), self._nothing_else(wording)
            if best is None or pair[0].value * pair[1].value > best[0].value * best[1].value:
                best = pair
        assert best is not None, "an entry has a question"
        return best

    def _same_thing(self, wording: str, general: float) -> Reason:
        content = content_words(wording)
        if not content:
            return Reason("same_thing", NO_RARE_WORD, applies=False)
        known = [max(_stands_in(word, self.text), CONTEXT_SHARE * _stands_in(word, self.context)) for word in content]
        rarities = [self.rarity(f"w{word}") for word in content]
        rare = min(share for share, told in zip(known, rarities, strict=True) if told >= RAREST * max(rarities))
        value = self._weighed(content, known) * (1 - RARE_SHARE + RARE_SHARE * rare)
        return Reason("same_thing", max(general, value))

    def _nothing_else(self, wording: str) -> Reason:
        asked = frozenset(lexicon().concepts(wording)) & lexicon().properties
        if not asked:
            return Reason("nothing_else", NO_RARE_WORD, applies=False)
        share = self._share({"c" + name for name in asked}, {"c" + name for name in self.concepts})
        return Reason("nothing_else", share)

    def _covered(self, candidate: Candidate) -> Reason:
        if not self.content:
            return Reason("covered", 1.0, applies=False)
        answer = fold(candidate.answer)
        known = [
            max(_stands_in(word, candidate.text), ANSWER_SHARE * _stands_in(word, answer)) for word in self.content
        ]
        share = self._weighed(list(self.content), known, list(self.content.values()))
        return Reason("covered", COVERED_FLOOR + (1 - COVERED_FLOOR) * share)

    def _numbers(self, candidate: Candidate) -> Reason:
        asked, written = set(_NUMBER.findall(self.text)), set(_NUMBER.findall(candidate.text))
        if not asked or not written:
            return Reason("numbers", 1.0, applies=False)
        return Reason("numbers", 1.0 if asked & written else OTHER_NUMBER)

    def _negation(self, candidate: Candidate) -> Reason:
        same = _negated(self.text) == any(_negated(fold(wording)) for wording in candidate.wordings)
        return Reason("negation", 1.0 if same else OTHER_NEGATION)

    def _share(self, wanted: Iterable[str], present: Iterable[str]) -> float:
        held = set(present)
        weights = {term: self.rarity(term) for term in wanted}
        total = sum(weights.values())
        if total <= 0:
            return 1.0 if held.issuperset(weights) else 0.0
        return sum(weight for term, weight in weights.items() if term in held) / total

    def _weighed(self, content: Sequence[str], known: Sequence[float], counts: Sequence[float] | None = None) -> float:
        weights = [
            self.rarity("w" + word) * count for word, count in zip(content, counts or [1.0] * len(content), strict=True)
        ]
        total = sum(weights)
        if total <= 0:
            return sum(known) / len(known)
        return sum(weight * share for weight, share in zip(weights, known, strict=True)) / total


def terms_to_weigh(texts: Iterable[str]) -> set[str]:
    """The index terms whose rarity the check needs of a question, or of an entry's wordings."""
    return set().union(*map(_terms_to_weigh, texts))


@lru_cache(maxsize=CUT_TEXTS)
def _terms_to_weigh(text: str) -> frozenset[str]:
    concepts = {"c" + name for name in lexicon().concepts(text)}
    return frozenset(concepts | {"w" + word for word in content_words(text)})


def check_all(question: Question, candidates: Sequence[Candidate]) -> list[Checked]:
    """Holds the candidates, best score first, against the question; the most certain first."""
    checked: list[Checked] = []
    for index, candidate in enumerate(candidates):
        following = candidates[index + 1].score if index + 1 < len(candidates) else 0.0
        margin = (candidate.score - following) / candidate.score if candidate.score > 0 else 0.0
        leads = 1.0 if index == 0 else candidate.score / max(candidates[0].score, 1e-9)
        checked.append(question.check(candidate, margin * leads))
    return checked


def choose(question: Question, checked: Sequence[Checked]) -> list[Checked]:
    """The entries answered together: the first when it is certain, and one more for a wish that it leaves open.

    Empty when the first is not certain.
    """
    if not checked or checked[0].confidence < CERTAIN:
        return []
    chosen = [checked[0]]
    for asked in question.asked():
        if question.answers(chosen[0].candidate, asked):
            continue
        for other in checked[1:]:
            if question.answers(other.candidate, asked) and other.confidence >= CERTAIN * SECOND_SHARE:
                chosen.append(other)
                return chosen
    return chosen


def _stands_in(word: str, text: str) -> float:
    if word in text:
        return 1.0
    if len(word) <= 2:
        return 0.0
    pairs = bigrams(word)
    return sum(pair in text for pair in pairs) / len(pairs)


def _negated(text: str) -> bool:
    return bool(_NEGATION.search(_POLITE_NEGATION.sub("", text)))
