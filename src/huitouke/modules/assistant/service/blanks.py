"""Blanks in answers: what a template leaves for the shop to fill in. An answer with a blank is never given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

OPENING: Final = "【待填"
"""How every blank begins."""

BLANK: Final = re.compile(r"【待填：[^】]*】")
"""Reads "to be filled in" and is nothing that a shop writes by itself."""

_FACT: Final = re.compile(r"\{(\w+)\}")


def has_blank(answer: str) -> bool:
    """Whether something in it waits for the shop's own words."""
    return BLANK.search(answer) is not None


def filled(template: str, facts: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """The template with the shop's facts; those that nobody told become blanks that bear their label."""
    return _FACT.sub(lambda found: facts.get(found[1]) or f"【待填：{labels[found[1]]}】", template)


def facts_in(template: str) -> set[str]:
    """Keys of the facts that it names."""
    return set(_FACT.findall(template))
