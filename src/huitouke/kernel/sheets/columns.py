"""What an import makes of a table, whatever it is about: which column holds what, and what is wrong with which row."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_HEADER_NOISE: Final = re.compile(r"[（(].*$|[\s_*＊:：]")


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with a row; the sentence stands in locales under `imports.row.<reason>`."""

    row: int
    column: str | None
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """As it is kept with the import."""
        return {"row": self.row, "column": self.column, "reason": self.reason, "params": dict(self.params)}


def columns_by_title(header: Sequence[str], titles: Mapping[str, str]) -> dict[str, int]:
    """Which column holds which field, as far as the header tells; the first of several counts.

    `titles`: by field, the words by which people and other systems name it, divided by blanks; compared without
    spaces, brackets and case.
    """
    found: dict[str, int] = {}
    for column, title in enumerate(header):
        name = "".join(_HEADER_NOISE.sub("", title.strip().casefold()).split())
        for wanted, names in titles.items():
            if name in names.split() and wanted not in found:
                found[wanted] = column
    return found
