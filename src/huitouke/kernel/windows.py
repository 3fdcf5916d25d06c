"""Pages of long lists for people who see some of the rows.

Two ways, tried in turn. The list is walked in its order, as for everybody, but only so far, and what the person doesn't
see is left out: that fills the page of who sees much. Whoever sees so little that it doesn't is served from the other
side: what their scope holds is found first, and put in order. Neither reads the whole list row by row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, Subquery

from huitouke.kernel.context import Context

WALKED_AT_MOST: Final = 2_000
"""Rows of the list that are looked at one by one. Who sees a fortieth of them has a page of 50."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Ids with their place in the order, by both ways. They read tables, not models: nothing narrows them but what
    they say themselves, and whoever reads the rows behind them."""

    walked: Select[Any]
    """In the list's order, whoever may see it."""
    from_scope: Select[Any]
    """What the scope holds, in the same order: put in order only once all is found, for the index of the whole list
    would be walked to its end for the sake of its order."""


async def narrowed(
    ctx: Context, ways: Narrowed, rows_of: Callable[[Subquery], Select[Any]], limit: int
) -> Sequence[Any]:
    """The first `limit + 1` rows that the actor sees. `rows_of` reads models behind a window of ids, in the order."""
    window = ways.walked.limit(WALKED_AT_MOST)
    rows: Sequence[Any] = (await ctx.session.execute(rows_of(window.subquery("walked")).limit(limit + 1))).all()
    if len(rows) > limit:
        return rows
    if (await ctx.session.execute(ways.walked.offset(WALKED_AT_MOST - 1).limit(1))).first() is None:
        return rows  # that was the whole list
    rows = (await ctx.session.execute(rows_of(ways.from_scope.limit(limit + 1).subquery("from_scope")))).all()
    return rows
