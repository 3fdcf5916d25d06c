"""Reads a table out of an uploaded file: Excel (.xlsx) or CSV. CPU work: call it in a thread.

Every way in which a file can be bad has a stable reason, whose sentence stands in locales under `imports.<reason>`.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from huitouke.kernel.sheets.workbook import Survey, UnreadableFile, survey

MAX_ROWS: Final = 50_000
"""Rows below the header."""

MAX_COLUMNS: Final = 100
MAX_AREA_CELLS: Final = 5_000_000
"""Rows times columns up to the furthest cell: calamine lays them all out, some 40 bytes each."""

MAX_CELL_CHARACTERS: Final = 32_767
"""What Excel itself allows in a cell."""

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCODINGS: Final = ("utf-8-sig", "utf-16", "gb18030")
_CELL_ERRORS: Final = frozenset(
    {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#SPILL!", "#CALC!"}
)


@dataclass(frozen=True)
class Row:
    """One row. `number` counts as Excel does, from 1; `broken` are the columns whose formula gave an error."""

    number: int
    cells: list[str]
    broken: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Table:
    """A header and the rows below it that hold anything."""

    header: list[str]
    rows: list[Row] = field(default_factory=list)


def read_table(data: bytes) -> Table:
    """The table in the file, whatever its name says.

    Raises:
        UnreadableFile: empty, password, old_excel, damaged, too_large_unpacked, no_table, too_many_rows,
            too_many_columns, encoding.
    """
    if not data.strip():
        raise UnreadableFile("empty")
    if data.startswith(_OLE):
        raise UnreadableFile("password" if _is_encrypted_package(data) else "old_excel")
    if data.startswith(b"PK\x03\x04"):
        rows = _excel_rows(data, _surveyed(data))
    elif data.startswith(b"PK"):
        raise UnreadableFile("damaged")
    else:
        rows = _csv_rows(data)
    return _table(rows)


def _table(rows: Iterator[Row]) -> Table:
    filled = (row for row in rows if any(cell for cell in row.cells) or row.broken)
    header = next(filled, None)
    if header is None:
        raise UnreadableFile("empty")
    if len(header.cells) > MAX_COLUMNS:
        raise UnreadableFile("too_many_columns")
    table = Table(header.cells)
    for row in filled:
        if len(table.rows) == MAX_ROWS:
            raise UnreadableFile("too_many_rows")
        table.rows.append(row)
    return table


def _is_encrypted_package(data: bytes) -> bool:
    """An encrypted .xlsx is an OLE file with a stream of that name (MS-OFFCRYPTO 2.3.4.4), written in UTF-16."""
    return "EncryptedPackage".encode("utf-16-le") in data


def _surveyed(data: bytes) -> Survey:
    found = survey(data)
    if found.columns > MAX_COLUMNS:
        raise UnreadableFile("too_many_columns")
    if found.rows * found.columns > MAX_AREA_CELLS or found.rows > 4 * MAX_ROWS:
        raise UnreadableFile("too_many_rows")
    return found


def _excel_rows(data: bytes, surveyed: Survey) -> Iterator[Row]:
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        place = _first_filled_sheet(workbook)
        sheet = workbook.get_sheet_by_index(place)
        broken = surveyed.broken_in(place)
        merged = _merged(sheet)
        for offset, values in enumerate(sheet.to_python(skip_empty_area=False)):
            yield _excel_row(offset, values, merged, broken)
    except PasswordError as error:
        raise UnreadableFile("password") from error
    except (CalamineError, ValueError, OSError) as error:
        raise UnreadableFile("damaged") from error
    except BaseException as error:
        # A panic of the Rust library is a BaseException; nothing else of that kind is ours to catch.
        if type(error).__module__ != "pyo3_runtime":
            raise
        raise UnreadableFile("damaged") from error


def _first_filled_sheet(workbook: CalamineWorkbook) -> int:
    for place in range(len(workbook.sheet_names)):
        if workbook.get_sheet_by_index(place).total_height > 0:
            return place
    raise UnreadableFile("empty")


class _Merged:
    """Cells that were merged: each shows what stands in the first, as people see it."""

    def __init__(self, ranges: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
        self._first: dict[tuple[int, int], tuple[int, int]] = {}
        left_cells = 10 * MAX_ROWS
        for (top, left), (bottom, right) in ranges:
            left_cells -= max(0, bottom - top + 1) * max(0, right - left + 1)
            if left_cells < 0:
                raise UnreadableFile("damaged")
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    self._first[row, column] = (top, left)
        self._values: dict[tuple[int, int], str] = {}

    def fill(self, row: int, cells: list[str]) -> list[str]:
        if not self._first:
            return cells
        filled: list[str] = []
        for column, cell in enumerate(cells):
            first = self._first.get((row, column))
            if first == (row, column):
                self._values[first] = cell
            filled.append(self._values.get(first, cell) if first is not None else cell)
        return filled


def _merged(sheet: CalamineSheet) -> _Merged:
    return _Merged(list(sheet.merged_cell_ranges or []))


def _excel_row(offset: int, values: Sequence[object], merged: _Merged, broken: set[tuple[int, int]]) -> Row:
    cells = [_cell(value) for value in values]
    errors = frozenset(
        column for column, cell in enumerate(cells) if cell in _CELL_ERRORS or (offset, column) in broken
    )
    return Row(offset + 1, merged.fill(offset, ["" if cell in _CELL_ERRORS else cell for cell in cells]), errors)


def _cell(value: object) -> str:
    """A cell as people read it: 3.0 is 3, a date has no midnight."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return f"{value:.10g}" if abs(value) < 1e15 else str(value)
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d" if value.time() == datetime.time() else "%Y-%m-%d %H:%M")
    if isinstance(value, datetime.time):
        return value.strftime("%H:%M")
    return str(value).strip()[:MAX_CELL_CHARACTERS]


def _csv_rows(data: bytes) -> Iterator[Row]:
    text = _decoded(data)
    if "\x00" in text:
        raise UnreadableFile("no_table")
    sample = text[:20_000].split("\n", 5)[:5]
    delimiter = max(",\t;", key=lambda mark: sum(line.count(mark) for line in sample))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = 1
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFile("damaged") from error
        if len(values) > MAX_COLUMNS:
            raise UnreadableFile("too_many_columns")
        yield Row(number, [value.strip() for value in values])
        number += 1


def _decoded(data: bytes) -> str:
    for encoding in _ENCODINGS:
        if encoding == "utf-16" and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            continue
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFile("encoding")
