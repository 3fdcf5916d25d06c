"""The summary of a handover: what people said, with a mark of who said it instead of a word in one language.

Stored are lines; one that quotes begins with the mark of whom it quotes. Whoever shows it says "customer" in the
reader's language; the quoted words stay as they were written.
"""

from typing import Final, Literal

from huitouke.kernel.locales import translate
from huitouke.modules.conversations.schemas import SummaryLine

Who = Literal["customer", "assistant"]

MARKS: Final[dict[Who, str]] = {"customer": "@customer ", "assistant": "@assistant "}


def quoted(who: Who, words: str) -> str:
    """A line of a summary that quotes somebody."""
    return MARKS[who] + words


def summary_lines(stored: str | None) -> list[SummaryLine]:
    """The summary as it is shown; lines without a mark were written by a person or a model."""
    return [_line(line) for line in (stored or "").splitlines() if line.strip()]


def summary_words(stored: str | None, locale: str) -> str:
    """The same as plain text, for cards outside of our screens."""
    return "\n".join(
        translate(locale, f"conversations.summary.{line.who}", text=line.text) if line.who else line.text
        for line in summary_lines(stored)
    )


def _line(line: str) -> SummaryLine:
    for who, mark in MARKS.items():
        if line.startswith(mark):
            return SummaryLine(who=who, text=line.removeprefix(mark))
    return SummaryLine(who=None, text=line)
