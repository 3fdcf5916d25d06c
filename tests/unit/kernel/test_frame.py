"""Language, request id and limits, as data in and data out."""

import pytest

from huitouke.kernel.errors import InvalidInput, NotFound, RateLimited
from huitouke.kernel.http import frame, problems


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        (None, "zh-CN"),
        ("", "zh-CN"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("fr,de;q=0.9", "zh-CN"),
        ("fr;q=0.9,en;q=0.2,zh;q=0.8", "zh-CN"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en;q=0,zh", "zh-CN"),
        ("en;q=nonsense", "zh-CN"),
        ("*", "zh-CN"),
    ],
)
def test_the_best_language_that_we_speak_is_chosen(header: str | None, locale: str):
    assert frame.choose_locale(header) == locale


@pytest.mark.parametrize(
    ("count", "words"), [(500, "500 B"), (2048, "2 KB"), (1024 * 1024, "1 MB"), (1572864, "1.5 MB")]
)
def test_limits_are_told_in_units_of_people(count: int, words: str):
    assert frame.bytes_in_words(count) == words


def test_a_problem_is_a_document_in_the_language_asked_for():
    document = problems.document(NotFound(field="id"), locale="en", request_id="r1")
    assert document == {
        "type": "/problems/not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "Not found; it may have been deleted.",
        "field": "id",
        "request_id": "r1",
    }


def test_a_reason_with_its_own_sentence_is_preferred():
    general = problems.document(InvalidInput(field="x", reason="never_heard"), locale="en", request_id=None)
    special = problems.document(InvalidInput(field="x", reason="json_invalid"), locale="en", request_id=None)
    assert general["detail"] == "Something filled in is not right. Please check the marked field."
    assert special["detail"] == "What was sent is not valid JSON."


def test_who_is_too_fast_is_told_when_to_come_back():
    response = problems.response(RateLimited(retry_after_seconds=30))
    assert response.headers["retry-after"] == "30"


def test_findings_are_told_without_the_values():
    problem = problems.invalid_input(
        [
            {"loc": ("body", "items", 0, "name"), "type": "missing", "input": "secret"},
            {"loc": ("query", "limit"), "type": "less_than_equal", "input": 1000, "ctx": {"le": 100}},
        ]
    )
    assert problem.field == "items.0.name"
    assert problem.params["errors"][1] == {"field": "limit", "reason": "less_than_equal"}
    assert "secret" not in str(problem)


def test_https_installations_insist_on_it():
    assert "Strict-Transport-Security" in frame.security_headers("https://shop.example.cn")
    assert "Strict-Transport-Security" not in frame.security_headers("http://127.0.0.1:8000")
