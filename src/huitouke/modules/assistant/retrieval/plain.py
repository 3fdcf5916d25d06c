"""Plain word search, the line to beat: BM25 over one kind of token, an entry's wordings joined, answers left out.

No concepts, no stop words, no weights; a token that a question repeats counts as often as it stands there. The messages
before a question are put before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from huitouke.modules.assistant.retrieval.ranking import Index
from huitouke.modules.assistant.retrieval.terms import Posting
from huitouke.modules.assistant.retrieval.text import bigrams, words

CUTTERS: Final[Mapping[str, Callable[[str], list[str]]]] = {"words": words, "bigrams": bigrams}


class PlainSearch:
    """An index of wordings (entry id → question and variants) by one way of cutting text."""

    def __init__(self, cut: Callable[[str], list[str]], wordings: Mapping[str, Sequence[str]]) -> None:
        self._cut = cut
        self._index = Index({entry_id: _postings(cut("\n".join(texts))) for entry_id, texts in wordings.items()})

    def scores(self, question: str, context: Sequence[str]) -> dict[str, float]:
        """Entries that share a token with the question or the messages before it."""
        tokens = Counter(self._cut("\n".join([*context, question])))
        return self._index.scores({_KIND + token: float(count) for token, count in tokens.items()})


_KIND: Final = "t"


def _postings(tokens: Sequence[str]) -> list[Posting]:
    return [Posting(_KIND + token, count, len(tokens)) for token, count in Counter(tokens).items()]
