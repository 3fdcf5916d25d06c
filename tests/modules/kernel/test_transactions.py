"""Transactions: one tenant each, fenced, committed at the edge."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import text

from huitouke.kernel.context import NoTransactionError
from huitouke.kernel.database import (
    Database,
    DatabaseUrls,
    configure,
    connection,
    current,
    platform_transaction,
    transaction,
)
from huitouke.kernel.database.transactions import NestedTransactionError, TransactionAbortedError
from tests.support.world import World

MakeWorld = Callable[[], Awaitable[World]]


async def test_a_context_without_a_transaction_has_no_session(world: World) -> None:
    with pytest.raises(NoTransactionError):
        _ = world.context.session


async def test_the_transaction_bears_its_tenant_and_forgets_it_afterwards(world: World) -> None:
    async with transaction(world.context) as ctx:
        inside = await ctx.session.scalar(text("SELECT current_setting('huitouke.tenant_id', true)"))
    async with platform_transaction() as session:
        after = await session.scalar(text("SELECT current_setting('huitouke.tenant_id', true)"))
    assert inside == str(world.tenant_id)
    assert after == ""


async def test_one_that_need_not_be_durable_does_not_make_the_next_one_so(world: World) -> None:
    setting = text("SELECT current_setting('synchronous_commit')")
    async with transaction(world.context) as ctx:
        usual = await ctx.session.scalar(setting)
    async with transaction(world.context, durable=False) as ctx:
        assert await ctx.session.scalar(setting) == "off"
    async with transaction(world.context) as ctx:
        assert await ctx.session.scalar(setting) == usual


async def test_a_transaction_inside_another_is_refused(world: World) -> None:
    async with transaction(world.context) as ctx:
        with pytest.raises(NestedTransactionError):
            async with transaction(ctx):
                pass


async def test_hooks_run_after_the_commit_and_never_after_a_rollback(world: World) -> None:
    ran: list[str] = []
    async with transaction(world.context) as ctx:
        ctx.after_commit(lambda: ran.append("committed"))
        assert ran == []
    with pytest.raises(ZeroDivisionError):
        async with transaction(world.context) as ctx:
            ctx.after_commit(lambda: ran.append("rolled back"))
            raise ZeroDivisionError
    assert ran == ["committed"]


async def test_a_swallowed_error_of_the_database_does_not_pass_for_a_commit(world: World) -> None:
    with pytest.raises(TransactionAbortedError):
        async with transaction(world.context) as ctx:
            driver = await connection(ctx)
            with pytest.raises(Exception, match="division by zero"):
                await driver.execute("SELECT 1 / 0")


async def test_a_savepoint_undoes_only_its_own_part(world: World) -> None:
    async with transaction(world.context) as ctx:
        await ctx.session.execute(text("CREATE TEMPORARY TABLE parts (n int) ON COMMIT DROP"))
        await ctx.session.execute(text("INSERT INTO parts VALUES (1)"))
        with pytest.raises(ZeroDivisionError):
            async with ctx.session.begin_nested():
                await ctx.session.execute(text("INSERT INTO parts VALUES (2)"))
                raise ZeroDivisionError
        kept = (await ctx.session.execute(text("SELECT n FROM parts"))).scalars().all()
    assert kept == [1]


async def test_a_restarted_server_is_met_with_a_new_connection(world: World) -> None:
    async with transaction(world.context) as ctx:
        pid = await ctx.session.scalar(text("SELECT pg_backend_pid()"))
    async with platform_transaction() as session:
        other = await session.scalar(text("SELECT pg_backend_pid()"))
        await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid if pid != other else -1})
    async with transaction(world.context) as ctx:
        assert await ctx.session.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize(
    "failure",
    [
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
        asyncpg.CrashShutdownError("terminating connection because of crash of another server process"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        ConnectionResetError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_a_connection_that_broke_is_not_used_again(
    world: World, failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[object] = []
    execute = asyncpg.Connection.execute

    async def breaks(self: object, query: str, *arguments: object, **more: object) -> object:
        if query == "ROLLBACK" and not broken:
            broken.append(self)
        if self in broken:
            raise failure
        return await execute(self, query, *arguments, **more)

    monkeypatch.setattr(asyncpg.Connection, "execute", breaks)
    with pytest.raises(ZeroDivisionError):
        async with transaction(world.context):
            raise ZeroDivisionError
    for _ in range(20):
        async with transaction(world.context) as ctx:
            assert await ctx.session.scalar(text("SELECT 1")) == 1
    assert len(broken) == 1


@pytest.mark.parametrize("address", ["127.0.0.1:9/x", "/x?host=/nowhere/at/all"], ids=["no port", "no socket"])
async def test_a_server_that_can_not_be_reached_is_called_so_whatever_the_system_calls_it(
    world: World, address: str
) -> None:
    before = current()
    configure(Database(DatabaseUrls(f"postgresql://nobody@{address}", f"postgresql://nobody@{address}")))
    try:
        with pytest.raises(asyncpg.PostgresConnectionError):
            async with transaction(world.context):
                pass
    finally:
        configure(before)


async def test_an_error_of_the_system_inside_a_transaction_stays_what_it_is(world: World) -> None:
    with pytest.raises(FileNotFoundError):
        async with transaction(world.context):
            raise FileNotFoundError
