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
_STATEMENT: Final = re.compile(r"[^，,。.!！?？;；~～\n]+[?？]?")
_ASKS: Final = re.compile(
    r"[?？]|吗|呢|么|怎|如何|哪|多少|几|什么|为何|咋|啥|谁|是否|请问|想问|想知道|想了解|请教|求助"
    r"|能不能|可不可以|是不是|有没有|会不会|要不要|能否|可否"
    r"|\b(?:what|how|when|where|which|who|why|can|could|do|does|is|are)\b"
)
_THIS_ONE: Final = re.compile(r"(?:[这那][家个间座所]|[该此本贵])$")
_MERCHANTS: Final = frozenset({"branch", "eat", "lodging", "sights"})
"""Concepts that are also what a merchant is: 「这家酒店」 is the one that is spoken to."""
CUT_TEXTS: Final = 2_048
"""Texts whose words are kept: the check asks for those of an entry several times, and good entries come again."""
_FUNCTION_WORDS: Final = Path(__file__).parent / "function_words.txt"


@dataclass(frozen=True, slots=True)
class Wish:
    """One clause that asks for something: what it asks for, and what it only mentions on the way.

    「餐馆的地址」 asks for the place; 餐馆 stands before 的 and only says whose. 「酒店附近有吃饭的地方吗」 asks for
    food nearby; 酒店 stands before 附近 and only says where. 「这家酒店有会议室吗」 asks for no hotel: it is the one
    that is spoken to.
    """

    asked: frozenset[str]
    mentioned: frozenset[str]


def clauses(text: str) -> list[str]:
    """The text cut at punctuation and at words that join; never empty for a text with a letter or digit."""
    cut = [clause for clause in _CLAUSE.split(text) if runs(clause)]
    return cut or ([text] if runs(text) else [])


@dataclass(frozen=True, slots=True)
class Part:
    """What stands between two marks of punctuation, and whether it asks or only tells."""

    text: str
    asks: bool


def parts_of(text: str) -> list[Part]:
    """The parts of a message. Where none seems to ask, all of them do.

    In a long message the wish is one part, and the story around it shares words with entries on something else.
    """
    cut = [part for part in _STATEMENT.findall(text) if runs(part)]
    asking = [bool(_ASKS.search(fold(part))) for part in cut]
    return [Part(part, asks or not any(asking)) for part, asks in zip(cut, asking, strict=True)]


def wishes(text: str) -> list[Wish]:
    """The clauses that name a concept, in order. One that only tells asks for nothing: all is mentioned."""
    return [
        wish
        for part in parts_of(text)
        for clause in clauses(part.text)
        if (wish := _wish(clause, part.asks)) is not None
    ]


def _wish(clause: str, asks: bool) -> Wish | None:
    folded = fold(clause)
    matches = lexicon().matches(folded)
    if not matches:
        return None
    named = frozenset(match.name for match in matches)
    if not asks:
        return Wish(frozenset(), named)
    ourselves = frozenset(match.name for match in matches if _is_this_one(folded, match))
    modifiers = frozenset(match.name for match in matches if _is_modifier(folded, match, matches))
    asked = named - ourselves - modifiers or modifiers - ourselves
    return Wish(asked, named - asked)


@lru_cache(maxsize=CUT_TEXTS)
def content_words(text: str) -> tuple[str, ...]:
    """Words that say what it is about: no function words, no courtesies, nothing that a concept covers wholly."""
    masked = folded = fold(text)
    for match in lexicon().matches_in(folded):
        if not match.narrower:
            masked = masked[: match.start] + "，" * (match.end - match.start) + masked[match.end :]
    left_out = function_words()
    return tuple(word for word in rjieba.cut(masked) if word.isalnum() and word not in left_out)


@lru_cache(maxsize=1)
def function_words() -> frozenset[str]:
    """Words of the language itself and of courtesy."""
    lines = _FUNCTION_WORDS.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _is_this_one(text: str, match: ConceptMatch) -> bool:
    return match.name in _MERCHANTS and _THIS_ONE.search(text[: match.start]) is not None


def _is_modifier(text: str, match: ConceptMatch, matches: Sequence[ConceptMatch]) -> bool:
    later = [other for other in matches if other.start >= match.end]
    if not later:
        return False
    return text.startswith("的", match.end) or any(
        other.name == "nearby" and other.start == match.end for other in later
    )
