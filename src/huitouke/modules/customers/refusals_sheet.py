"""A list of numbers that want no offers, as a table: recognises its columns, and says what is wrong with which row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from huitouke.kernel.errors import InvalidInput
from huitouke.kernel.sheets import Row, RowProblem, Table, columns_by_title
from huitouke.modules.customers.service.phones import e164, searched_number

MAX_NUMBERS: Final = 5_000
MAX_NOTE_CHARACTERS: Final = 200
MAX_ERRORS_SHOWN: Final = 200

_HEADERS: Final[Mapping[str, str]] = {
    "phone": "手机号 手机 手机号码 电话 电话号码 号码 联系电话 phone mobile number tel phonenumber",
    "note": "备注 说明 原因 note remark reason comment",
}


@dataclass(frozen=True, slots=True)
class ReadNumber:
    """A number of the list, in E.164."""

    row: int
    phone: str
    note: str | None


@dataclass
class ReadNumbers:
    """What the rows became."""

    numbers: list[ReadNumber] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)


def recognise(header: Sequence[str]) -> dict[str, int]:
    """Which column holds which field, as far as the header tells."""
    return columns_by_title(header, _HEADERS)


def read_numbers(table: Table) -> ReadNumbers:
    """The numbers of the table, each once, and what is wrong with the other rows. Without a title it is column one."""
    read, mapping = ReadNumbers(), recognise(table.header)
    rows = table.rows
    if "phone" not in mapping:
        mapping = {"phone": 0}
        if table.header and searched_number(table.header[0]) is not None:  # a bare list: there are no titles
            rows = [Row(1, table.header), *rows]
    first: dict[str, int] = {}
    for row in rows:
        cells = {name: row.cells[column] if column < len(row.cells) else "" for name, column in mapping.items()}
        if mapping["phone"] in row.broken:
            read.problems.append(RowProblem(row.number, "phone", "formula_error"))
            continue
        text, note = cells["phone"].strip().lstrip("'"), " ".join(cells.get("note", "").split())
        try:
            phone = e164(text)
        except InvalidInput as wrong:
            reason = str(wrong.params["reason"]) if text else "no_phone"
            read.problems.append(RowProblem(row.number, "phone", reason))
            continue
        if len(note) > MAX_NOTE_CHARACTERS or "\x00" in note:
            read.problems.append(RowProblem(row.number, "note", "note_too_long", {"limit": MAX_NOTE_CHARACTERS}))
        elif first.setdefault(phone, row.number) == row.number:
            read.numbers.append(ReadNumber(row.number, phone, note or None))
        else:
            read.problems.append(RowProblem(row.number, "phone", "same_phone", {"first": first[phone]}))
    return read
