"""Runs that share a transaction: one commit for many, each with its own result, its own failure and its own lease."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text

from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import Module
from huitouke.kernel.work import Gathering, LeaseLost, runner, wake_many
from huitouke.kernel.work.kinds import Lease
from tests.modules.kernel.work.support import settled, working
from tests.support.world import World, make_world


class Book:
    """A step that keeps which items it was given together, and in which tenant."""

    def __init__(self, **options: int) -> None:
        self.groups: list[list[str]] = []
        self.tenants: list[UUID] = []
        self.begun = asyncio.Event()
        self.step = Gathering(self.together, **options)

    async def together(self, ctx: Context, items: Sequence[str]) -> list[str]:
        self.groups.append(list(items))
        self.begun.set()
        self.tenants.append(ctx.tenant_id)
        raw = await connection(ctx)
        for item in items:
            if item.startswith("bad"):
                raise ValueError(item)
            await raw.execute(
                "INSERT INTO work_idempotency (tenant_id, kind, idempotency_key, job_id, created_at)"
                " VALUES ($1, 'test.book', $2, $3, now())",
                ctx.tenant_id,
                item,
                new_id(),
            )
        return [item.upper() for item in items]


async def stored(world: World) -> set[str]:
    async with transaction(world.context) as ctx:
        query = text("SELECT idempotency_key FROM work_idempotency WHERE tenant_id = :tenant AND kind = 'test.book'")
        return set((await ctx.session.execute(query, {"tenant": world.tenant_id})).scalars())


async def test_what_is_handed_in_at_once_is_done_at_once_and_each_gets_its_own_result(world: World) -> None:
    book = Book(at_once=1)

    results = await asyncio.gather(*(book.step(world.context, item) for item in "abc"))

    assert results == ["A", "B", "C"]
    assert book.groups == [["a", "b", "c"]]
    assert await stored(world) == {"a", "b", "c"}


async def test_a_group_has_an_upper_size(world: World) -> None:
    book = Book(most=2, at_once=1)

    await asyncio.gather(*(book.step(world.context, item) for item in "abcde"))

    assert book.groups == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_bad_one_fails_by_itself_and_the_others_are_stored(world: World) -> None:
    book = Book(at_once=1)

    results = await asyncio.gather(
        *(book.step(world.context, item) for item in ("a", "bad", "c")), return_exceptions=True
    )

    assert results[0] == "A"
    assert isinstance(results[1], ValueError)
    assert results[2] == "C"
    assert await stored(world) == {"a", "c"}


async def test_tenants_never_share_a_transaction(world: World) -> None:
    other, book = await make_world(), Book()

    await asyncio.gather(book.step(world.context, "a"), book.step(other.context, "b"))

    assert sorted(zip(book.tenants, book.groups, strict=True)) == sorted(
        [(world.tenant_id, ["a"]), (other.tenant_id, ["b"])]
    )
    assert (await stored(world), await stored(other)) == ({"a"}, {"b"})


async def test_who_has_lost_the_lease_stores_nothing_and_the_others_do(world: World) -> None:
    book = Book(at_once=1)
    lost = replace(world.context, lease=Lease(new_id(), world.tenant_id, "test.book", "gone", 1))

    results = await asyncio.gather(book.step(lost, "a"), book.step(world.context, "b"), return_exceptions=True)

    assert isinstance(results[0], LeaseLost)
    assert results[1] == "B"
    assert await stored(world) == {"b"}


async def test_a_run_that_is_cancelled_leaves_the_others_alone(world: World) -> None:
    book = Book(at_once=1)
    runs = [asyncio.create_task(book.step(world.context, item)) for item in "abc"]
    await asyncio.sleep(0)
    runs[1].cancel()

    results = await asyncio.gather(*runs, return_exceptions=True)

    assert (results[0], results[2]) == ("A", "C")
    assert isinstance(results[1], asyncio.CancelledError)
    assert await stored(world) == {"a", "c"}


async def test_what_comes_while_a_group_is_being_done_is_the_next_one(world: World) -> None:
    book = Book(at_once=1)
    first = asyncio.create_task(book.step(world.context, "a"))
    await book.begun.wait()
    await asyncio.gather(first, book.step(world.context, "b"), book.step(world.context, "c"))

    assert book.groups == [["a"], ["b", "c"]]


@pytest.mark.parametrize("keys", [1, 30])
async def test_runs_of_a_worker_write_behind_their_leases(world: World, keys: int) -> None:
    book = Book()

    @runner("test.gathered")
    async def run(context: Context, key: str) -> None:
        await book.step(context, key)

    names = {f"k{number}" for number in range(keys)}
    async with working(Module("test", runners=(run,))):
        async with transaction(world.context) as ctx:
            await wake_many(ctx, "test.gathered", names)
        await settled(world)

    assert await stored(world) == names
    assert len(book.groups) < 30
