"""Ids: UUID version 7, made by us so that they are known before the row is written."""

import os
import threading
from datetime import UTC, datetime
from uuid import UUID

from huitouke.kernel import clock

_COUNTER_BITS = 12
_COUNTER_MASK = (1 << _COUNTER_BITS) - 1

MAX_STEP_BACK_MILLISECONDS = 60_000
"""A clock that is set back by less keeps its ids growing; by more (tests move it by days), ids follow the clock."""

_lock = threading.Lock()
_last_millisecond = 0
_counter = 0


def new_id(at: datetime | None = None) -> UUID:
    """A UUIDv7 (RFC 9562 §5.7); ids of one process grow strictly.

    With `at` (aware, for imported history) the id bears that time and takes no part in the strict order.
    """
    if at is not None:
        return _assemble(_milliseconds(at), int.from_bytes(os.urandom(2), "big") & _COUNTER_MASK)
    global _last_millisecond, _counter
    with _lock:
        millisecond = _milliseconds(clock.now())
        if millisecond > _last_millisecond or millisecond < _last_millisecond - MAX_STEP_BACK_MILLISECONDS:
            _last_millisecond = millisecond
            _counter = int.from_bytes(os.urandom(2), "big") & (_COUNTER_MASK >> 1)
        elif _counter < _COUNTER_MASK:
            _counter += 1
        else:
            _last_millisecond += 1
            _counter = 0
        return _assemble(_last_millisecond, _counter)


def time_of(identifier: UUID) -> datetime:
    """The time an id bears, to the millisecond, in UTC."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)


def lowest_id(at: datetime) -> UUID:
    """The smallest id of that millisecond; the bound of a partition or of a search by time."""
    return UUID(int=_milliseconds(at) << 80)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _assemble(millisecond: int, counter: int) -> UUID:
    random_tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return UUID(int=(millisecond << 80) | (7 << 76) | (counter << 64) | (0b10 << 62) | random_tail)
