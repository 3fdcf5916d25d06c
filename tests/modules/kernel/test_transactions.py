"""Transactions: one tenant each, fenced, committed at the edge."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from huitouke.kernel.context import NoTransactionError
from huitouke.kernel.database import connection, platform_transaction, transaction
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
