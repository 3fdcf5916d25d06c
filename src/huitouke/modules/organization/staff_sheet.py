"""People as a table: recognises the columns of a file, says what is wrong with which row, and writes the template."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from huitouke.kernel.sheets import Row, RowProblem, Table, columns_by_title

FIELDS: Final = ("name", "wecom_userid", "departments")
MAX_ERRORS_SHOWN: Final = 200
SAMPLE_ROWS: Final = 20
MAX_NAME_CHARACTERS: Final = 40
MAX_USERID_CHARACTERS: Final = 64
MAX_DEPARTMENT_CHARACTERS: Final = 32
MAX_LEVELS: Final = 15
MAX_DEPARTMENTS_EACH: Final = 20

Path = tuple[str, ...]
"""A department by its names from the top."""

_HEADERS: Final[Mapping[str, str]] = {
    "name": "姓名 名字 员工 员工姓名 成员 name fullname staff",
    "wecom_userid": "企业微信账号 企业微信帐号 企微账号 账号 帐号 userid wecomaccount wecomuserid account",
    "departments": "部门 所属部门 所在部门 门店 department departments team",
}
"""Titles by field, as people and WeCom's own export name them; compared without spaces, brackets and case."""

_BETWEEN_DEPARTMENTS: Final = re.compile(r"[\n\r|｜；;，,]+")
_BETWEEN_LEVELS: Final = re.compile(r"[/／>＞]+")

_TITLES: Final = {"zh-CN": ("姓名", "企业微信账号", "部门"), "en": ("Name", "WeCom account", "Department")}
_EXAMPLES: Final = {
    "zh-CN": (("小美", "", "门店/一店"), ("阿杰", "AJie", "门店/二店；仓库")),
    "en": (("Mei", "", "Shops/First"), ("Jay", "Jay", "Shops/Second; Storage")),
}
_WIDTHS: Final = (16, 24, 40)


@dataclass(frozen=True, slots=True)
class ReadPerson:
    """Somebody in the file. Without an account the name alone says who it is."""

    row: int
    name: str
    wecom_userid: str
    departments: tuple[Path, ...]


@dataclass
class ReadPeople:
    """What the rows became."""

    people: list[ReadPerson] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)


def recognise(header: Sequence[str]) -> dict[str, int]:
    """Which column holds which field, as far as the header tells."""
    return columns_by_title(header, _HEADERS)


def read_people(table: Table) -> ReadPeople:
    """The people of the table and what is wrong with the other rows; nobody where no column holds names."""
    read, mapping = ReadPeople(), recognise(table.header)
    if "name" not in mapping:
        return read
    accounts: dict[str, int] = {}
    names: dict[str, int] = {}
    for row in table.rows:
        found = _person(row, mapping)
        if isinstance(found, ReadPerson):
            found = _once(found, accounts, names)
        if isinstance(found, ReadPerson):
            read.people.append(found)
        else:
            read.problems.append(found)
    return read


def _once(person: ReadPerson, accounts: dict[str, int], names: dict[str, int]) -> ReadPerson | RowProblem:
    """Two rows about one account are one too many; two of one name are, unless an account tells them apart."""
    if person.wecom_userid:
        first = accounts.setdefault(person.wecom_userid.lower(), person.row)
        if first != person.row:
            return RowProblem(person.row, "wecom_userid", "same_account", {"first": first})
        return person
    first = names.setdefault(person.name, person.row)
    return person if first == person.row else RowProblem(person.row, "name", "same_name", {"first": first})


def _person(row: Row, mapping: Mapping[str, int]) -> ReadPerson | RowProblem:
    for name, column in mapping.items():
        if column in row.broken:
            return RowProblem(row.number, name, "formula_error")
    cells = {name: row.cells[column] if column < len(row.cells) else "" for name, column in mapping.items()}
    name, userid = " ".join(cells["name"].split()), cells.get("wecom_userid", "").strip()
    if not name:
        return RowProblem(row.number, "name", "no_name")
    if len(name) > MAX_NAME_CHARACTERS or "\x00" in name:
        return RowProblem(row.number, "name", "name_too_long", {"limit": MAX_NAME_CHARACTERS})
    if len(userid) > MAX_USERID_CHARACTERS or "\x00" in userid:
        return RowProblem(row.number, "wecom_userid", "account_too_long", {"limit": MAX_USERID_CHARACTERS})
    departments = paths_in(cells.get("departments", ""))
    if len(departments) > MAX_DEPARTMENTS_EACH:
        return RowProblem(row.number, "departments", "too_many_departments", {"limit": MAX_DEPARTMENTS_EACH})
    if any(len(path) > MAX_LEVELS for path in departments):
        return RowProblem(row.number, "departments", "too_deep", {"limit": MAX_LEVELS})
    if any(len(one) > MAX_DEPARTMENT_CHARACTERS or "\x00" in one for path in departments for one in path):
        return RowProblem(row.number, "departments", "department_too_long", {"limit": MAX_DEPARTMENT_CHARACTERS})
    return ReadPerson(row.number, name, userid, departments)


def paths_in(cell: str) -> tuple[Path, ...]:
    """The departments in a cell: levels divided by /, several departments by ; or a line each."""
    paths = []
    for part in _BETWEEN_DEPARTMENTS.split(cell):
        path = tuple(" ".join(level.split()) for level in _BETWEEN_LEVELS.split(part) if level.strip())
        if path:
            paths.append(path)
    return tuple(dict.fromkeys(paths))


def template(locale: str) -> bytes:
    """An .xlsx with the header and two examples to write over. CPU work: call it in a thread."""
    import xlsxwriter  # only here: it takes 60 ms to import

    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    language = locale if locale in _TITLES else "zh-CN"
    with xlsxwriter.Workbook(target, options) as workbook:
        sheet = workbook.add_worksheet("Staff")
        bold = workbook.add_format({"bold": True, "bg_color": "#F2F3F5", "valign": "vcenter"})
        for column, (title, width) in enumerate(zip(_TITLES[language], _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, bold)
        sheet.freeze_panes(1, 0)
        for number, line in enumerate(_EXAMPLES[language], 1):
            for column, cell in enumerate(line):
                sheet.write_string(number, column, cell)
    return target.getvalue()
