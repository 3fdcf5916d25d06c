"""What a message asks for: its clauses, the properties each asks after, and its words that carry content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import rjieba

from huitouke.modules.assistant.retrieval.concepts import ConceptMatch, lexicon
from huitouke.modules.assistant.retrieval.text import fold, runs

_CLAUSE: Final = re.compile(r"[，,。.!！?？;；~～\n]|和|以及|还有|并且")
_WORD: Final = re.compile(r"[^\W_]+")
_FUNCTION_WORDS: Final = Path(__file__).parent / "function_words.txt"


@dataclass(frozen=True, slots=True)
class Wish:
    """One clause that asks for something: what it asks for, and what it only mentions on the way.

    「餐馆的地址」 asks for the place; 餐馆 stands before 的 and only says whose. 「酒店附近有吃饭的地方吗」 asks for
    food nearby; 酒店 stands before 附近 and only says where.
    """

    asked: frozenset[str]
    mentioned: frozenset[str]


def clauses(text: str) -> list[str]:
    """The text cut at punctuation and at words that join; never empty for a text with a letter or digit."""
    cut = [clause for clause in _CLAUSE.split(text) if runs(clause)]
    return cut or ([text] if runs(text) else [])


def wishes(text: str) -> list[Wish]:
    """The clauses that name a concept, in order."""
    found: list[Wish] = []
    for clause in clauses(text):
        folded = fold(clause)
        matches = lexicon().matches(folded)
        if not matches:
            continue
        mentioned = frozenset(match.name for match in matches if _is_modifier(folded, match, matches))
        asked = frozenset(match.name for match in matches) - mentioned
        found.append(Wish(asked or mentioned, mentioned if asked else frozenset()))
    return found


def content_words(text: str) -> list[str]:
    """Words that say what it is about: no function words, no courtesies, nothing that a concept already covers."""
    folded = fold(text)
    masked = list(folded)
    for match in lexicon().matches(folded):
        masked[match.start : match.end] = "，" * (match.end - match.start)
    return [word for word in rjieba.cut("".join(masked)) if _WORD.fullmatch(word) and word not in function_words()]


@lru_cache(maxsize=1)
def function_words() -> frozenset[str]:
    """Words of the language itself and of courtesy."""
    lines = _FUNCTION_WORDS.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _is_modifier(text: str, match: ConceptMatch, matches: Sequence[ConceptMatch]) -> bool:
    later = [other for other in matches if other.start >= match.end]
    if not later:
        return False
    return text.startswith("的", match.end) or any(
        other.name == "nearby" and other.start == match.end for other in later
    )
