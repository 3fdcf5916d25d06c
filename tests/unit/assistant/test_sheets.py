"""Reading uploaded tables: what is fine is read, what is bad has a stable reason."""

import io
import struct
import time
import zipfile
from collections.abc import Callable
from datetime import datetime

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from huitouke.kernel.sheets import workbook
from huitouke.kernel.sheets.reading import MAX_ROWS, Table, read_table
from huitouke.kernel.sheets.workbook import UnreadableFile
from huitouke.modules.assistant.knowledge.rows import missing, read_rows, recognise, split_wordings


def xlsx(fill: Callable[[Worksheet], None]) -> bytes:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    fill(book.active)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def rows_of(*lines: tuple[object, ...]) -> bytes:
    def fill(sheet: Worksheet) -> None:
        for line in lines:
            sheet.append(list(line))

    return xlsx(fill)


def reason_of(data: bytes) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_table(data)
    return caught.value.reason


def test_an_excel_file_is_read_with_its_row_numbers() -> None:
    table = read_table(rows_of(("问题", "答案"), ("多久发货", "当天"), (None, None), ("包邮吗", "满 99 包邮")))

    assert table.header == ["问题", "答案"]
    assert [(row.number, row.cells) for row in table.rows] == [(2, ["多久发货", "当天"]), (4, ["包邮吗", "满 99 包邮"])]


def test_numbers_dates_and_truth_values_read_as_people_see_them() -> None:
    table = read_table(rows_of(("问题", "答案"), (3.0, datetime(2026, 11, 21)), (2.5, True)))

    assert [row.cells for row in table.rows] == [["3", "2026-11-21"], ["2.5", "是"]]


def test_merged_cells_show_their_first_value_in_each_row() -> None:
    def fill(sheet: Worksheet) -> None:
        sheet.append(("问题", "相似问法", "答案"))
        sheet.append(("多久发货", "几天发出", "当天发出"))
        sheet.append((None, "什么时候寄", None))
        sheet.merge_cells("A2:A3")
        sheet.merge_cells("C2:C3")

    table = read_table(xlsx(fill))
    read = read_rows(table, recognise(table.header))

    assert [row.cells for row in table.rows][1] == ["多久发货", "什么时候寄", "当天发出"]
    assert [entry.draft.variants for entry in read.entries] == [["几天发出", "什么时候寄"]]
    assert read.problems == []


def test_a_formula_counts_with_its_value_and_its_error_is_reported() -> None:
    sheet = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>问题</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>答案</t></is></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>价格</t></is></c><c r="B2"><f>100+99</f><v>199</v></c></row>'
        '<row r="3"><c r="A3" t="inlineStr"><is><t>运费</t></is></c><c r="B3" t="e"><f>A9/0</f><v>#DIV/0!</v></c></row>'
        "</sheetData></worksheet>"
    )
    data = replaced(rows_of(("x",)), "xl/worksheets/sheet1.xml", sheet)

    table = read_table(data)
    read = read_rows(table, recognise(table.header))

    assert [entry.draft.answer for entry in read.entries] == ["199"]
    assert [(problem.row, problem.column, problem.reason) for problem in read.problems] == [
        (3, "answer", "formula_error")
    ]


def test_a_formula_that_was_never_computed_is_reported() -> None:
    table = read_table(rows_of(("问题", "答案"), ("价格", "=100+99")))

    assert [(p.row, p.reason) for p in read_rows(table, recognise(table.header)).problems] == [(2, "formula_error")]


