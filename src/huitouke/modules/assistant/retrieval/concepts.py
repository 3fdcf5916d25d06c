"""What customers ask for, whatever words they use: price, size, delivery …

The words stand in `concepts.txt`. One concept is one term of the index, so that 「有大一点的吗」 finds the entry on
large sizes although the two share no word.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ahocorasick_rs import AhoCorasick, MatchKind

from huitouke.modules.assistant.retrieval.text import fold

_FILE = Path(__file__).parent / "concepts.txt"


@dataclass(frozen=True, slots=True)
class ConceptMatch:
    """A concept found in a text, at [start, end) of the folded text."""

    name: str
    start: int
    end: int
    narrower: bool = False
    """Whether the word says more than the concept: an entrance fee is a price, but not any price."""


class Lexicon:
    """Words and the concepts they speak of."""

    def __init__(self, source: str) -> None:
        self._names: dict[str, list[str]] = {}
        self._narrower: set[str] = set()
        self.properties: frozenset[str] = frozenset()
        properties: set[str] = set()
        for line in source.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            name, _, listed = line.partition(":")
            if name.startswith("*"):
                properties.add(name[1:])
            wide, _, narrow = listed.partition("|")
            for word in [*wide.split(), *narrow.split()]:
                self._names.setdefault(fold(word), []).append(name.lstrip("*"))
            self._narrower.update(map(fold, narrow.split()))
        self.properties = frozenset(properties)
        self._words = list(self._names)
        self._automaton = AhoCorasick(self._words, matchkind=MatchKind.LeftmostLongest)

    def matches(self, text: str) -> list[ConceptMatch]:
        """Concepts in the text, longest words first come, without overlaps; a word of two concepts gives both.

        Latin words match only as whole words: `xl` is not found in `xlsx`.
        """
        folded = fold(text)
        return [
            ConceptMatch(name, start, end, self._words[index] in self._narrower)
            for index, start, end in self._automaton.find_matches_as_indexes(folded)
            if _whole(folded, start, end)
            for name in self._names[self._words[index]]
        ]

    def concepts(self, text: str) -> list[str]:
        """Names of the concepts in the text, in order, repeated as often as they occur."""
        return [match.name for match in self.matches(text)]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon that is delivered with the product."""
    return Lexicon(_FILE.read_text(encoding="utf-8"))


def _whole(text: str, start: int, end: int) -> bool:
    def latin(character: str) -> bool:
        return character.isascii() and character.isalnum()

    if start > 0 and latin(text[start]) and latin(text[start - 1]):
        return False
    return not (end < len(text) and latin(text[end - 1]) and latin(text[end]))
