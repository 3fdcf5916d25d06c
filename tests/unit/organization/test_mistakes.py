"""The table of mistakes: each has its words, and no two are recognised by the same."""

from collections import Counter

import pytest

from huitouke.kernel import locales
from huitouke.kernel.modules import load_modules
from huitouke.modules.organization.diagnosis.mistakes import MISTAKES, Mistake, of_error, of_refusal
from huitouke.wechat.errors import error_for


@pytest.fixture(autouse=True, scope="module")
def texts() -> None:
    load_modules()


@pytest.mark.parametrize("one", MISTAKES, ids=lambda one: one.key)
def test_a_mistake_is_named_and_cured_in_both_languages(one: Mistake) -> None:
    key = f"organization.mistakes.{one.key}"
    for language in locales.LOCALES:
        assert {key, f"{key}.fix"} <= locales.keys(language)
        assert (f"{key}.place" in locales.keys(language)) == one.place


def test_words_without_a_mistake_are_nobodys() -> None:
    known = {f"organization.mistakes.{one.key}" for one in MISTAKES}
    words = {key for key in locales.keys("zh-CN") if key.startswith("organization.mistakes.")}
    assert {key.removesuffix(".fix").removesuffix(".place") for key in words} == known


def test_nothing_is_recognised_as_two_mistakes() -> None:
    signs = Counter(
        sign
        for one in MISTAKES
        for sign in (
            *((code, call) for code in one.codes for call in one.calls or ("",)),
            *one.reasons,
            *one.refusals,
            *([one.found] if one.found else []),
        )
    )
    assert [sign for sign, count in signs.items() if count > 1] == []
    assert len({one.key for one in MISTAKES}) == len(MISTAKES) >= 24


def test_the_same_code_means_different_mistakes_at_different_calls() -> None:
    at_kf, at_agent = of_error(error_for(48002, "", "kf/account/list")), of_error(error_for(48002, "", "agent/get"))
    assert at_kf is not None
    assert at_agent is not None
    assert (at_kf.key, at_agent.key) == ("app_not_callable", "secret_of_contacts")


def test_what_nobody_knows_has_no_name() -> None:
    assert of_error(error_for(48002, "", "media/get")) is None
    assert of_error(error_for(999_999, "", "kf/send_msg")) is None
    assert of_refusal("something new") is None
