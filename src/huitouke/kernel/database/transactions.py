"""The only place that opens transactions. One transaction, one tenant."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final, cast
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import event, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria

from huitouke.kernel.context import AFTER_COMMIT, ALL_DATA, ActorKind, Context, DataScope, Scope
from huitouke.kernel.database.engine import current
from huitouke.kernel.database.models import TenantScoped
from huitouke.kernel.scoping import OF_A_FOUND_ROW, criteria

log = structlog.get_logger(__name__)

REQUEST_STATEMENT_SECONDS: Final = 10
WORK_STATEMENT_SECONDS: Final = 60
ROLLBACK_SECONDS: Final = 5.0

BROKEN: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What a connection says whose server was restarted or killed, perhaps in the middle of a step."""

DRIVER: Final = "huitouke.driver"
"""Key in `session.info` that holds the driver's connection."""

TENANT: Final = "huitouke.tenant"
"""Key in `session.info` that holds the tenant, or None in a platform transaction."""

SCOPE: Final = "huitouke.scope"
"""Key in `session.info` that holds how far the actor sees. Who acts may change within a transaction, this doesn't."""


class NestedTransactionError(RuntimeError):
    """A transaction was opened inside another one of the same context: a programming error."""


class TenantMissingError(RuntimeError):
    """A tenant's table was touched in a platform transaction: a programming error."""


class TransactionAbortedError(RuntimeError):
    """A statement had failed and its error was swallowed, so the commit became a rollback."""


class TenantSession(Session):
    """A session bound to one tenant and one scope: reads are narrowed to them, new rows are filled with the tenant."""


@asynccontextmanager
async def transaction(context: Context, *, durable: bool = True) -> AsyncIterator[Context]:
    """Opens a transaction of the context's tenant; commits at the end, rolls back on an exception.

    Gives the same context with its `session`. BEGIN, the tenant and the time limits go in one round trip.
    `durable=False` doesn't wait for the disk: a crash of PostgreSQL may take the last commits back, in their order.
    Only for steps of work that are then done again by themselves, and that nobody hears of before a durable one.

    Raises:
        NestedTransactionError: the context already has an open transaction.
    """
    if context.open_session is not None:
        raise NestedTransactionError("this context already has an open transaction")
    works = context.lease is not None or context.actor.kind is ActorKind.JOB
    seconds = WORK_STATEMENT_SECONDS if works else REQUEST_STATEMENT_SECONDS
    async with _opened(context.tenant_id, seconds, scope=context.scope, durable=durable) as session:
        yield replace(context, open_session=session)


@asynccontextmanager
async def platform_transaction() -> AsyncIterator[AsyncSession]:
    """Opens a transaction without a tenant, in which only platform-scope tables and gates may be used.

    Raises:
        TenantMissingError: at the first statement that names a tenant's model.
    """
    async with _opened(None, REQUEST_STATEMENT_SECONDS) as session:
        yield session


async def connection(context: Context) -> "asyncpg.Connection[Any]":
    """The driver's connection of the open transaction, for hot SQL and COPY. Hand-written SQL binds the tenant as $1.

    Flushes first, so that the statement sees what the session holds.
    """
    session = context.session
    await _flush(session)
    if session.in_nested_transaction():
        await session.connection()  # sets the savepoint, which otherwise waits for the mapper's first statement
    driver: asyncpg.Connection[Any] = session.info[DRIVER]
    return driver


@asynccontextmanager
async def _opened(
    tenant_id: UUID | None, statement_seconds: int, *, scope: Scope = ALL_DATA, durable: bool = True
) -> AsyncIterator[AsyncSession]:
    async with _begun(tenant_id, statement_seconds, durable) as (bound, driver):
        info = {TENANT: tenant_id, SCOPE: scope, DRIVER: driver}
        session = AsyncSession(bound, sync_session_class=TenantSession, expire_on_commit=False, info=info)
        try:
            yield session
            await _flush(session)
            await _commit(driver)
        except BaseException:
            await _roll_back(bound, driver)
            raise
        finally:
            await session.close()
    for hook in session.info.get(AFTER_COMMIT, ()):
        hook()


