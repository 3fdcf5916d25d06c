"""Files that we write can be read again, and run nothing in a spreadsheet."""

import csv
import io
import zipfile
from datetime import UTC, datetime

import pytest

from huitouke.kernel.ids import new_id
from huitouke.kernel.sheets.reading import read_table
from huitouke.modules.assistant.knowledge.rows import read_rows, recognise
from huitouke.modules.assistant.knowledge.writing import as_csv, as_xlsx, lines_of, template
from huitouke.modules.assistant.schemas import EntryOut

AT = datetime(2026, 11, 21, tzinfo=UTC)


def entry(question: str, answer: str, variants: list[str] | None = None) -> EntryOut:
    return EntryOut(
        id=new_id(),
        question=question,
        variants=variants or [],
        answer=answer,
        group="物流",
        state="off",
        source="manual",
        version=1,
        created_at=AT,
        updated_at=AT,
        deleted_at=None,
    )


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
@pytest.mark.parametrize("write", [as_xlsx, as_csv])
def test_what_is_exported_can_be_imported_again(write, locale: str) -> None:  # type: ignore[no-untyped-def]  # parametrised functions
    lines = lines_of([entry("多久发货？", "当天。\n尽快。", ["几天发", "何时寄"])], locale)

    table = read_table(write(lines, locale))
    (read,) = read_rows(table, recognise(table.header)).entries

    assert read.draft.model_dump() == {
        "question": "多久发货？",
        "variants": ["几天发", "何时寄"],
        "answer": "当天。\n尽快。",
        "group": "物流",
        "state": "off",
    }


@pytest.mark.parametrize("text", ["=1+1", "+86 138", "-5", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    lines = lines_of([entry("怎么算", text)], "zh-CN")

    with zipfile.ZipFile(io.BytesIO(as_xlsx(lines, "zh-CN"))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet.lower()
    written = list(csv.reader(io.StringIO(as_csv(lines, "zh-CN").decode("utf-8-sig"))))
    assert written[1][2] == "'" + text


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_template_imports_without_a_problem(locale: str) -> None:
    table = read_table(template(locale))
    read = read_rows(table, recognise(table.header))

    assert len(read.entries) == 2
    assert read.problems == []
