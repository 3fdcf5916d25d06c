"""A PostgreSQL that syncs every commit to the disk, of the benchmark's own, kept between runs."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.support.options import CACHE
from huitouke.kernel.database import launcher
from huitouke.kernel.database.postgres_binaries import find_binaries

SETTINGS: Final = {"max_connections": "200", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@contextmanager
def durable_server(benchmark: str, settings: Mapping[str, str] | None = None) -> Iterator[launcher.Server]:
    """Starts (and at the end stops) the benchmark's server; `settings` are PostgreSQL's own, beside the durable ones.

    Raises:
        LauncherError: another run of the same benchmark has it.
    """
    with launcher.start(CACHE / benchmark / "postgres", settings={**SETTINGS, **(settings or {})}) as server:
        if not server.owned:
            raise launcher.LauncherError(f"The benchmark {benchmark} is running already; two would measure each other.")
        yield server


def address(server: launcher.Server) -> str:
    """The superuser's address with {database} in it, as `tests.support.database` takes it."""
    return server.url("{database}").replace("%7Bdatabase%7D", "{database}")


def pgbench() -> Path:
    """pgbench beside the server's own binaries.

    Raises:
        LauncherError: these binaries come without it.
    """
    program = find_binaries().folder / "pgbench"
    if not program.exists():
        raise launcher.LauncherError(f"There is no pgbench beside {shlex.quote(str(program.parent))}/postgres.")
    return program
