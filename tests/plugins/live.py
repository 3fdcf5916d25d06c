"""For tests that talk to WeCom: one sandbox and one server of ours per file, on real sockets.

Not longer than for a file: the server works for all tenants of the worker's database and follows its clock, which
would meddle with tests that do their own work and move the clock themselves.
"""

import os
from collections.abc import AsyncIterator

import pytest

from huitouke.kernel.database import Database
from huitouke.kernel.http.testing import ClockIn, move_clock
from huitouke.kernel.settings import get_settings
from tests.modules.wechat_sandbox.shop import Sandbox, running_sandbox, serving
from tests.support.http import application


@pytest.fixture(scope="module")
async def running(database: Database) -> AsyncIterator[tuple[Sandbox, str]]:
    """The sandbox, and the address of our server, which takes that sandbox for WeCom."""
    async with running_sandbox() as sandbox:
        os.environ["HUITOUKE_WECOM_BASE_URL"] = sandbox.address
        get_settings.cache_clear()
        async with serving(application()) as address:
            yield sandbox, address
            await move_clock(ClockIn(offset_seconds=0))
        os.environ.pop("HUITOUKE_WECOM_BASE_URL", None)
        get_settings.cache_clear()
