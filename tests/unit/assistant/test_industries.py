"""The templates of the industries: whole, in customers' words, and nothing invented in the shop's name."""

import re

import pytest

from huitouke.kernel.modules import load_modules
from huitouke.modules.assistant.service.blanks import facts_in, filled, has_blank
from huitouke.modules.assistant.service.entries import question_key
from huitouke.modules.assistant.service.industries import templates
from huitouke.modules.organization.service.industries import BY_KEY, INDUSTRIES, INDUSTRY_PARTS, Shop

KEYS = [industry.key for industry in INDUSTRIES]
PRICE = re.compile(r"\d+(\.\d+)? ?(元|块|折|%)")


def all_told(industry: str) -> Shop:
    return Shop("街角小店", industry, dict.fromkeys(BY_KEY[industry].facts, "店里自己的说法"))


@pytest.mark.parametrize("industry", KEYS)
def test_each_industry_has_a_shops_common_questions(industry: str) -> None:
    entries = templates(industry)
    assert 25 <= len(entries) <= 40
    assert len({entry.key for entry in entries}) == len(entries)
    assert all(len(entry.variants) >= 2 for entry in entries if entry.key != "menu")
    assert 5 <= len(BY_KEY[industry].facts) <= 8


@pytest.mark.parametrize("industry", KEYS)
def test_no_wording_is_there_twice(industry: str) -> None:
    wordings = [question_key(text) for entry in templates(industry) for text in (entry.question, *entry.variants)]
    assert [text for text in wordings if wordings.count(text) > 1] == []


@pytest.mark.parametrize("industry", KEYS)
def test_what_an_answer_names_is_what_the_shop_is_asked_and_each_fact_is_used(industry: str) -> None:
    named = set().union(*(facts_in(entry.answer) for entry in templates(industry)))
    assert named == set(BY_KEY[industry].facts)


@pytest.mark.parametrize("industry", KEYS)
def test_without_facts_some_answer_at_once_and_with_them_half_do(industry: str) -> None:
    """So many that a customer who tries the page is answered."""
    entries = templates(industry)
    bare = [entry for entry in entries if entry.draft(Shop("店", industry, {})).state == "on"]
    told = [entry for entry in entries if entry.draft(all_told(industry)).state == "on"]
    assert len(bare) >= 4
    assert len(told) >= 12


@pytest.mark.parametrize("industry", KEYS)
def test_no_price_is_invented(industry: str) -> None:
    """Outside of blanks, where examples stand, an answer that can be given names no sum."""
    for entry in templates(industry):
        draft = entry.draft(all_told(industry))
        if draft.state == "on":
            assert not PRICE.search(draft.answer), draft.answer


@pytest.mark.parametrize("industry", KEYS)
def test_whoever_is_to_look_into_something_is_called(industry: str) -> None:
    """The assistant can't promise a colleague of itself: the customer is told the word that calls one."""
    for entry in templates(industry):
        if re.search("同事|老师(下课后|来答复|给您安排)", entry.answer) and "电话" not in entry.answer:
            calls = "回复「人工」" in entry.answer or "上班后回您" in entry.answer
            assert calls, entry.answer


def test_what_nobody_told_is_a_blank_that_says_what_is_missing() -> None:
    labels = {"hours": "营业时间", "phone": "电话"}
    assert filled("{hours}，{phone}", {"phone": "1"}, labels) == "【待填：营业时间】，1"
    assert has_blank(filled("{hours}", {}, labels))
    assert not has_blank(filled("{hours}", {"hours": "{phone}"}, labels)), "a fact is text, never a template"


def test_the_assistant_brings_its_part() -> None:
    assert len(load_modules().extensions(INDUSTRY_PARTS)) >= 1
