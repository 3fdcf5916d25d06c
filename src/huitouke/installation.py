"""Where this installation's database is: the one of DATABASE_URL, or the embedded server in the data folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from huitouke.kernel import keys
from huitouke.kernel.database import Database, DatabaseUrls, configure
from huitouke.kernel.database.embedded import prepare
from huitouke.kernel.database.launcher import start
from huitouke.kernel.database.migrate import migrate
from huitouke.kernel.modules import Modules, load_modules
from huitouke.kernel.settings import Settings

T = TypeVar("T")

POSTGRES_FOLDER: Final = "postgres"
PASSWORDS_FILE: Final = "database-passwords.json"


class OwnerMissingError(RuntimeError):
    """The command needs the owner of the tables, and no DATABASE_OWNER_URL is set."""

    def __init__(self) -> None:
        super().__init__("DATABASE_OWNER_URL is not set: it names the role that owns the tables")


def configured_urls(settings: Settings) -> DatabaseUrls | None:
    """The addresses that the environment names; None when it names none, so that the embedded server serves."""
    if settings.database_url is None:
        return None
    application = settings.database_url.get_secret_value()
    direct = settings.database_direct_url
    owner = settings.database_owner_url
    return DatabaseUrls(
        application=application,
        direct=direct.get_secret_value() if direct is not None else application,
        owner=owner.get_secret_value() if owner is not None else None,
    )


@contextmanager
def database_urls(settings: Settings) -> Iterator[DatabaseUrls]:
    """The addresses, with the embedded server running while they are used.

    Raises:
        LauncherError: the embedded server can't be started; the message says what to do.
    """
    configured = configured_urls(settings)
    if configured is not None:
        yield configured
        return
    with start(settings.data_dir / POSTGRES_FOLDER) as server:
        yield asyncio.run(prepare(server, settings.data_dir / PASSWORDS_FILE))


def owner_url(urls: DatabaseUrls) -> str:
    """The owner's address.

    Raises:
        OwnerMissingError: there is none.
    """
    if urls.owner is None:
        raise OwnerMissingError
    return urls.owner


def migrate_embedded(settings: Settings, urls: DatabaseUrls, modules: Modules) -> None:
    """Brings the embedded database to this release by itself; others are migrated by `huitouke migrate`."""
    if settings.database_url is None:
        asyncio.run(migrate(owner_url(urls), modules))


def with_database(settings: Settings, use: Callable[[], Awaitable[T]]) -> T:
    """Runs `use` with the database open, and ends with its result."""

    async def run(urls: DatabaseUrls) -> T:
        database = Database(urls, statement_cache=settings.database_statement_cache)
        configure(database)
        try:
            return await use()
        finally:
            configure(None)
            await database.close()

    modules = load_modules()
    keys.ensure_ring(settings)
    with database_urls(settings) as urls:
        migrate_embedded(settings, urls, modules)
        return asyncio.run(run(urls))
