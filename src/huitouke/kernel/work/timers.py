"""Known times at which something becomes due, so that it starts on time and not at the next look."""

import asyncio
import contextlib
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from huitouke.kernel import clock
from huitouke.kernel.notify import Signal
from huitouke.kernel.work.gates import Place, WorkGates
from huitouke.kernel.work.requests import DUE_STEP_MS

LAG: Final = timedelta(milliseconds=500)
STEP: Final = timedelta(milliseconds=DUE_STEP_MS + 1)
"""A signal's time is rounded up: what it announces lies behind this."""
HEAP_LIMIT: Final = 10_000
LONGEST_SLEEP_SECONDS: Final = 0.25
"""The clock may be moved by a test: nobody sleeps through it."""


class Timers:
    """Asks the gate `due_work` at each known time, and at each look of the worker."""

    def __init__(self, gates: WorkGates, on_ready: Callable[[Place], None]) -> None:
        self._gates = gates
        self._on_ready = on_ready
        self._times: list[datetime] = []
        self._known: set[datetime] = set()
        self._changed = asyncio.Event()
        self._mark: datetime | None = None

    def add(self, at: datetime) -> None:
        """Something is due at that time. Beyond 10,000 times the looks find it."""
        if at in self._known or len(self._times) >= HEAP_LIMIT:
            return
        self._known.add(at)
        heapq.heappush(self._times, at)
        self._changed.set()

    def on_signal(self, signal: Signal) -> None:
        """A commit, here or in another process, set a time."""
        self.add(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=signal.number))

    async def look(self, *, sweep: bool) -> None:
        """Makes ready what is due now; notes the next time."""
        now = clock.now()
        moved_back = self._mark is not None and self._mark > now
        await self._fire(now, None if sweep or moved_back else self._mark)
        self._mark = now - LAG

    async def fire_next(self) -> None:
        """Waits for the next known time and makes ready what is due then."""
        self._changed.clear()
        if not self._times:
            await self._changed.wait()
            return
        wait = (self._times[0] - clock.now()).total_seconds()
        if wait > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(wait, LONGEST_SLEEP_SECONDS))
            return
        now = clock.now()
        earliest = self._times[0]
        while self._times and self._times[0] <= now:
            self._known.discard(heapq.heappop(self._times))
        after = earliest - STEP
        await self._fire(now, min(after, self._mark) if self._mark is not None else after)

    async def _fire(self, now: datetime, after: datetime | None) -> None:
        places, upcoming = await self._gates.due(now, after)
        for place in places:
            self._on_ready(place)
        if upcoming is not None:
            self.add(upcoming)