@asynccontextmanager
async def _begun(
    tenant_id: UUID | None, seconds: int, durable: bool
) -> "AsyncIterator[tuple[AsyncConnection, asyncpg.Connection[Any]]]":
    """A connection of the pool with an open transaction.

    Raises:
        asyncpg.PostgresConnectionError: the server can't be reached, whatever the system calls that.
    """
    begun = False
    try:
        async with current().engine.connect() as bound:
            driver = await _begin(bound, tenant_id, seconds, durable)
            begun = True
            yield bound, driver
    except OSError as error:
        if begun:
            raise
        raise asyncpg.ClientCannotConnectError(f"{type(error).__name__}: {error}") from error


async def _begin(
    bound: AsyncConnection, tenant_id: UUID | None, seconds: int, durable: bool
) -> "asyncpg.Connection[Any]":
    statement = (
        f"BEGIN; SELECT set_config('huitouke.tenant_id', '{tenant_id or ''}', true),"
        f" set_config('statement_timeout', '{seconds}s', true),"
        f" set_config('idle_in_transaction_session_timeout', '{seconds}s', true)"
    )
    if not durable:
        statement += ", set_config('synchronous_commit', 'off', true)"
    try:
        driver = await _driver(bound)
        await driver.execute(statement)
    except (*BROKEN, DBAPIError):
        # The server was restarted while the connection lay in the pool: BEGIN is the ping. Once more, on a new one.
        await bound.invalidate()
        driver = await _driver(bound)
        await driver.execute(statement)
    return driver


async def _flush(session: AsyncSession) -> None:
    """Writes what the session holds; a session that only read has nothing to write and is not asked."""
    if session.new or session.dirty or session.deleted:
        await session.flush()


async def _commit(driver: "asyncpg.Connection[Any]") -> None:
    tag = await driver.execute("COMMIT")
    if tag != "COMMIT":
        raise TransactionAbortedError("a statement had failed in this transaction; nothing was committed")


async def _roll_back(bound: AsyncConnection, driver: "asyncpg.Connection[Any]") -> None:
    """Ends the transaction whatever happened; a connection that can't be brought back is thrown away."""
    try:
        if driver.is_closed():
            raise asyncpg.InterfaceError("connection is closed")
        await asyncio.shield(asyncio.wait_for(driver.execute("ROLLBACK"), ROLLBACK_SECONDS))
    except (asyncpg.PostgresError, *BROKEN, asyncio.CancelledError) as error:
        log.warning("database.connection_dropped", reason=type(error).__name__)
        await bound.invalidate()
        if isinstance(error, asyncio.CancelledError):
            raise


async def _driver(bound: AsyncConnection) -> "asyncpg.Connection[Any]":
    raw = await bound.get_raw_connection()
    driver: asyncpg.Connection[Any] | None = raw.driver_connection
    if driver is None:
        raise asyncpg.InterfaceError("connection is closed")
    return driver


@event.listens_for(TenantSession, "do_orm_execute")
def _bind_tenant_and_scope(state: ORMExecuteState) -> None:
    """Binds every ORM statement to the tenant, besides the fence of the database, and to what its actor may see.

    A prepared statement whose tenant came from the policy alone would have no parameter, and PostgreSQL would keep
    the plan that it made for the first tenant on that connection.
    """
    tenant_id = state.session.info[TENANT]
    if tenant_id is None:
        if any(issubclass(mapper.class_, TenantScoped) for mapper in state.all_mappers):
            raise TenantMissingError(f"{state.all_mappers[0].class_.__name__} belongs to a tenant")
        return
    if state.is_select or state.is_update or state.is_delete:
        scope = state.session.info[SCOPE]
        narrowed = isinstance(scope, DataScope) and not OF_A_FOUND_ROW.keys() & state.execution_options.keys()
        state.statement = state.statement.options(
            with_loader_criteria(TenantScoped, lambda cls: cls.tenant_id == tenant_id, include_aliases=True),
            *(criteria(tenant_id, cast(DataScope, scope)) if narrowed else ()),
        )


@event.listens_for(TenantSession, "before_flush")
def _fill_tenant(session: Session, _flush: UOWTransaction, _instances: object) -> None:
    tenant_id = session.info[TENANT]
    for row in session.new:
        if not isinstance(row, TenantScoped):
            continue
        if tenant_id is None:
            raise TenantMissingError(f"{type(row).__name__} belongs to a tenant")
        if inspect(row).attrs.tenant_id.value is None:
            row.tenant_id = tenant_id
