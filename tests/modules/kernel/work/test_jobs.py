"""Jobs: done at least once, tried again with growing waits, kept for a person when trying is of no use."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from pydantic import BaseModel

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.modules import Module
from huitouke.kernel.work import GiveUp, RetryLater, dead_letters, enqueue, job, runner, wake
from huitouke.kernel.work.testing import drain
from tests.modules.kernel.work.support import count_items
from tests.support.world import World


class Args(BaseModel):
    number: int


@pytest.fixture(autouse=True)
def _clock() -> object:
    yield
    clock.set_offset(0)


async def test_a_job_gets_its_arguments_and_is_gone_when_done(world: World) -> None:
    got: list[Args] = []

    @job("test.job")
    async def do(context: Context, args: Args) -> None:
        assert context.tenant_id == world.tenant_id
        got.append(args)

    async with transaction(world.context) as ctx:
        await enqueue(ctx, "test.job", Args(number=7))
    await drain(modules=[Module("test", jobs=(do,))])

    assert got == [Args(number=7)]
    assert await count_items(world) == 0


async def test_the_same_idempotency_key_is_one_job_even_after_it_is_done(world: World) -> None:
    runs = 0

    @job("test.idempotent")
    async def do(context: Context, args: Args) -> None:
        nonlocal runs
        runs += 1

    ids = []
    for _ in range(3):
        async with transaction(world.context) as ctx:
            ids.append(await enqueue(ctx, "test.idempotent", Args(number=1), idempotency_key="once"))
        await drain(modules=[Module("test", jobs=(do,))])

    assert runs == 1
    assert len(set(ids)) == 1


async def test_a_job_for_later_is_done_when_its_time_has_come(world: World) -> None:
    runs = 0

    @job("test.later")
    async def do(context: Context, args: Args) -> None:
        nonlocal runs
        runs += 1

    module = Module("test", jobs=(do,))
    async with transaction(world.context) as ctx:
        await enqueue(ctx, "test.later", Args(number=1), run_at=clock.now() + timedelta(hours=48))
    await drain(modules=[module])
    assert runs == 0

    clock.set_offset(48 * 3600 + 1)
    await drain(modules=[module])
    assert runs == 1


async def test_a_failing_job_is_tried_again_with_growing_waits_and_then_becomes_a_dead_letter(world: World) -> None:
    at: list[float] = []

    @job("test.fails", max_attempts=3)
    async def do(context: Context, args: Args) -> None:
        at.append(clock.offset_seconds())
        raise RuntimeError("the outside says no")

    module = Module("test", jobs=(do,))
    async with transaction(world.context) as ctx:
        await enqueue(ctx, "test.fails", Args(number=1))
    for offset in (0, 3, 10, 15, 30, 60):
        clock.set_offset(offset)
        await drain(modules=[module])

    assert at == [0, 10, 30]  # 5 s and 10 s, ± 25 %
    assert await count_items(world) == 0
    async with transaction(world.context) as ctx:
        (letter,) = (await dead_letters.list_dead_letters(ctx)).items
    assert (letter.source, letter.kind, letter.attempts, letter.arguments) == ("job", "test.fails", 3, {"number": 1})
    assert letter.error == "RuntimeError: the outside says no"


async def test_a_replayed_dead_letter_is_done_again_and_leaves_the_list(world: World) -> None:
    failing = True
    done: list[int] = []

    @job("test.replayed")
    async def do(context: Context, args: Args) -> None:
        if failing:
            raise GiveUp("wrong secret")
        done.append(args.number)

    module = Module("test", jobs=(do,))
    async with transaction(world.context) as ctx:
        await enqueue(ctx, "test.replayed", Args(number=3))
    await drain(modules=[module])
    async with transaction(world.context) as ctx:
        (letter,) = (await dead_letters.list_dead_letters(ctx)).items
    assert letter.error == "wrong secret"

    failing = False
    async with transaction(world.context) as ctx:
        await dead_letters.replay(ctx, letter.id)
    await drain(modules=[module])

    assert done == [3]
    async with transaction(world.context) as ctx:
        assert (await dead_letters.list_dead_letters(ctx)).items == []
        with pytest.raises(NotFound):
            await dead_letters.replay(ctx, letter.id)


async def test_dead_letters_come_page_by_page_and_only_to_their_tenant(
    world: World, another_world: Callable[[], Awaitable[World]]
) -> None:
    @runner("test.dead")
    async def run(context: Context, key: str) -> None:
        raise GiveUp(key)

    other = await another_world()
    async with transaction(world.context) as ctx:
        for number in range(5):
            await wake(ctx, "test.dead", str(number))
    await drain(modules=[Module("test", runners=(run,))])

    seen: list[str] = []
    cursor: str | None = None
    while True:
        async with transaction(world.context) as ctx:
            page = await dead_letters.list_dead_letters(ctx, limit=2, cursor=cursor)
        seen += [letter.key for letter in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert sorted(seen) == ["0", "1", "2", "3", "4"]
    async with transaction(other.context) as ctx:
        assert (await dead_letters.list_dead_letters(ctx)).items == []


async def test_retry_later_says_itself_when(world: World) -> None:
    at: list[float] = []

    @runner("test.retry_later")
    async def run(context: Context, key: str) -> None:
        at.append(clock.offset_seconds())
        if len(at) == 1:
            raise RetryLater(after_seconds=300)

    module = Module("test", runners=(run,))
    async with transaction(world.context) as ctx:
        await wake(ctx, "test.retry_later", "a")
    for offset in (0, 299, 301):
        clock.set_offset(offset)
        await drain(modules=[module])

    assert at == [0, 301]


async def test_arguments_that_do_not_fit_are_a_dead_letter_at_once(world: World) -> None:
    @job("test.misfit")
    async def do(context: Context, args: Args) -> None:
        raise AssertionError("never called")

    async with transaction(world.context) as ctx:
        await enqueue(ctx, "test.misfit", {"number": "many"})
    await drain(modules=[Module("test", jobs=(do,))])

    async with transaction(world.context) as ctx:
        (letter,) = (await dead_letters.list_dead_letters(ctx)).items
    assert "number" in letter.error


async def test_a_waiting_retry_does_not_lose_a_wake_up(world: World) -> None:
    runs = 0

    @runner("test.fails_first")
    async def run(context: Context, key: str) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError("once")

    module = Module("test", runners=(run,))
    for _ in range(2):
        async with transaction(world.context) as ctx:
            await wake(ctx, "test.fails_first", "a")
        await drain(modules=[module])
    assert runs == 1  # the back-off holds also for those who wake

    clock.set_offset(5)
    await drain(modules=[module])
    assert runs == 2
    assert await count_items(world) == 0


@pytest.mark.parametrize(
    "said", ["a\0b", "half a character \ud83d", "\0" * 5_000, "长" * 5_000], ids=["null", "half", "nulls", "long"]
)
async def test_whatever_an_error_says_is_stored_and_stops_nobody(world: World, said: str) -> None:
    """Errors quote what people sent. One that could not be stored would end the worker with all that waits on it."""
    ran: list[str] = []

    @job("test.quotes", max_attempts=1)
    async def quotes(context: Context, args: Args) -> None:
        raise ValueError(said)

    @job("test.after")
    async def after(context: Context, args: Args) -> None:
        ran.append("after")

    async with transaction(world.context) as ctx:
        await enqueue(ctx, "test.quotes", Args(number=1))
        await enqueue(ctx, "test.after", Args(number=2))
    await drain(modules=[Module("test", jobs=(quotes, after))])

    assert ran == ["after"]
    async with transaction(world.context) as ctx:
        (letter,) = (await dead_letters.list_dead_letters(ctx)).items
    assert letter.error.startswith("ValueError")


async def test_arguments_that_do_not_fit_are_not_quoted(world: World) -> None:
    @job("test.picky")
    async def picky(context: Context, args: Args) -> None:
        raise AssertionError("not called")

    async with transaction(world.context) as ctx:
        await enqueue(ctx, "test.picky", {"number": "13812345678 leaked"})
    await drain(modules=[Module("test", jobs=(picky,))])

    async with transaction(world.context) as ctx:
        (letter,) = (await dead_letters.list_dead_letters(ctx)).items
    assert "number: int_parsing" in letter.error
    assert "leaked" not in letter.error
