"""Writes the knowledge as Excel or CSV, so that it can be imported again. CPU work: call it in a thread.

Every cell is a text: in Excel by its type, in CSV by an apostrophe before what a spreadsheet would run as a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

import xlsxwriter

from huitouke.modules.assistant.schemas import EntryOut

_TITLES: Final = {
    "zh-CN": ("问题", "相似问法", "答案", "分组", "启用"),
    "en": ("question", "variants", "answer", "group", "enabled"),
}
_STATES: Final = {"zh-CN": {"on": "是", "off": "否"}, "en": {"on": "yes", "off": "no"}}
_WIDTHS: Final = (36, 44, 70, 16, 8)
_FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")

_EXAMPLES: Final = {
    "zh-CN": (
        ("多久发货？", "什么时候发货\n几天能发出", "当天 16:00 前下单当天发出，之后的第二天发出。", "物流", "是"),
        ("可以退货吗？", "不喜欢能退吗\n怎么退货", "收到 7 天内不影响二次销售可以退货。", "售后", "是"),
    ),
    "en": (
        (
            "When do you ship?",
            "How long until it is sent",
            "Orders before 16:00 leave the same day.",
            "Delivery",
            "yes",
        ),
        (
            "Can I return it?",
            "What if I don't like it",
            "Unworn goods can be returned within 7 days.",
            "Returns",
            "yes",
        ),
    ),
}


def titles(locale: str) -> tuple[str, ...]:
    """The header in that language."""
    return _TITLES.get(locale, _TITLES["zh-CN"])


def lines_of(entries: Sequence[EntryOut], locale: str) -> list[tuple[str, ...]]:
    """Entries as lines of the table, one wording a line within the cell."""
    states = _STATES.get(locale, _STATES["zh-CN"])
    return [
        (entry.question, "\n".join(entry.variants), entry.answer, entry.group, states[entry.state]) for entry in entries
    ]


def template(locale: str) -> bytes:
    """An .xlsx with the header and two examples to write over."""
    return as_xlsx(_EXAMPLES.get(locale, _EXAMPLES["zh-CN"]), locale)


def as_xlsx(lines: Sequence[Sequence[str]], locale: str) -> bytes:
    """The table as Excel."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as workbook:
        sheet = workbook.add_worksheet("FAQ")
        bold = workbook.add_format({"bold": True, "bg_color": "#F2F3F5", "valign": "vcenter"})
        wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
        for column, (title, width) in enumerate(zip(titles(locale), _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, bold)
        sheet.freeze_panes(1, 0)
        for row, line in enumerate(lines, 1):
            for column, cell in enumerate(line):
                sheet.write_string(row, column, cell, wrapped)
    return target.getvalue()


def as_csv(lines: Sequence[Sequence[str]], locale: str) -> bytes:
    """The table as CSV in UTF-8 with the mark by which Excel knows it."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(titles(locale))
    writer.writerows([[_harmless(cell) for cell in line] for line in lines])
    return target.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(_FORMULA_BEGINS) else cell
