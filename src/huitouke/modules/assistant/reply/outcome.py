"""What comes of a turn, before it is sent: pure values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from huitouke.modules.assistant.retrieval.check import Checked

Decision = Literal["answered", "asked_colleague", "handed_over", "dropped", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What to do. `reason` is a stable word whose sentence stands in locales under `reasons.<reason>`."""

    decision: Decision
    reason: str
    text: str | None
    """What the customer is told; None: nothing."""
    hand_over: bool = False
    counts_as_failed: bool = False
    """Whether it is one of the turns in a row after which a person is called."""
    summary: str | None = None
    evidence: Sequence[Checked] = ()
    used: frozenset[Any] = frozenset()
    model: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    retrieval_ms: int = 0
    model_ms: int = 0
    notes: Sequence[str] = field(default_factory=tuple)
    """What spoke against the model's words, or why it gave none."""

    @property
    def tokens(self) -> int:
        """What the model read and wrote for it, as far as the endpoint says."""
        return (self.tokens_in or 0) + (self.tokens_out or 0)
