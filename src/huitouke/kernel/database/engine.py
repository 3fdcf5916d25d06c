"""The pool of connections of this process."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

POOL_SIZE = 10
CONNECT_TIMEOUT_SECONDS = 10.0
CHECKOUT_TIMEOUT_SECONDS = 10.0
COMMAND_TIMEOUT_SECONDS = 120.0
"""Ceiling on the client's side; the transaction's own statement_timeout is lower."""


@dataclass(frozen=True)
class DatabaseUrls:
    """Where PostgreSQL is, by role. Texts begin with postgresql://."""

    application: str
    direct: str
    owner: str | None = None


class Database:
    """An engine for the application's role. Transactions are opened by `transaction`, nowhere else."""

    def __init__(self, urls: DatabaseUrls, *, pool_size: int = POOL_SIZE, statement_cache: int = 256) -> None:
        self.urls = urls
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(urls.application),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=CHECKOUT_TIMEOUT_SECONDS,
            pool_use_lifo=True,
            # Parameters are people's words and password hashes: no error message, log or dead letter may hold them.
            hide_parameters=True,
            # `transaction` sends BEGIN itself, together with the tenant, in one round trip.
            isolation_level="AUTOCOMMIT",
            connect_args={
                "timeout": CONNECT_TIMEOUT_SECONDS,
                "command_timeout": COMMAND_TIMEOUT_SECONDS,
                "statement_cache_size": statement_cache,
                "prepared_statement_cache_size": statement_cache,
            },
        )

    async def connect_direct(self) -> "asyncpg.Connection[Any]":
        """A connection of its own past any pooler, for LISTEN, the notifier and the callback flusher."""
        return await asyncpg.connect(
            self.urls.direct, timeout=CONNECT_TIMEOUT_SECONDS, command_timeout=COMMAND_TIMEOUT_SECONDS
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self.engine.dispose()


_current: Database | None = None


def configure(database: Database | None) -> None:
    """Makes that the database of this process; called once at start (and by tests)."""
    global _current
    _current = database


def configured() -> Database | None:
    """The database of this process, None before `configure`."""
    return _current


def current() -> Database:
    """The database of this process.

    Raises:
        RuntimeError: `configure` has not been called.
    """
    if _current is None:
        raise RuntimeError("no database is configured in this process")
    return _current


def sqlalchemy_url(url: str) -> URL:
    """The same address for SQLAlchemy's asyncpg dialect."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if "host" in query:
        return URL.create(
            "postgresql+asyncpg",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            database=parts.path.lstrip("/") or None,
            query={"host": query["host"][0], **({"port": query["port"][0]} if "port" in query else {})},
        )
    return make_url(url).set(drivername="postgresql+asyncpg")
