"""Counts calls in sliding windows, for the limits of frequency."""

from collections import deque

KEY_LIMIT = 50_000

Key = tuple[str | int, ...]


class Rates:
    """Times per key. Keys that fell silent are dropped when there are many."""

    def __init__(self) -> None:
        self._times: dict[Key, deque[float]] = {}

    def full(self, key: Key, limit: int, seconds: float, now: float) -> bool:
        """Whether `limit` were counted within the last `seconds`."""
        times = self._times.get(key)
        return times is not None and len(times) >= limit and now - times[-limit] < seconds

    def count(self, key: Key, seconds: float, now: float) -> None:
        """Notes one now, and forgets those older than `seconds`."""
        if len(self._times) > KEY_LIMIT:
            self._times.clear()
        times = self._times.setdefault(key, deque())
        while times and now - times[0] >= seconds:
            times.popleft()
        times.append(now)
