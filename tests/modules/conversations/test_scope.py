"""People whose role doesn't see all: lists, counts, single rows, changes, sockets and cards agree on who sees whom."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import aliased

from huitouke.kernel import windows
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound
from huitouke.modules.conversations import queries
from huitouke.modules.conversations import service as conversations
from huitouke.modules.conversations.models import Conversation, Message
from huitouke.modules.conversations.service import scope as conversation_scope
from huitouke.modules.conversations.streams import ConversationStream
from huitouke.modules.customers import service as customers
from huitouke.modules.customers.models import Customer
from huitouke.modules.customers.queries import customer_card, customer_page
from huitouke.modules.organization.models import DataScopeKind
from huitouke.modules.organization.service.scopes import who_see
from tests.support.firm import Firm, Plan, make_firm

KINDS: tuple[DataScopeKind, ...] = ("own", "department", "department_below", "chosen", "all")
PAGE = 3
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any tree of departments, anybody anywhere in it, any followers."""
    departments = draw(st.integers(0, 5))
    parents = tuple(draw(st.none() | st.integers(0, n - 1)) if n else None for n in range(departments))
    people = draw(st.integers(1, 4))
    somewhere = st.frozensets(st.integers(0, departments - 1), max_size=2) if departments else st.just(frozenset[int]())
    member_of = tuple(draw(somewhere) for _ in range(people))
    followers = st.frozensets(st.integers(0, people - 1), max_size=2)
    return Plan(parents, member_of, tuple(draw(followers) for _ in range(draw(st.integers(1, 7)))))


async def all_customers(context: Context) -> list[UUID]:
    found: list[UUID] = []
    cursor = None
    while True:
        async with transaction(context) as ctx:
            page = await customer_page(ctx, None, cursor, PAGE)
        found += [row.id for row in page.items]
        if (cursor := page.next_cursor) is None:
            return found


async def all_conversations(context: Context, **how: Any) -> list[UUID]:
    found: list[UUID] = []
    cursor = None
    asked = {"view": "all", "sort": "newest", "channel_account_id": None, "q": None, **how}
    while True:
        async with transaction(context) as ctx:
            page = await queries.conversation_page(ctx, cursor=cursor, limit=PAGE, **asked)
        found += [row.id for row in page.items]
        if (cursor := page.next_cursor) is None:
            return found


async def exists(read: Any) -> bool:
    try:
        await read
    except NotFound:
        return False
    return True


async def check(firm: Firm, context: Context, seen: set[int]) -> None:
    """Everything that shows customers shows these, in their order, and no other."""
    in_order = sorted(seen)
    assert await all_customers(context) == [firm.customers[n] for n in in_order]
    assert await all_conversations(context) == [firm.conversations[n] for n in in_order]
    assert await all_conversations(context, view="assistant") == [firm.conversations[n] for n in in_order]
    # The one who waits longest stands first, and behind all who wait those who don't, as they came.
    waiting = sorted((n for n in seen if n % 2), reverse=True)
    assert (await all_conversations(context, sort="waiting"))[: len(waiting)] == [
        firm.conversations[n] for n in waiting
    ]
    assert await all_conversations(context, view="waiting", sort="waiting") == [firm.conversations[n] for n in waiting]
    async with transaction(context) as ctx:
        counted = await queries.counts(ctx)
        assert (counted.open, counted.assistant, counted.waiting) == (len(seen), len(seen), len(waiting))
        stream = ConversationStream()
        assert await stream.visible(ctx, firm.conversations) == {firm.conversations[n] for n in seen}
        changed = await stream.changed_since(ctx, LONG_AGO, 100)
        assert set(changed) == {firm.conversations[n] for n in seen}
        people = aliased(Customer)
        assert set(await ctx.session.scalars(select(people.id))) == {firm.customers[n] for n in seen}
        assert await ctx.session.scalar(select(func.count(Message.id))) == len(seen)
        for n in range(len(firm.customers)):
            place = firm.customers[n], firm.conversations[n]
            assert await exists(customer_card(ctx, place[0])) == (n in seen)
            assert await exists(queries.conversation_detail(ctx, place[1])) == (n in seen)
            assert await exists(queries.message_page(ctx, place[1], None, 10)) == (n in seen)
            assert await exists(conversations.mark_read(ctx, place[1])) == (n in seen)
            assert await exists(customers.edit(ctx, place[0], remark="改")) == (n in seen)
            found = (await customer_page(ctx, f"客户{n}", None, PAGE)).items
            assert [row.id for row in found] == ([place[0]] if n in seen else [])
    async with transaction(firm.world.context) as ctx:
        owners = await conversation_scope.owners(ctx, firm.conversations)
    assert {n for n, id in enumerate(firm.conversations) if owners[id].seen_within(context.scope)} == seen