def test_fifty_thousand_rows_are_read_and_one_more_is_refused() -> None:
    line = "问题{},答案\n"
    full = "问题,答案\n" + "".join(line.format(number) for number in range(MAX_ROWS))

    assert len(read_table(full.encode()).rows) == MAX_ROWS
    assert reason_of((full + line.format("多")).encode()) == "too_many_rows"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_in_the_encodings_that_merchants_have(encoding: str) -> None:
    data = '问题,答案\n"多久发货","当天，\n尽快"\n'.encode(encoding)

    assert read_table(data).rows[0].cells == ["多久发货", "当天，\n尽快"]


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_csv_with_the_marks_that_spreadsheets_write(mark: str) -> None:
    data = f"问题{mark}答案\n发货{mark}当天\n".encode()

    assert read_table(data) == Table(["问题", "答案"], read_table(data).rows)
    assert read_table(data).rows[0].cells == ["发货", "当天"]


def test_a_file_with_a_password_is_named_so() -> None:
    encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le")

    assert reason_of(encrypted) == "password"


def test_an_old_excel_file_is_named_so() -> None:
    assert reason_of(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)) == "old_excel"


@pytest.mark.parametrize("data", [b"", b"   \n", "\ufeff".encode(), b",,,\n,,\n"])
def test_a_file_without_content_is_empty(data: bytes) -> None:
    assert reason_of(data) == "empty"


def test_a_zip_that_is_no_workbook_is_no_table() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("hello.txt", "hello")

    assert reason_of(target.getvalue()) == "no_table"


