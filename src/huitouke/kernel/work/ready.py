"""What a worker knows about where work is: marks per tenant (or lane), and the low-water mark of the whole queue."""

import asyncio
from collections import deque
from collections.abc import Collection, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

LAG_SECONDS: Final = 0.5
"""Numbers are drawn before the commit: a transaction that takes longer is found by its signal or by the sweep."""


class Ready(Generic[K]):
    """Keys that have work, each with the mark behind which it begins; taken in turn, so that none starves."""

    def __init__(self) -> None:
        self._marks: dict[K, int] = {}
        self.filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._marks)

    def hint(self, key: K, seq: int) -> None:
        """There is something at `seq`; the least of several hints counts."""
        mark = seq - 1
        known = self._marks.get(key)
        if known is None or mark < known:
            self._marks[key] = mark
        self.filled.set()

    def take(self, limit: int, busy: Collection[K] = ()) -> list[tuple[K, int]]:
        """Up to `limit` keys that are not busy, longest waiting first, with their marks; they are forgotten here."""
        taken: list[tuple[K, int]] = []
        for key in list(self._marks):
            if len(taken) == limit:
                break
            if key not in busy:
                taken.append((key, self._marks.pop(key)))
        if not any(key not in busy for key in self._marks):
            self.filled.clear()
        return taken

    def stir(self) -> None:
        """Has `filled` set again when something waits: a key is busy no more."""
        if self._marks:
            self.filled.set()


class LowWater:
    """The head of the queue as it was half a second ago: nothing below it is looked at between sweeps."""

    def __init__(self, lag_seconds: float = LAG_SECONDS) -> None:
        self._lag = lag_seconds
        self._heads: deque[tuple[float, int]] = deque()
        self.mark: int | None = None
        """None until the first look: sweep."""

    def seen(self, at: float, head: int) -> None:
        """Notes the head at that monotonic time, and moves the mark to the newest head that is old enough."""
        self._heads.append((at, head))
        while self._heads and self._heads[0][0] <= at - self._lag:
            self.mark = self._heads.popleft()[1]