@pytest.mark.parametrize("walked_at_most", [1, windows.WALKED_AT_MOST])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans(), data=st.data())
async def test_all_ways_to_customers_agree_with_the_plain_definition(
    database: object, monkeypatch: pytest.MonkeyPatch, walked_at_most: int, plan: Plan, data: st.DataObject
) -> None:
    monkeypatch.setattr(windows, "WALKED_AT_MOST", walked_at_most)
    monkeypatch.setattr(queries, "LOOKED_AT", walked_at_most)
    firm = await make_firm(plan)
    person = data.draw(st.integers(0, len(plan.member_of) - 1))
    kind = data.draw(st.sampled_from(KINDS))
    chosen = data.draw(st.frozensets(st.integers(0, len(plan.parents) - 1))) if plan.parents else frozenset()

    context = await firm.acting(person, kind, chosen)

    await check(firm, context, {n for n in range(len(plan.followed_by)) if plan.sees(person, kind, chosen, n)})


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans(), data=st.data())
async def test_who_is_told_of_a_customer_are_those_who_see_the_customer(
    database: object, plan: Plan, data: st.DataObject
) -> None:
    firm = await make_firm(plan)
    chosen = data.draw(st.frozensets(st.integers(0, len(plan.parents) - 1))) if plan.parents else frozenset()
    kinds = [data.draw(st.sampled_from(KINDS)) for _ in plan.member_of]
    roles = [await firm.role(kind, chosen) for kind in kinds]
    people = [(firm.staff[n], "own", roles[n], kinds[n]) for n in range(len(kinds))]

    async with transaction(firm.world.context) as ctx:
        owners = await customers.owners(ctx, firm.customers)
        for n, id in enumerate(firm.customers):
            told = await who_see(ctx, people, owners[id]) if id in owners else set(firm.staff)
            assert told == {firm.staff[p] for p in range(len(kinds)) if plan.sees(p, kinds[p], chosen, n)}


TWO = Plan(member_of=(frozenset(), frozenset()), followed_by=(frozenset({0}), frozenset({1}), frozenset()))
"""The first person's customer, the second one's, and nobody's."""


@pytest.fixture
async def firm(database: object) -> Firm:
    return await make_firm(TWO)


async def test_a_change_of_many_rows_touches_those_in_sight_only(firm: Firm) -> None:
    async with transaction(await firm.acting(0, "own")) as ctx:
        changed = await ctx.session.scalars(update(Conversation).values(unread=0).returning(Conversation.id))
        assert set(changed) == {firm.conversations[0], firm.conversations[2]}
        assert (await ctx.session.execute(delete(Message))).rowcount == 2  # type: ignore[attr-defined]  # of a DELETE

    async with transaction(firm.world.context) as ctx:
        assert list(await ctx.session.scalars(select(Message.id))) == [firm.messages[1]]


async def test_a_scope_without_anybody_in_it_sees_what_is_nobodys(firm: Firm) -> None:
    context = Context(firm.world.tenant_id, (await firm.acting(0, "own")).actor)
    assert await all_customers(context) == [firm.customers[2]]


async def test_whoever_takes_a_conversation_follows_the_customer_from_then_on(firm: Firm) -> None:
    second = await firm.acting(1, "own")
    assert set(await all_customers(second)) == {firm.customers[1], firm.customers[2]}

    async with transaction(await firm.acting(0, "own")) as ctx:
        await conversations.take(ctx, firm.conversations[2])

    assert await all_customers(second) == [firm.customers[1]]
    async with transaction(firm.world.context) as ctx:
        card = await customer_card(ctx, firm.customers[2])
    assert [one.id for one in card.followers] == [firm.staff[0]]


async def test_whoever_answers_follows_as_well(firm: Firm) -> None:
    first = await firm.acting(0, "all")
    async with transaction(first) as ctx:
        await ctx.session.execute(
            update(Conversation)
            .where(Conversation.id == firm.conversations[1])
            .values(handler="agent", staff_id=firm.staff[0])
        )
    async with transaction(first) as ctx:
        await conversations.send_message(
            ctx, firm.conversations[1], conversations.SendRequest(purpose="service", text="我来")
        )

    assert firm.customers[1] in await all_customers(await firm.acting(0, "own"))


async def test_a_conversation_out_of_sight_can_not_be_taken(firm: Firm) -> None:
    async with transaction(await firm.acting(0, "own")) as ctx:
        with pytest.raises(NotFound):
            await conversations.take(ctx, firm.conversations[1])
