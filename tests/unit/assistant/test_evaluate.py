"""`huitouke eval`: figures of a small folder that one can count by hand, and what it says of a wrong one."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from huitouke.cli import main
from huitouke.modules.assistant.retrieval.evaluate import UnreadableFolderError, evaluate

KNOWLEDGE = (
    {
        "id": "hours",
        "question": "几点开门？",
        "variants": ["营业时间"],
        "answer": "每天 10:00 到 22:00。",
        "group": "店",
    },
    {"id": "wash", "question": "羊毛大衣怎么洗？", "variants": [], "answer": "干洗。", "group": "衣服"},
    {"id": "return", "question": "可以退货吗？", "variants": [], "answer": "七天内可以。", "group": "售后"},
)
QUERIES = (
    {"id": "1", "text": "你们营业时间是几点", "expected": ["hours"], "kind": "in"},
    {"id": "2", "text": "羊毛大衣怎么洗", "expected": ["wash"]},
    {"id": "3", "text": "它怎么洗呢", "expected": ["wash"], "history": [{"from": "customer", "text": "羊毛大衣好看"}]},
    {"id": "4", "text": "谢谢你", "expected": []},
    {"id": "5", "text": "火星上有人吗", "expected": []},
)


def folder_of(path: Path, knowledge: Sequence[object] = KNOWLEDGE, queries: Sequence[object] = QUERIES) -> Path:
    for name, rows in (("knowledge", knowledge), ("queries", queries)):
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return path


def test_it_counts_what_was_found_answered_and_refused(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    report = evaluate(folder_of(tmp_path), progress=lambda done, of: seen.append((done, of)))

    assert (report.entries, report.queries, report.with_answer) == (3, 5, 3)
    assert report.ways["huitouke"].recall_at_1 == 1.0
    assert set(report.ways) == {"huitouke", "words", "bigrams"}
    assert report.refused_rightly == 1.0
    assert report.right_of_answered == 1.0
    assert seen[-1] == (5, 5)


def test_messages_before_a_question_can_be_left_out(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, queries=[{**QUERIES[2], "text": "好看吗"}])

    assert evaluate(folder).ways["words"].recall_at_1 == 1.0
    assert evaluate(folder, messages=0).ways["words"].recall_at_1 == 0.0


def test_the_command_prints_the_product_beside_plain_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", str(folder_of(tmp_path))]) == 0

    printed = capsys.readouterr().out
    assert "3 entries, 5 queries, 2 without an answer" in printed
    assert all(way in printed for way in ("Huitouke", "BM25 words", "BM25 bigrams"))


@pytest.mark.parametrize(
    ("queries", "said"),
    [([{"id": "1", "text": "在吗"}], "queries.jsonl, line 1: expected"), ([[]], "queries.jsonl, line 1")],
)
def test_a_line_of_another_form_is_named(tmp_path: Path, queries: list[object], said: str) -> None:
    with pytest.raises(UnreadableFolderError, match=said):
        evaluate(folder_of(tmp_path, queries=queries))


def test_a_folder_without_the_files_is_an_expected_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", str(tmp_path)]) == 1

    assert "knowledge.jsonl" in capsys.readouterr().err


def test_help_lists_commands_of_modules(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])

    assert "eval" in capsys.readouterr().out
