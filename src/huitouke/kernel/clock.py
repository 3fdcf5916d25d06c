"""The only clock. SQL takes the time as a parameter, so that tests can move it."""

from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """The present time in UTC, aware, moved by the offset that tests set."""
    return datetime.now(UTC) + _offset


def set_offset(seconds: float) -> None:
    """Moves the clock of this process; the caller has checked that test switches are on."""
    global _offset
    _offset = timedelta(seconds=seconds)


def offset_seconds() -> float:
    """How far this process's clock is moved, in seconds."""
    return _offset.total_seconds()
