"""Reads the answer in what a model wrote: the JSON object it was asked for, or a form that models give instead.

Tolerated: code fences, a sentence before the JSON, plain text with citations, evidence and truth values as texts. Pure.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from huitouke.modules.assistant.model.completions import clean

_CITATION: Final = re.compile(r"\s*[\[【](\d{1,3})[\]】]")
_YES: Final = ("true", "yes", "1", "是")
MAX_OBJECTS_TRIED: Final = 20


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """The model's verdict. `evidence` are the numbers it cites."""

    can_answer: bool
    answer: str
    evidence: tuple[int, ...]


def read_answer(text: str, *, cut_off: bool = False) -> ModelAnswer:
    """The structured answer in a completion: the first JSON object that has one, else the text with its citations.

    `cut_off`: the text ended at its limit of tokens; an object may be whole even so, plain text is not.
    """
    for document in _objects(text):
        if "answer" in document or "can_answer" in document:
            answer = document.get("answer")
            said = clean(answer).strip() if isinstance(answer, str) else ""
            can = document.get("can_answer", bool(said))
            return ModelAnswer(
                can_answer=bool(said) and isinstance(can, (str, int)) and str(can).lower() in _YES,
                answer=_CITATION.sub("", said).strip(),
                evidence=_numbers(document.get("evidence")) or tuple(int(n) for n in _CITATION.findall(said)),
            )
    if cut_off or text.lstrip().startswith(("{", "```")):
        return ModelAnswer(False, "", ())  # broke off
    cited = tuple(dict.fromkeys(int(number) for number in _CITATION.findall(text)))
    plain = _CITATION.sub("", text).strip()
    return ModelAnswer(bool(plain and cited), plain, cited)


def _objects(text: str) -> list[dict[str, Any]]:
    decoder = json.JSONDecoder()
    found: list[dict[str, Any]] = []
    starts = [match.start() for match in re.finditer(r"\{", text)][:MAX_OBJECTS_TRIED]
    for start in starts:
        try:
            document, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            found.append(document)
    return found


def _numbers(value: object) -> tuple[int, ...]:
    items = value if isinstance(value, list) else [value]
    found: list[int] = []
    for item in items:
        if isinstance(item, bool):
            continue
        if isinstance(item, int):
            found.append(item)
        elif isinstance(item, str):
            found.extend(int(number) for number in re.findall(r"\d{1,3}", item))
    return tuple(dict.fromkeys(found))
