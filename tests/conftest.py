"""Fixtures of every floor: one embedded server per run, one clone of a migrated template per worker.

A test isolates itself by a tenant of its own, committed for real and never cleaned up: the fence is the fixture.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import structlog

from huitouke.kernel.database import Database, configure
from huitouke.kernel.database.launcher import Server, start
from tests.support.database import clone, make_template
from tests.support.world import World, make_world

pytest_plugins = ["tests.plugins.floors", "tests.plugins.groups", "tests.plugins.live"]

SERVER_ADDRESS = "HUITOUKE_TEST_POSTGRES"
"""How the run's server is told to the workers: the superuser's URL, with {database} in it."""

_server: Server | None = None
_root: Path | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Starts the run's PostgreSQL, in the process that is no worker, before any worker starts."""
    os.environ.setdefault("HUITOUKE_TESTING", "1")
    os.environ.setdefault("HUITOUKE_LOG_LEVEL", "warning")
    # Nobody listens there: at the default address a demo may run, and what looks at our own address would find it.
    os.environ.setdefault("HUITOUKE_PUBLIC_URL", "http://127.0.0.1:9")
    # structlog's own default draws every local variable of a stack: seconds of work and megabytes per exception.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
    if hasattr(config, "workerinput") or SERVER_ADDRESS in os.environ or config.option.collectonly:
        return
    global _server, _root
    _root = Path(tempfile.mkdtemp(prefix="huitouke-test-"))
    _server = start(_root / "postgres", settings={"max_connections": "300"}, fsync=False)
    os.environ[SERVER_ADDRESS] = _server.url("{database}")
    os.environ["HUITOUKE_DATA_DIR"] = str(_root / "data")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops it again and leaves nothing behind."""
    if _server is not None:
        _server.stop()
    if _root is not None:
        shutil.rmtree(_root, ignore_errors=True)


@pytest.fixture(scope="session")
async def database(worker_id: str) -> AsyncIterator[Database]:
    """This worker's own database, reached as the application's role, and made the process's current one."""
    template = await make_template(os.environ[SERVER_ADDRESS].replace("%7Bdatabase%7D", "{database}"))
    urls = await clone(template, f"worker_{worker_id}")
    opened = Database(urls)
    configure(opened)
    yield opened
    configure(None)
    await opened.close()


@pytest.fixture
async def world(database: Database) -> World:
    """A fresh tenant with nobody and nothing in it."""
    return await make_world()


@pytest.fixture
def another_world(database: Database) -> Callable[[], Awaitable[World]]:
    """Makes further tenants, for tests in which two meet."""
    return make_world
