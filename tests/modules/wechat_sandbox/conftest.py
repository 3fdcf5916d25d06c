"""One sandbox per run, forgotten before each test: corps, faults and clock are as on the first day."""

from collections.abc import AsyncIterator

import pytest

from tests.modules.wechat_sandbox.shop import Receiver, Sandbox, Shop, open_shop, running_sandbox, serving


@pytest.fixture(scope="session")
async def running() -> AsyncIterator[Sandbox]:
    async with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(running: Sandbox) -> Sandbox:
    await running.post("reset")
    return running


@pytest.fixture
async def shop(sandbox: Sandbox) -> Shop:
    return await open_shop(sandbox)


@pytest.fixture
async def receiver(shop: Shop) -> AsyncIterator[Receiver]:
    """The shop's callback URL, verified and saved."""
    taker = Receiver()
    async with serving(taker) as address:
        saved = await shop.listen(taker, f"{address}/callback?shop=1")
        assert saved["ok"], saved
        yield taker
