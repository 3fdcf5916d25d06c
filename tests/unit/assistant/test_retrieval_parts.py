"""Cutting, concepts and the check, as properties."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.modules.assistant.retrieval.check import Candidate, Question, Rarity, check_all, choose
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
    question = Question(text, [], Rarity(index.entries, index.count))

    checked = check_all(question, candidates)

    assert all(0 <= one.confidence <= 1 for one in checked)
    assert all(0 <= reason.value <= 1 for one in checked for reason in one.reasons)
    assert all(one in checked for one in choose(question, checked))


def test_another_figure_counts_against_an_entry() -> None:
    index = Index({"a": postings("24小时热水有吗", [], "有"), "b": postings("早餐", [], "有")})
    question = Question("12小时热水有吗", [], Rarity(index.entries, index.count))
    (checked,) = check_all(question, [Candidate("a", "24小时热水有吗", [], "有", 5.0)])

    assert {reason.name: reason.value for reason in checked.reasons}["numbers"] == pytest.approx(0.5)


def reasons_of(asked: str, entry: str, *others: str) -> dict[str, float]:
    """What speaks for `entry` (question without variants), in a knowledge that holds `others` too."""
    held = {text: postings(text, [], "答案") for text in (entry, *others)}
    index = Index(held)
    (checked,) = check_all(
        Question(asked, [], Rarity(index.entries, index.count)), [Candidate(entry, entry, [], "答案", 5.0)]
    )
    return {reason.name: reason.value for reason in checked.reasons}


def test_the_part_that_asks_says_what_is_asked_for() -> None:
    told, asked = wishes("昨天的价格我觉得可以，那你们几点关门？")

    assert told.asked == set()
    assert told.mentioned == {"price"}
    assert asked.asked == {"hours"}


def test_words_of_the_part_that_asks_count_more_than_those_of_the_story() -> None:
    weights = query_terms("我带猫去旅行了，鹦鹉怎么喂？")

    assert weights["b鹦鹉"] > weights["b旅行"]
    assert query_terms("我带猫去旅行了")["b旅行"] == weights["b鹦鹉"]


def test_the_merchant_itself_is_not_what_is_asked_for() -> None:
    (wish,) = wishes("这家酒店有停车位吗")

    assert wish.asked == {"parking"}
    assert wishes("附近有酒店吗")[0].asked >= {"lodging"}


def test_one_entry_on_a_wish_need_not_name_the_thing_but_one_of_many_must() -> None:
    alone = reasons_of("酸枣糕多少钱", "绿豆饼什么价", "几点开门")
    one_of_many = reasons_of(
        "酸枣糕多少钱", "绿豆饼什么价", *(f"{name}什么价" for name in ("麻花", "月饼", "年糕", "汤圆"))
    )

    assert alone["same_thing"] > 3 * one_of_many["same_thing"]


def test_an_entry_that_lacks_its_rarest_word_is_about_another_thing() -> None:
    others = [f"{name}公园的地址" for name in ("朝阳", "人民", "北海", "龙潭")]

    same = reasons_of("中山公园在哪里", "中山公园的地址", *others)
    another = reasons_of("中山公园在哪里", "香山公园的地址", *others)

    assert same["same_thing"] == 1.0
    assert another["same_thing"] < 0.5


def test_a_narrower_word_must_stand_in_the_entry_too() -> None:
    assert reasons_of("门票多少钱", "一晚多少钱", "几点开门")["covered"] < 0.5
    assert reasons_of("门票多少钱", "门票什么价", "几点开门")["covered"] == 1.0


def test_the_opposite_counts_against_an_entry() -> None:
    assert reasons_of("羊毛衫不能机洗吗", "羊毛衫能机洗吗")["negation"] < 1.0
    assert reasons_of("羊毛衫能不能机洗", "羊毛衫能机洗吗")["negation"] == 1.0
