"""What customers ask for, whatever words they use: price, size, delivery …

The words stand in `concepts.txt`. One concept is one term of the index, so that 「有大一点的吗」 finds the entry on
large sizes although the two share no word.
"""

from __future__ import annotations

import string
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

from huitouke.modules.assistant.retrieval.text import fold

TEXTS_KEPT: Final = 2_048
"""Texts whose concepts are kept: finding and checking an entry asks for them several times."""

_FILE = Path(__file__).parent / "concepts.txt"
_LATIN: Final = frozenset(string.ascii_letters + string.digits)


class ConceptMatch(NamedTuple):
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
        self.matches_in = lru_cache(maxsize=TEXTS_KEPT)(self._find)
        """`matches` of a text that is folded already."""

    def matches(self, text: str) -> tuple[ConceptMatch, ...]:
        """Concepts in the text, longest words first come, without overlaps; a word of two concepts gives both.

        Latin words match only as whole words: `xl` is not found in `xlsx`.
        """
        return self.matches_in(fold(text))

    def _find(self, folded: str) -> tuple[ConceptMatch, ...]:
        return tuple(
            ConceptMatch(name, start, end, self._words[index] in self._narrower)
            for index, start, end in self._automaton.find_matches_as_indexes(folded)
            if _whole(folded, start, end)
            for name in self._names[self._words[index]]
        )

    def concepts(self, text: str) -> list[str]:
        """Names of the concepts in the text, in order, repeated as often as they occur."""
        return [match.name for match in self.matches(text)]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon that is delivered with the product."""
    return Lexicon(_FILE.read_text(encoding="utf-8"))


def _whole(text: str, start: int, end: int) -> bool:
    if start > 0 and text[start] in _LATIN and text[start - 1] in _LATIN:
        return False
    return not (end < len(text) and text[end - 1] in _LATIN and text[end] in _LATIN)
