"""A merchant that is connected to WeCom: a tenant and a corp of its own per test."""

from collections.abc import AsyncIterator

import pytest

from tests.modules.conversations.desk import Desk, open_desk
from tests.modules.wechat_sandbox.shop import Sandbox


@pytest.fixture
async def desk(running: tuple[Sandbox, str]) -> AsyncIterator[Desk]:
    sandbox, address = running
    opened = await open_desk(sandbox, address)
    yield opened
    await sandbox.faults()
    await sandbox.post("clock", {"offset_seconds": 0})
