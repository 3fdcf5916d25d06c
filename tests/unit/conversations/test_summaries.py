"""The summary of a handover: quotes keep their words, and whoever reads them gets ours in the own language."""

import pytest

from huitouke.kernel.modules import load_modules
from huitouke.modules.conversations.service import quoted
from huitouke.modules.conversations.service.summaries import summary_lines, summary_words

STORED = "\n".join([quoted("customer", "能开发票吗"), quoted("assistant", "我请同事来看"), "客户赶时间"])


def test_lines_say_who_said_them() -> None:
    assert [(line.who, line.text) for line in summary_lines(STORED)] == [
        ("customer", "能开发票吗"),
        ("assistant", "我请同事来看"),
        (None, "客户赶时间"),
    ]
    assert summary_lines(None) == []


@pytest.mark.parametrize(("locale", "first"), [("zh-CN", "顾客：能开发票吗"), ("en", "Customer: 能开发票吗")])
def test_a_card_gets_it_as_text_in_the_language_of_its_readers(locale: str, first: str) -> None:
    load_modules()
    assert summary_words(STORED, locale).splitlines()[0] == first
    assert summary_words(STORED, locale).splitlines()[2] == "客户赶时间"
