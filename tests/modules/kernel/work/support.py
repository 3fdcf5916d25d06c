"""What the tests of work share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from huitouke.kernel.database import transaction
from huitouke.kernel.modules import Module
from huitouke.kernel.work.worker import Limits, Worker
from tests.support.world import World


@asynccontextmanager
async def working(*modules: Module, limits: Limits | None = None) -> AsyncIterator[Worker]:
    """A worker that runs beside the test and is stopped after it."""
    worker = Worker(modules, limits=limits or Limits(items=8, lanes=2))
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await worker.stop(grace_seconds=5)
        await running


async def count_items(world: World) -> int:
    """Items of that tenant in any state."""
    return await count(world, "work_items")


async def count(world: World, table: str) -> int:
    """Rows of that tenant's table."""
    async with transaction(world.context) as ctx:
        query = text(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant")
        return int((await ctx.session.execute(query, {"tenant": world.tenant_id})).scalar_one())


async def settled(world: World, *, within_seconds: float = 30.0) -> None:
    """Waits until the tenant has no item left."""
    async with asyncio.timeout(within_seconds):
        while await count_items(world):  # noqa: ASYNC110 - what is waited for stands in the database
            await asyncio.sleep(0.01)
