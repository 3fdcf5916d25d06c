"""A sandbox, a server that holds sockets too, and two merchants on them, made once for all tests from outside."""

import os
from collections.abc import AsyncIterator

import pytest

from huitouke.app import create_app
from huitouke.kernel.database import Database
from huitouke.kernel.modules import load_modules
from huitouke.kernel.settings import get_settings
from huitouke.services import Role
from tests.isolation.neighbours import Merchant, merchant
from tests.modules.wechat_sandbox.shop import Sandbox, running_sandbox, serving
from tests.support.database import own_database


@pytest.fixture(scope="package")
async def database(worker_id: str) -> AsyncIterator[Database]:
    """A database in which only these tests have left anything."""
    address = os.environ["HUITOUKE_TEST_POSTGRES"].replace("%7Bdatabase%7D", "{database}")
    async with own_database(address, f"isolation_{worker_id}") as own:
        yield own


@pytest.fixture(scope="package")
async def running(database: Database) -> AsyncIterator[tuple[Sandbox, str]]:
    """The sandbox, and our server's address."""
    async with running_sandbox() as sandbox:
        os.environ["HUITOUKE_WECOM_BASE_URL"] = sandbox.address
        get_settings.cache_clear()
        async with serving(create_app(get_settings(), load_modules(), [Role.REALTIME])) as address:
            yield sandbox, address
        os.environ.pop("HUITOUKE_WECOM_BASE_URL", None)
        get_settings.cache_clear()


@pytest.fixture(scope="package")
async def mine(running: tuple[Sandbox, str]) -> AsyncIterator[Merchant]:
    async with merchant(*running) as one:
        yield one


@pytest.fixture(scope="package")
async def theirs(running: tuple[Sandbox, str]) -> AsyncIterator[Merchant]:
    async with merchant(*running) as one:
        yield one
