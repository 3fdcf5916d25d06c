"""A full inbox stays quick: every list is read from an index in its order, and nothing is counted to its end."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.modules.conversations import queries
from huitouke.modules.conversations.schemas import Sort, View
from huitouke.modules.customers.queries import customer_page
from tests.modules.conversations.desk import Desk
from tests.modules.conversations.pages import customer_text, page


async def plan_of(desk: Desk, read: Callable[[Context], Awaitable[Any]], of: str) -> str:
    """How PostgreSQL would run the statement that reads `of`, if it may neither sort nor read whole tables."""
    asked: list[tuple[str, Any]] = []
    async with transaction(desk.xiaoyu.context) as ctx:
        for setting in ("enable_seqscan", "enable_sort", "enable_bitmapscan"):
            await ctx.session.execute(text(f"SET LOCAL {setting} = off"))
        connection = await ctx.session.connection()

        @event.listens_for(connection.sync_connection, "before_cursor_execute")
        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            asked.append((statement, parameters))

        await read(ctx)
        (found,) = [one for one in asked if f"FROM {of}" in one[0]]
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        lines = await driver.fetch(f"EXPLAIN {found[0]}", *found[1])
    return "\n".join(line[0] for line in lines)


@pytest.mark.parametrize(
    ("view", "sort", "paged"),
    [
        ("all", "newest", False),
        ("all", "newest", True),
        ("all", "waiting", True),
        ("mine", "newest", False),
        ("waiting", "waiting", False),
        ("assistant", "newest", True),
        ("closed", "newest", False),
    ],
)
async def test_a_page_of_the_inbox_comes_from_an_index_in_its_order(
    desk: Desk, view: View, sort: Sort, paged: bool
) -> None:
    await page(desk, [customer_text(f"m{n}", f"wm-{n}", f"第 {n} 位") for n in range(4)], "c1")

    async def read(ctx: Context, cursor: str | None = None) -> Any:
        return await queries.conversation_page(
            ctx, view=view, sort=sort, channel_account_id=None, q=None, cursor=cursor, limit=2
        )

    async with transaction(desk.xiaoyu.context) as ctx:
        cursor = (await read(ctx)).next_cursor if paged else None
    plan = await plan_of(desk, lambda ctx: read(ctx, cursor), "conversations")

    assert "Sort" not in plan, plan
    assert re.search(r"Index (Only )?Scan.* on conversations", plan), plan


async def test_the_list_of_customers_comes_from_an_index_in_its_order(desk: Desk) -> None:
    plan = await plan_of(desk, lambda ctx: customer_page(ctx, None, None, 2), "customers")

    assert "Sort" not in plan, plan
    assert "ix_customers_seen" in plan, plan


async def test_counts_stop_where_a_person_would_stop_reading(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await page(desk, [customer_text(f"m{n}", f"wm-{n}", f"第 {n} 位") for n in range(4)], "c1")
    monkeypatch.setattr(queries, "COUNTED_AT_MOST", 3)

    async with transaction(desk.xiaoyu.context) as ctx:
        counted = await queries.counts(ctx)

    assert (counted.open, counted.assistant, counted.mine) == (3, 3, 0)


@pytest.mark.parametrize("of", ["customers", "conversations"])
async def test_a_page_deep_in_the_list_begins_where_the_one_before_ended(desk: Desk, of: str) -> None:
    """The place is a condition of the index, and not a filter over all that stands before it."""
    await page(desk, [customer_text(f"m{n}", f"wm-{n}", f"第 {n} 位") for n in range(4)], "c1")

    async def read(ctx: Context, cursor: str | None = None) -> Any:
        if of == "customers":
            return await customer_page(ctx, None, cursor, 2)
        return await queries.conversation_page(
            ctx, view="all", sort="waiting", channel_account_id=None, q=None, cursor=cursor, limit=2
        )

    async with transaction(desk.xiaoyu.context) as ctx:
        cursor = (await read(ctx)).next_cursor
    plan = await plan_of(desk, lambda ctx: read(ctx, cursor), of)

    assert re.search(r"Index Cond: .*ROW\(CASE WHEN", plan), plan