def test_a_truncated_workbook_is_damaged() -> None:
    data = rows_of(("问题", "答案"), ("发货", "当天"))

    assert reason_of(data[: len(data) // 2]) == "damaged"


def test_a_bomb_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_UNPACKED_BYTES", 1_000_000)
    bomb = replaced(rows_of(("x",)), "xl/worksheets/sheet1.xml", " " * 2_000_000)

    assert len(bomb) < 20_000
    assert reason_of(bomb) == "too_large_unpacked"


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(replaced(rows_of(("x",)), "xl/worksheets/sheet1.xml", " " * 2_000_000))
    central = data.rfind(b"PK\x01\x02", 0, data.rfind(b"xl/worksheets/sheet1.xml"))
    struct.pack_into("<I", data, central + 24, 100)

    assert reason_of(bytes(data)) == "damaged"


def test_binary_rubbish_is_no_table() -> None:
    assert reason_of(b"\x00\x01\x02\x00" * 50) == "no_table"


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_table_or_a_reason(data: bytes) -> None:
    try:
        assert isinstance(read_table(data), Table)
    except UnreadableFile as error:
        assert error.reason


@given(st.binary(min_size=1, max_size=60), st.integers(min_value=0, max_value=4000))
@settings(max_examples=150, deadline=None)
def test_a_workbook_with_damaged_bytes_is_a_table_or_a_reason(noise: bytes, at: int) -> None:
    data = bytearray(_GOOD)
    at %= len(data)
    data[at : at + len(noise)] = noise

    try:
        assert isinstance(read_table(bytes(data)), Table)
    except UnreadableFile as error:
        assert error.reason


@pytest.mark.parametrize(
    ("header", "mapping"),
    [
        (["问题", "答案"], {"question": 0, "answer": 1}),
        (
            ["分类", "标准问法*", "相似问法（每行一个）", "回复内容", "是否启用"],
            {"group": 0, "question": 1, "variants": 2, "answer": 3, "state": 4},
        ),
        (
            ["Question", "Similar questions", "Answer", "Group", "Enabled"],
            {"question": 0, "variants": 1, "answer": 2, "group": 3, "state": 4},
        ),
        (["姓名", "电话"], {}),
    ],
)
def test_columns_are_recognised_by_their_titles(header: list[str], mapping: dict[str, int]) -> None:
    assert recognise(header) == mapping


def test_missing_columns_are_named() -> None:
    assert missing({"question": 0}, 2) == ["answer"]
    assert missing({"question": 0, "answer": 7}, 2) == ["answer"]


def test_wordings_in_a_cell_are_divided_by_lines_bars_and_semicolons() -> None:
    assert split_wordings("几天发货\n何时寄出 | 多久发；什么时候发;") == [
        "几天发货",
        "何时寄出",
        "多久发",
        "什么时候发",
    ]


def test_each_bad_row_is_reported_and_the_others_are_taken() -> None:
    table = read_table(
        rows_of(
            ("问题", "答案", "启用"),
            ("发货", "当天", "是"),
            ("", "没有问题", "是"),
            ("没有答案", "", "是"),
            ("状态", "当天", "也许"),
            ("太长" * 300, "当天", ""),
            ("长答案", "长" * 700, ""),
            ("发货？", "第二天", ""),
            ("关掉的", "当天", "否"),
        )
    )
    read = read_rows(table, recognise(table.header))

    assert [(entry.draft.question, entry.draft.state) for entry in read.entries] == [("发货", "on"), ("关掉的", "off")]
    assert [(problem.row, problem.reason) for problem in read.problems] == [
        (3, "no_question"),
        (4, "no_answer"),
        (5, "unknown_state"),
        (6, "question_too_long"),
        (7, "answer_too_long"),
        (8, "same_question"),
    ]
    assert read.failed_rows == 6


def replaced(data: bytes, name: str, content: str) -> bytes:
    """The workbook with another content in one member."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in source.namelist():
            archive.writestr(member, content if member == name else source.read(member))
    return target.getvalue()


_GOOD = rows_of(("问题", "答案"), ("发货", "当天"), ("包邮", "满 99"))


def sheet_of(cells: str, after: str = "") -> bytes:
    name = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    written = f'<?xml version="1.0"?><worksheet xmlns="{name}"><sheetData>{cells}</sheetData>{after}</worksheet>'
    return replaced(rows_of(("x",)), "xl/worksheets/sheet1.xml", written)


def cell(reference: str, text: str = "x") -> str:
    row = "".join(character for character in reference if character.isdigit())
    return f'<row r="{row}"><c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c></row>'


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("XFD1048576", "too_many_columns"),
        ("CV1048576", "too_many_rows"),
        ("CV50001", "too_many_rows"),
        ("A200001", "too_many_rows"),
        ("A99999999999", "damaged"),
        ("ZZZZ9", "damaged"),
        ("a1", "damaged"),
    ],
)
def test_one_cell_far_away_does_not_take_the_memory_of_all_before_it(reference: str, reason: str) -> None:
    started = time.thread_time()

    assert reason_of(sheet_of(cell("A1", "问题") + cell(reference))) == reason
    assert time.thread_time() - started < 1


def test_formats_alone_may_reach_to_the_last_row() -> None:
    table = read_table(
        sheet_of(cell("A1", "问题") + cell("A2", "多久") + '<row r="1048576"><c r="A1048576" s="1"/></row>')
    )

    assert [row.cells for row in table.rows] == [["多久"]]


def test_cells_without_a_reference_are_counted_too() -> None:
    cells = '<row><c t="inlineStr"><is><t>x</t></is></c></row>' * 3 + f"<row>{'<c/>' * 100}<c><v>1</v></c></row>"

    assert reason_of(sheet_of(cells)) == "too_many_columns"


def test_many_merges_of_moderate_size_are_refused_as_one_large_one_is() -> None:
    merges = "".join(f'<mergeCell ref="A{row}:CV{row + 4_000}"/>' for row in range(1, 100))

    assert reason_of(sheet_of(cell("A1") + cell("A2"), f"<mergeCells>{merges}</mergeCells>")) == "damaged"


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1"><c r="A1" t="s"><v>99999999</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>',
        '<row r="0"><c r="A0"><v>1</v></c></row>',
        '<row r="x"><c><v>1</v></c></row>',
        '<!DOCTYPE a [<!ENTITY b "c">]>',
        "<row>",
    ],
)
def test_a_sheet_that_contradicts_itself_is_read_or_damaged(cells: str) -> None:
    try:
        assert isinstance(read_table(sheet_of(cells)), Table)
    except UnreadableFile as error:
        assert error.reason in ("damaged", "empty")
