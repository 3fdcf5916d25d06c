"""For tests that talk to WeCom: one sandbox and one server of ours per file, on real sockets.

Not longer than for a file: the server works for all tenants of the worker's database and follows its clock, which
would meddle with tests that do their own work and move the clock themselves.
"""

import os
from collections.abc import AsyncIterator

import asyncpg
import pytest

from huitouke.kernel.database import Database
from huitouke.kernel.settings import get_settings
from tests.modules.wechat_sandbox.shop import Sandbox, running_sandbox, serving
from tests.support.http import application
from tests.support.time import today


async def disconnect_all(database: Database) -> None:
    """Whoever does all work that is due later need not wait for a WeCom that is gone."""
    owner = await asyncpg.connect(database.urls.owner)
    try:
        await owner.execute("SET row_security = off")
        await owner.execute("UPDATE channel_accounts SET state = 'disconnected', wecom_app_id = NULL")
        await owner.execute("DELETE FROM work_items")
    finally:
        await owner.close()


@pytest.fixture(scope="module")
async def running(database: Database) -> AsyncIterator[tuple[Sandbox, str]]:
    """The sandbox, and the address of our server, which takes that sandbox for WeCom."""
    async with running_sandbox() as sandbox:
        os.environ["HUITOUKE_WECOM_BASE_URL"] = sandbox.address
        get_settings.cache_clear()
        async with serving(application()) as address:
            yield sandbox, address
            await today()
            await disconnect_all(database)
        os.environ.pop("HUITOUKE_WECOM_BASE_URL", None)
        get_settings.cache_clear()
