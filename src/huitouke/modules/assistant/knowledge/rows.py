"""Makes entries of rows: recognises the columns, splits wordings, and says what is wrong with which row. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

from pydantic import ValidationError

from huitouke.kernel.sheets import Row, RowProblem, Table, columns_by_title
from huitouke.modules.assistant.retrieval.text import runs
from huitouke.modules.assistant.schemas import (
    MAX_ANSWER_BYTES,
    MAX_QUESTION_CHARACTERS,
    MAX_VARIANTS,
    EntryDraft,
    KnowledgeField,
)

FIELDS: Final[tuple[str, ...]] = get_args(KnowledgeField)
REQUIRED: Final = ("question", "answer")
MAX_ERRORS_SHOWN: Final = 200
SAMPLE_ROWS: Final = 20

_HEADERS: Final[Mapping[str, str]] = {
    "question": "问题 标准问 标准问法 标准问题 主问题 问法 提问 question questions q faq title",
    "variants": "相似问 相似问法 相似问题 其他问法 其它问法 扩展问 扩展问法 同义问法 别的问法"
    " variants variant similarquestions alternatives otherwordings aliases",
    "answer": "答案 回答 回复 标准答案 回复内容 答复 answer answers a reply",
    "group": "分组 分类 类别 类目 标签 group category class tag",
    "state": "启用 状态 是否启用 开关 enabled state status active",
}
"""Titles by field, as merchants and other systems name them; compared without spaces, brackets and case."""

_OFF: Final = frozenset(["否", "停用", "关", "关闭", "禁用", "不启用", "off", "no", "false", "0", "disabled", "n"])
_ON: Final = frozenset(["", "是", "启用", "开", "开启", "on", "yes", "true", "1", "enabled", "y"])
_SEPARATORS: Final = re.compile(r"[\n\r|｜；;]+")


@dataclass(frozen=True, slots=True)
class ReadRow:
    """An entry of the file and the row that it begins in."""

    row: int
    draft: EntryDraft


@dataclass
class ReadRows:
    """What the rows became."""

    entries: list[ReadRow] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    failed_rows: int = 0


def recognise(header: Sequence[str]) -> dict[str, int]:
    """Which column holds which field, as far as the header tells."""
    return columns_by_title(header, _HEADERS)


def missing(mapping: Mapping[str, int], columns: int) -> list[str]:
    """Required fields that have no column of the file."""
    return [name for name in REQUIRED if not 0 <= mapping.get(name, -1) < columns]


def read_rows(table: Table, mapping: Mapping[str, int]) -> ReadRows:
    """Entries and problems. Rows with the same question and answer become one entry with all their other wordings."""
    read = ReadRows()
    places: dict[str, int] = {}
    for row in table.rows:
        draft = _draft(row, mapping, read)
        if draft is None:
            read.failed_rows += 1
            continue
        key = "".join(runs(draft.question))
        place = places.get(key)
        if place is None:
            places[key] = len(read.entries)
            read.entries.append(ReadRow(row.number, draft))
        elif not _merge(read, place, row, draft):
            read.failed_rows += 1
    return read


def split_wordings(text: str) -> list[str]:
    """Wordings in one cell: one a line, or divided by | or ；."""
    return [part.strip() for part in _SEPARATORS.split(text) if part.strip()]


def _merge(read: ReadRows, place: int, row: Row, draft: EntryDraft) -> bool:
    first = read.entries[place]
    if draft.answer != first.draft.answer:
        read.problems.append(RowProblem(row.number, "question", "same_question", {"first": first.row}))
        return False
    wordings = list(dict.fromkeys([*first.draft.variants, *draft.variants]))
    if len(wordings) > MAX_VARIANTS:
        read.problems.append(RowProblem(row.number, "variants", "too_many_variants", {"limit": MAX_VARIANTS}))
        return False
    read.entries[place] = ReadRow(first.row, first.draft.model_copy(update={"variants": wordings}))
    return True


def _draft(row: Row, mapping: Mapping[str, int], read: ReadRows) -> EntryDraft | None:
    for name, column in mapping.items():
        if column in row.broken and name in FIELDS:
            read.problems.append(RowProblem(row.number, name, "formula_error"))
            return None
    cells = {name: row.cells[column] if column < len(row.cells) else "" for name, column in mapping.items()}
    for name in REQUIRED:
        if not cells.get(name):
            read.problems.append(RowProblem(row.number, name, f"no_{name}"))
            return None
    state = cells.get("state", "").casefold()
    if state not in _ON | _OFF:
        read.problems.append(RowProblem(row.number, "state", "unknown_state", {"value": state[:20]}))
        return None
    try:
        return EntryDraft(
            question=cells["question"],
            variants=split_wordings(cells.get("variants", "")),
            answer=cells["answer"],
            group=cells.get("group", ""),
            state="off" if state in _OFF else "on",
        )
    except ValidationError as error:
        read.problems.append(_problem(row, error))
        return None


def _problem(row: Row, error: ValidationError) -> RowProblem:
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else None
    limits = {
        "question": ("question_too_long", MAX_QUESTION_CHARACTERS),
        "variants": ("too_many_variants", MAX_VARIANTS),
        "answer": ("answer_too_long", MAX_ANSWER_BYTES // 3),
    }
    if "can't be stored" in first["msg"] or name not in limits:
        return RowProblem(row.number, name, "not_storable")
    reason, limit = limits[name]
    if name == "variants" and first["type"] == "string_too_long":
        return RowProblem(row.number, name, "question_too_long", {"limit": MAX_QUESTION_CHARACTERS})
    return RowProblem(row.number, name, reason, {"limit": limit})
