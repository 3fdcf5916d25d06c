"""Finds cells of a workbook whose formula has no usable value: an error, or none because no program ever computed it.

calamine gives such cells as empty, which would read as "nothing was written". Works on the sheet's XML with regular
expressions: no entities are resolved, nothing is built in memory.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Final

_SHEET: Final = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_RELATION: Final = re.compile(rb"<Relationship\b[^>]*>")
_CELL: Final = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.S)
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f\b")
_VALUE: Final = re.compile(rb"<(?:\w+:)?v\b[^>/]*>[^<]")


def cells_without_value(data: bytes, sheet_index: int) -> set[tuple[int, int]]:
    """(row, column), both from 0, of the sheet at that place in the workbook; empty where it can't be told."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = _sheet_member(archive, sheet_index)
        content = archive.read(name) if name is not None else b""
    if b'"e"' not in content and b"f>" not in content and b"<f" not in content:
        return set()
    found: set[tuple[int, int]] = set()
    for cell in _CELL.finditer(content):
        attributes, inside = cell.group(1), cell.group(2) or b""
        broken = _attribute(attributes, b"t") == b"e" or (_FORMULA.search(inside) and not _VALUE.search(inside))
        place = re.fullmatch(rb"([A-Z]{1,3})(\d{1,7})", _attribute(attributes, b"r") or b"")
        if broken and place is not None:
            found.add((int(place[2]) - 1, _column(place[1])))
    return found


def _sheet_member(archive: zipfile.ZipFile, index: int) -> str | None:
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    sheets = _SHEET.findall(archive.read("xl/workbook.xml"))
    if index >= len(sheets):
        return None
    relation = _attribute(sheets[index], rb"\w+:id")
    for written in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels")):
        if _attribute(written, b"Id") == relation:
            target = (_attribute(written, b"Target") or b"").decode("utf-8", errors="replace")
            name = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return name if name in names else None
    return None


def _attribute(tag: bytes, name: bytes) -> bytes | None:
    found = re.search(rb"(?<![\w:])" + name + rb"\s*=\s*[\"']([^\"']*)[\"']", tag)
    return found[1] if found else None


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
