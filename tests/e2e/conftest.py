"""One server, one sandbox and one browser per worker; a merchant of its own for each journey."""

import os
from collections.abc import AsyncIterator, Generator

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.conftest import SERVER_ADDRESS
from tests.e2e.composers.shop import Shop, found_shop, open_shop
from tests.e2e.composers.stage import Stage, running_stage
from tests.e2e.pages.browser import launch
from tests.e2e.pages.screens import Screens

EXPECT_MILLISECONDS = 20_000

_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report


@pytest.fixture(scope="session")
async def stage(worker_id: str) -> AsyncIterator[Stage]:
    """What runs for all journeys of this worker."""
    async with running_stage(os.environ[SERVER_ADDRESS].replace("%7Bdatabase%7D", "{database}"), worker_id) as running:
        yield running


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all journeys of this worker; each opens contexts of its own."""
    expect.set_options(timeout=EXPECT_MILLISECONDS)
    async with async_playwright() as playwright:
        started = await launch(playwright)
        yield started
        await started.close()


@pytest.fixture
async def screens(browser: Browser, stage: Stage, request: pytest.FixtureRequest) -> AsyncIterator[Screens]:
    """Opens pages. After the journey: no page may have seen an error; a failure leaves pictures and traces."""
    opened = Screens(browser, stage)
    yield opened
    problems = opened.problems
    failed = problems or request.node.stash.get(_failed, False)
    if failed:
        await opened.keep(request.node.name)
    await opened.close()
    assert not problems, "\n".join(problems)


@pytest.fixture
async def healthy(stage: Stage) -> AsyncIterator[None]:
    """Journeys that make faults or move the sandbox's clock leave it healthy."""
    yield
    await stage.sandbox.faults()
    await stage.sandbox.post("clock", {"offset_seconds": 0})


@pytest.fixture
async def shop(stage: Stage) -> AsyncIterator[Shop]:
    """A merchant that is connected both ways and knows three answers."""
    opened = await open_shop(stage)
    yield opened
    await opened.close()


@pytest.fixture
async def new_shop(stage: Stage) -> AsyncIterator[Shop]:
    """A merchant with an owner and nothing else; its app waits in WeCom's admin pages."""
    founded = await found_shop(stage)
    await founded.make_app()
    yield founded
    await founded.close()
