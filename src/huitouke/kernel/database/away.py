"""Whether an error means that the database is gone, going or coming: then nobody is at fault, and it passes."""

from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

AWAY: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InternalClientError,
    PoolTimeout,
)
"""What a connection says when its server is gone, going or coming, or has no room; and the pool when nobody gives one
back."""


def is_away(error: BaseException) -> bool:
    """For an error out of a transaction, as asyncpg or SQLAlchemy raise it.

    A socket's own errors count too: in the middle of a step asyncpg lets them through. Those of other connections
    reach nobody bare, for the HTTP client wraps them.
    """
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = cause_of(error)
    # asyncpg has no class of its own for a connection that is closed; its other interface errors are misuse.
    closed = isinstance(cause, asyncpg.InterfaceError) and "closed" in str(cause)
    return closed or isinstance(cause, (*AWAY, ConnectionError))


def cause_of(error: BaseException) -> BaseException | None:
    """The driver's own error below SQLAlchemy's; any other as it is."""
    return error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig is not None else error
