"""The table of docs/security.md: whole, with a state in each row, and naming tests that there are."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "security.md"
STATES = {"met", "n/a", "not met"}
MIN_REASON_CHARACTERS = 20

LEVEL_2: dict[str, tuple[int, ...]] = {
    "5.1": (1,),
    "5.2": (1, 2, 3),
    "5.3": (1, 2),
    "5.4": (1, 2, 3),
    "6.1": (1, 2, 3),
    "6.2": tuple(range(1, 13)),
    "6.3": (1, 2, 3, 4),
    "6.4": (1, 2, 3, 4),
    "6.5": (1, 2, 3, 4, 5),
    "6.6": (1, 2, 3),
    "6.8": (1, 2, 3, 4),
    "7.1": (1, 2, 3),
    "7.2": (1, 2, 3, 4),
    "7.3": (1, 2),
    "7.4": (1, 2, 3, 4, 5),
    "7.5": (1, 2),
    "7.6": (1, 2),
    "8.1": (1, 2),
    "8.2": (1, 2, 3),
    "8.3": (1,),
    "8.4": (1,),
}
"""The requirements of levels 1 and 2 of ASVS 5.0, chapters 5 to 8, by section (6.7 is of level 3 alone)."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    number: str
    asked: str
    state: str
    where: str

    @property
    def tests(self) -> list[str]:
        return re.findall(r"`(tests/[^`]+)`", self.where)

    @property
    def places(self) -> list[str]:
        return re.findall(r"\]\(#([a-z-]+)\)", self.where)


def rows() -> list[Row]:
    found = re.findall(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.*?) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    return [Row(*each) for each in found]


@cache
def functions_of(file: Path) -> frozenset[str]:
    """What pytest would collect of the file."""
    tree = ast.parse(file.read_text())
    defined = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in defined if node.name.startswith("test_"))


def test_every_requirement_of_the_level_has_its_row_once() -> None:
    wanted = [f"{section}.{number}" for section, numbers in LEVEL_2.items() for number in numbers]
    chapters = [row.number for row in rows() if row.number[0] in "5678"]
    assert chapters == wanted


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.number)
def test_a_row_has_a_state_and_what_bears_it_out(row: Row) -> None:
    assert row.state in STATES
    assert len(row.asked) >= MIN_REASON_CHARACTERS
    if row.state == "met":
        assert row.tests or row.places, "neither a test nor a place in the page"
    else:
        assert len(re.sub(r"`[^`]+`", "", row.where)) >= MIN_REASON_CHARACTERS, "no reason"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.number)
def test_the_tests_and_places_that_it_names_are_there(row: Row) -> None:
    for each in row.tests:
        file, _, name = each.partition("::")
        assert name in functions_of(ROOT / file), each
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", PAGE.read_text(), re.M)}
    assert set(row.places) <= headings
