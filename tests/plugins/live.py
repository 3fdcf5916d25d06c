"""For tests that talk to WeCom: one sandbox and one server of ours per run, on real sockets."""

import os
from collections.abc import AsyncIterator

import pytest

from huitouke.kernel.database import Database
from huitouke.kernel.settings import get_settings
from tests.modules.wechat_sandbox.shop import Sandbox, running_sandbox, serving
from tests.support.http import application


@pytest.fixture(scope="session")
async def running(database: Database) -> AsyncIterator[tuple[Sandbox, str]]:
    """The sandbox, and the address of our server, which takes that sandbox for WeCom."""
    async with running_sandbox() as sandbox:
        os.environ["HUITOUKE_WECOM_BASE_URL"] = sandbox.address
        get_settings.cache_clear()
        async with serving(application()) as address:
            yield sandbox, address
        os.environ.pop("HUITOUKE_WECOM_BASE_URL", None)
        get_settings.cache_clear()
