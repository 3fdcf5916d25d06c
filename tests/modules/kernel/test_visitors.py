"""Who a visitor is, where pages are, and how often somebody may come."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from huitouke.kernel import public_links
from huitouke.kernel.database import Database, platform_transaction, transaction
from huitouke.kernel.errors import Unauthenticated
from huitouke.kernel.ids import new_id
from huitouke.kernel.public_links import end_public_links, make_public_link, resolve_public_link
from huitouke.kernel.throttle import CLEAN_UP_ROWS, Limit, count, origin_of
from huitouke.kernel.visitors import PageGone, new_visitor, open_visitor_token, page_of, visitor_context
from huitouke.kernel.visitors.tokens import LIFETIME, make_visitor_token
from huitouke.kernel.visitors.visits import LINK_KIND
from tests.support.time import later, today
from tests.support.world import make_world

MINUTE = timedelta(minutes=1)


async def test_a_token_tells_who_it_is_until_its_time_is_over(database: Database) -> None:
    visitor = new_visitor(new_id(), new_id())
    token = make_visitor_token(visitor).value
    assert open_visitor_token(token) == visitor
    await later(LIFETIME.total_seconds() - 60)
    assert open_visitor_token(token) == visitor
    await later(LIFETIME.total_seconds() + 1)
    assert open_visitor_token(token) is None
    await today()


@pytest.mark.parametrize("token", [None, "", "a", "ab==", "é" * 160, "A" * 201, "A" * 118])
def test_what_we_did_not_sign_tells_nothing(token: str | None) -> None:
    assert open_visitor_token(token) is None


async def test_an_address_leads_to_its_tenant_until_it_is_ended(database: Database) -> None:
    world, target = await make_world(), new_id()
    async with transaction(world.context) as ctx:
        code = await make_public_link(ctx, LINK_KIND, target)
        assert await make_public_link(ctx, LINK_KIND, target) == code, "what has an address keeps it"
    link = await resolve_public_link(LINK_KIND, code)
    assert link == public_links.PublicLink(world.tenant_id, target, True)
    assert await resolve_public_link("something else", code) is None
    async with transaction(world.context) as ctx:
        await end_public_links(ctx, LINK_KIND, target)
    with pytest.raises(PageGone):
        await page_of(code)


async def test_a_token_of_another_page_of_the_same_tenant_opens_nothing(database: Database) -> None:
    world, target = await make_world(), new_id()
    async with transaction(world.context) as ctx:
        code = await make_public_link(ctx, LINK_KIND, target)
    mine = new_visitor(world.tenant_id, target)
    context = await visitor_context(code, make_visitor_token(mine).value)
    assert (context.tenant_id, context.actor.id, context.permissions) == (world.tenant_id, mine.id, frozenset())
    elsewhere = make_visitor_token(new_visitor(world.tenant_id, new_id())).value
    with pytest.raises(Unauthenticated):
        await visitor_context(code, elsewhere)


async def test_more_than_the_limit_waits_for_the_end_of_the_window(database: Database) -> None:
    key = f"test:{new_id()}"
    limits = {key: Limit(2, MINUTE), f"{key}:wide": Limit(100, MINUTE)}
    assert [await count(limits) for _ in range(2)] == [None, None]
    seconds = await count(limits)
    assert seconds is not None
    assert 1 <= seconds <= 60
    await later(61)
    assert await count(limits) is None
    await today()


async def test_windows_that_are_over_go_by_themselves(database: Database) -> None:
    prefix = f"gone:{new_id()}"
    for number in range(3):
        await count({f"{prefix}:{number}": Limit(1, MINUTE)})
    await later(120)
    for _ in range(200 // CLEAN_UP_ROWS):
        await count({f"other:{new_id()}": Limit(1, MINUTE)})
    await today()
    async with platform_transaction() as session:
        left = await session.scalar(
            text("SELECT count(*) FROM throttles WHERE key LIKE :prefix"), {"prefix": f"{prefix}%"}
        )
    assert left == 0


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        (None, ""),
        ("nowhere", ""),
    ],
)
def test_one_subscriber_is_one_origin(address: str | None, origin: str) -> None:
    assert origin_of(address) == origin
