"""What a plan can open and limit, as modules declare it in their manifest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from huitouke.kernel.context import Context

Unit = Literal["count", "tokens", "bytes"]


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that a plan opens. Its label is the text `features.<name>`."""

    name: str


@dataclass(frozen=True, slots=True)
class Quota:
    """Something of which a plan allows so much. Its label is `quotas.<name>`; `quotas.<name>.full` says what happens
    when nothing is left, and `problems.over_quota.<name>` what whoever is refused is told.

    `count` gives how much there is now, in the context's open transaction. Without it the quota is spent: what `spend`
    adds up counts for the calendar month, in the tenant's time zone.
    """

    name: str
    unit: Unit = "count"
    count: Callable[[Context], Awaitable[int]] | None = None

    @property
    def monthly(self) -> bool:
        """Whether it begins anew with each month."""
        return self.count is None
