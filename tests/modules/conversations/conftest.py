"""One sandbox and one server of ours per run, on real sockets; a tenant and a corp of its own per test."""

import os
from collections.abc import AsyncIterator

import pytest

from huitouke.kernel.database import Database
from huitouke.kernel.settings import get_settings
from tests.modules.conversations.desk import Desk, open_desk
from tests.modules.wechat_sandbox.shop import Sandbox, running_sandbox, serving
from tests.support.http import application


@pytest.fixture(scope="session")
async def running(database: Database) -> AsyncIterator[tuple[Sandbox, str]]:
    async with running_sandbox() as sandbox:
        os.environ["HUITOUKE_WECOM_BASE_URL"] = sandbox.address
        get_settings.cache_clear()
        async with serving(application()) as address:
            yield sandbox, address
        del os.environ["HUITOUKE_WECOM_BASE_URL"]
        get_settings.cache_clear()


@pytest.fixture
async def desk(running: tuple[Sandbox, str]) -> AsyncIterator[Desk]:
    sandbox, address = running
    opened = await open_desk(sandbox, address)
    yield opened
    await sandbox.faults()
    await sandbox.post("clock", {"offset_seconds": 0})
