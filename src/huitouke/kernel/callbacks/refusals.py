"""Refused requests and answered checks, kept for the person who sets the address up; never so many that an attacker
fills a table."""

import asyncio
from collections import Counter
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from huitouke.kernel import clock
from huitouke.kernel.callbacks.kinds import Endpoint
from huitouke.kernel.callbacks.service import record_refusal, record_verified
from huitouke.kernel.context import job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.ending import vital
from huitouke.kernel.ids import new_id

log = structlog.get_logger(__name__)

WAITING_LIMIT: Final = 1_000
PER_SECOND: Final = 10
"""Of one endpoint; further ones within the second are only logged."""

VERIFIED: Final = "verified"
"""Stands in a reason's place for a check that was answered."""


class Refusals:
    """Writes refusals beside the requests, so that refusing costs the caller's request no transaction."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[Endpoint, UUID, str, datetime]] = asyncio.Queue(WAITING_LIMIT)
        self._recent: Counter[UUID] = Counter()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begins to write."""
        self._tasks = [
            vital(self._write(), "callbacks.refusals"),
            vital(self._forget(), "callbacks.refusal_rates"),
        ]

    async def stop(self) -> None:
        """Ends; what waits is lost with it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def add(self, endpoint: Endpoint, reason: str) -> None:
        """Notes a refusal."""
        log.warning("callbacks.refused", endpoint_id=str(endpoint.id), reason=reason)
        self._recent[endpoint.id] += 1
        if self._recent[endpoint.id] <= PER_SECOND and not self._queue.full():
            self._queue.put_nowait((endpoint, new_id(), reason, clock.now()))

    def add_verified(self, endpoint: Endpoint) -> None:
        """Notes that the sender checked the address and was answered."""
        self._recent[endpoint.id] += 1
        if self._recent[endpoint.id] <= PER_SECOND and not self._queue.full():
            self._queue.put_nowait((endpoint, new_id(), VERIFIED, clock.now()))

    async def _write(self) -> None:
        while True:
            endpoint, refusal_id, reason, received_at = await self._queue.get()
            try:
                async with transaction(job_context(endpoint.tenant_id)) as ctx:
                    if reason == VERIFIED:
                        await record_verified(ctx, endpoint.id, received_at)
                    else:
                        await record_refusal(ctx, endpoint.id, refusal_id, reason, received_at)
            except Exception:
                # A note for people; the request was answered long ago.
                log.exception("callbacks.refusal_not_kept", endpoint_id=str(endpoint.id))

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._recent.clear()
