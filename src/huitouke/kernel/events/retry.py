"""Events whose handler failed: one by one, with growing waits, until they are done or need a person."""

from datetime import datetime
from typing import Any, Final

import structlog

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.database.away import is_away
from huitouke.kernel.dedicated import CONNECTION_ERRORS
from huitouke.kernel.events import statements
from huitouke.kernel.events.dispatch import PARKED, RETRY_BACK_OFF, RETRY_SCHEDULE, attempt
from huitouke.kernel.ids import new_id
from huitouke.kernel.work.kinds import Schedule
from huitouke.kernel.work.registry import Registry

log = structlog.get_logger(__name__)

MAX_ATTEMPTS: Final = 8
BATCH: Final = 50
BATCHES: Final = 20
"""Per call; what is left is due at once and comes again after the others' work."""


def retrying(registry: Registry) -> Schedule:
    """The schedule that tries a tenant's failed events again, for this process's handlers."""

    async def retry(context: Context) -> datetime | None:
        size = BATCH
        for _ in range(BATCHES):
            try:
                async with transaction(context) as ctx:
                    tried = await _batch(ctx, registry, size)
                    if tried < size:
                        return await _next(ctx)
            except CONNECTION_ERRORS:
                raise
            except Exception as error:
                if is_away(error):
                    raise
                # Not a handler failed but the transaction around it: from here on each event has its own.
                log.exception("events.retry_failed", events=size)
                if size == 1:
                    await _count_failure(context)
                size = 1
        return clock.now()

    return Schedule(RETRY_SCHEDULE, retry)


async def _batch(ctx: Context, registry: Registry, size: int) -> int:
    raw = await connection(ctx)
    rows = await raw.fetch(statements.DUE_RETRIES, ctx.tenant_id, clock.now(), size)
    for row in rows:
        await _retry(ctx, registry, row)
    return len(rows)


async def _retry(ctx: Context, registry: Registry, row: Any) -> None:
    place = (ctx.tenant_id, row["handler"], row["event_id"])
    handler = registry.handler(row["type"], row["handler"]) if row["id"] is not None else None
    if row["id"] is None:
        error: str | None = None  # the event was erased: nothing is left to handle
    elif handler is None:
        error = "no loaded module has this handler"
    else:
        error = await attempt(ctx, handler, [row])
    if error is None:
        raw = await connection(ctx)
        await raw.execute(statements.RETRY_DONE, *place)
    else:
        await _failed_again(ctx, row, error)


async def _count_failure(context: Context) -> None:
    """The event whose own transaction failed is the first that is due: it counts as tried."""
    async with transaction(context) as ctx:
        raw = await connection(ctx)
        for row in await raw.fetch(statements.DUE_RETRIES, ctx.tenant_id, clock.now(), 1):
            await _failed_again(ctx, row, PARKED)


async def _failed_again(ctx: Context, row: Any, error: str) -> None:
    place = (ctx.tenant_id, row["handler"], row["event_id"])
    raw = await connection(ctx)
    now = clock.now()
    if row["attempts"] + 1 >= MAX_ATTEMPTS:
        await raw.execute(statements.RETRY_DEAD, *place, new_id(), error, now)
    else:
        await raw.execute(statements.RETRY_AGAIN, *place, now + RETRY_BACK_OFF.after(row["attempts"] + 1), error)


async def _next(ctx: Context) -> datetime | None:
    raw = await connection(ctx)
    moment: datetime | None = await raw.fetchval(statements.NEXT_RETRY, ctx.tenant_id)
    return moment
