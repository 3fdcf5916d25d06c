"""Cutting, concepts and the check, as properties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.modules.assistant.retrieval.check import Candidate, Question, check_all, choose
from huitouke.modules.assistant.retrieval.concepts import lexicon
from huitouke.modules.assistant.retrieval.questions import clauses, wishes
from huitouke.modules.assistant.retrieval.ranking import Index, idf
from huitouke.modules.assistant.retrieval.terms import MAX_QUERY_TERMS, postings, query_terms
from huitouke.modules.assistant.retrieval.text import bigrams, fold, runs, words

anything = st.text(max_size=200)


@given(anything)
def test_cutting_never_fails_and_keeps_only_letters_and_digits(text: str) -> None:
    for cut in (runs(text), bigrams(text), words(text), lexicon().concepts(text), clauses(text)):
        assert all(piece.strip() for piece in cut)
    assert "".join(runs(fold(text))) == "".join(runs(text))


def test_pairs_of_characters_do_not_cross_punctuation() -> None:
    assert bigrams("大码，有货") == ["大码", "有货"]
    assert bigrams("大") == ["大"]


def test_width_and_case_are_folded() -> None:
    assert fold("ＸＬ　Ａ") == "xl a"


def test_latin_words_match_whole() -> None:
    assert "larger" in lexicon().concepts("有 XL 吗")
    assert "larger" not in lexicon().concepts("发我 xlsx 文件")


def test_larger_is_larger_in_every_wording() -> None:
    for text in ("有大一点的吗", "有没有大码", "加大的有吗", "胖一点能穿吗"):
        assert "larger" in lexicon().concepts(text)


def test_what_stands_before_de_is_only_mentioned() -> None:
    (wish,) = wishes("餐馆的地址")

    assert wish.asked == {"place"}
    assert wish.mentioned == {"eat"}


@given(anything, st.lists(anything, max_size=12))
def test_a_question_has_a_bounded_number_of_positive_weights(text: str, context: list[str]) -> None:
    weights = query_terms(text * 50, context)

    assert len(weights) <= MAX_QUERY_TERMS
    assert all(weight > 0 for weight in weights.values())


def test_older_messages_count_less_and_lend_no_concepts() -> None:
    weights = query_terms("多少钱", ["羊毛大衣怎么洗", "有茶歇裙吗"])

    assert weights["b大衣"] < weights["b茶歇"] < weights["b多少"]
    assert "cwash" not in weights


@given(st.integers(min_value=0, max_value=1000), st.integers(min_value=0, max_value=1000))
def test_rarer_terms_tell_more(entries: int, count: int) -> None:
    count = min(count, entries)

    assert idf(entries, count) >= 0
    assert math.isfinite(idf(entries, count))
    assert idf(entries, 0) >= idf(entries, count)


@given(anything, st.lists(st.tuples(anything, st.lists(anything, max_size=3), anything), min_size=1, max_size=4))
def test_the_check_is_total_and_stays_between_zero_and_one(
    text: str, entries: list[tuple[str, list[str], str]]
) -> None:
    index = Index({number: postings(*entry) for number, entry in enumerate(entries)})
    candidates = [Candidate(str(number), *entry, score=1.0) for number, entry in enumerate(entries)]
    question = Question(text, [], index.rarity)

    checked = check_all(question, candidates)

    assert all(0 <= one.confidence <= 1 for one in checked)
    assert all(0 <= reason.value <= 1 for one in checked for reason in one.reasons)
    assert all(one in checked for one in choose(question, checked))


def test_another_figure_counts_against_an_entry() -> None:
    index = Index({"a": postings("24小时热水有吗", [], "有"), "b": postings("早餐", [], "有")})
    question = Question("12小时热水有吗", [], index.rarity)
    (checked,) = check_all(question, [Candidate("a", "24小时热水有吗", [], "有", 5.0)])

    assert {reason.name: reason.value for reason in checked.reasons}["numbers"] == pytest.approx(0.5)
