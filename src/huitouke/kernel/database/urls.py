"""Where the database of this installation is: settings, or the embedded server."""

from dataclasses import dataclass

from huitouke.kernel.database.embedded import prepare
from huitouke.kernel.database.engine import DatabaseUrls
from huitouke.kernel.database.launcher import Server, start
from huitouke.kernel.settings import Settings


@dataclass
class Located:
    """The addresses, and the embedded server when this process uses one (stop it at the end)."""

    urls: DatabaseUrls
    server: Server | None = None

    def close(self) -> None:
        """Stops the embedded server if this process owns it."""
        if self.server is not None:
            self.server.stop()


async def locate(settings: Settings) -> Located:
    """The database of the settings; without DATABASE_URL an embedded server under the data folder is started.

    Raises:
        LauncherError: no PostgreSQL binaries were found, or the server doesn't start; the message says what to do.
    """
    if settings.database_url is not None:
        application = settings.database_url.get_secret_value()
        direct = settings.database_direct_url.get_secret_value() if settings.database_direct_url else application
        owner = settings.database_owner_url.get_secret_value() if settings.database_owner_url else None
        return Located(DatabaseUrls(application, direct, owner))
    server = start(settings.data_dir / "postgres")
    try:
        urls = await prepare(server, settings.data_dir / "postgres-roles.json")
    except BaseException:
        server.stop()
        raise
    return Located(urls, server)
