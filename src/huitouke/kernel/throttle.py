"""How often somebody may do something: counts within windows, kept where all processes see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final

from sqlalchemy import text

from huitouke.kernel import clock
from huitouke.kernel.database import platform_transaction

CLEAN_UP_ROWS: Final = 20
"""Windows that are over and go with each count: more than a count can add, so they can't pile up."""

IPV6_NETWORK_BITS: Final = 64
"""One subscriber of IPv6 has a network of so many bits, and 2^64 addresses in it."""

_COUNT: Final = text(
    "INSERT INTO throttles AS t (key, attempts, window_ends_at)"
    " SELECT k, 1, e FROM unnest(CAST(:keys AS text[]), CAST(:ends AS timestamptz[])) AS w (k, e) ORDER BY k"
    " ON CONFLICT (key) DO UPDATE SET"
    " attempts = CASE WHEN t.window_ends_at <= :now THEN 1 ELSE t.attempts + 1 END,"
    " window_ends_at = CASE WHEN t.window_ends_at <= :now THEN excluded.window_ends_at ELSE t.window_ends_at END"
    " RETURNING key, attempts, window_ends_at"
)
_CLEAN_UP: Final = text(
    "DELETE FROM throttles WHERE key IN"
    " (SELECT key FROM throttles WHERE window_ends_at < :now ORDER BY window_ends_at LIMIT :rows"
    " FOR UPDATE SKIP LOCKED)"
)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many times within one window."""

    times: int
    window: timedelta


async def count(limits: Mapping[str, Limit]) -> int | None:
    """Counts one more time for each key, in a transaction of its own, before anything is looked at.

    Gives None, or, where one of them has had more than its limit, the seconds until its window is over (at least 1).
    """
    now = clock.now()
    keys = list(limits)
    ends = [now + limits[key].window for key in keys]
    async with platform_transaction() as session:
        rows = (await session.execute(_COUNT, {"keys": keys, "ends": ends, "now": now})).all()
        await session.execute(_CLEAN_UP, {"now": now, "rows": CLEAN_UP_ROWS})
    over = [row.window_ends_at for row in rows if row.attempts > limits[row.key].times]
    return max(1, int((max(over) - now).total_seconds())) if over else None


def origin_of(address: str | None) -> str:
    """What stands for whoever is at that address: the address, of IPv6 the network; "" where none is known."""
    if address is None:
        return ""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> IPV6_NETWORK_BITS << IPV6_NETWORK_BITS))
    return str(parsed)
