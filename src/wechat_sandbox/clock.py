"""The sandbox's clock: real time plus an offset that scripts move, so that windows of days can be tested in seconds."""

from datetime import UTC, datetime

OFFSET_LIMIT_SECONDS = 366 * 86_400


class Clock:
    """Unix time in seconds. All token, session and code windows are compared with `now()` when they are used."""

    def __init__(self, offset_seconds: float = 0.0) -> None:
        self.offset_seconds = offset_seconds

    def now(self) -> float:
        """The sandbox's present, in seconds since 1970."""
        return datetime.now(UTC).timestamp() + self.offset_seconds
