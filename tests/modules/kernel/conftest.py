"""The kernel's tests do all the work there is, so they have a database of their own."""

import os
from collections.abc import AsyncIterator

import pytest

from huitouke.kernel.database import Database
from tests.support.database import own_database


@pytest.fixture(scope="package")
async def database(worker_id: str) -> AsyncIterator[Database]:
    """A database in which only these tests have left anything."""
    address = os.environ["HUITOUKE_TEST_POSTGRES"].replace("%7Bdatabase%7D", "{database}")
    async with own_database(address, f"kernel_{worker_id}") as own:
        yield own
