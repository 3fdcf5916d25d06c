"""A connection that one part of a process has to itself, past the pool: workers' gates, the callback flusher."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from huitouke.kernel.database import Database

STATEMENT_TIMEOUT_SECONDS: Final = 10

CONNECTION_ERRORS: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, starting up, statement cancelled
    asyncpg.InsufficientResourcesError,  # too many connections, out of memory, disk full
    asyncpg.TransactionRollbackError,  # deadlock
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server died while the client was in the middle of a step
    OSError,
    TimeoutError,
)
"""The database is away or overloaded for the moment; worth another try."""


class DedicatedConnection:
    """Connects at first use, and anew after a failure. One statement at a time; who comes second waits."""

    def __init__(self, database: Database, *, durable: bool = True) -> None:
        """`durable=False`: what a crash of PostgreSQL could take back is done again anyway (`synchronous_commit`)."""
        self._database = database
        self._durable = durable
        self._connection: asyncpg.Connection[Any] | None = None
        self._busy = asyncio.Lock()

    @asynccontextmanager
    async def held(self) -> "AsyncIterator[asyncpg.Connection[Any]]":
        """The connection, for the block alone.

        Raises:
            one of CONNECTION_ERRORS: the database can't be reached.
        """
        async with self._busy:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await self._database.connect_direct()
                    await self._connection.execute(
                        f"SET statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s';"
                        f" SET synchronous_commit = {'on' if self._durable else 'off'}"
                    )
                yield self._connection
            except BaseException as error:
                # A statement that PostgreSQL refused leaves the connection as it was. After anything else nobody
                # knows what it is in the middle of: the next one begins with a new connection.
                if isinstance(error, CONNECTION_ERRORS) or not isinstance(error, asyncpg.PostgresError):
                    await self.close()
                raise

    async def close(self) -> None:
        """Closes the connection; a later use opens another."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
