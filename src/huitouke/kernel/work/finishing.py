"""Results on their way to the database: collected for a moment, stored in one call."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg
import structlog

from huitouke.kernel import clock
from huitouke.kernel.dedicated import CONNECTION_ERRORS
from huitouke.kernel.work.gates import Finished, Place, WorkGates

log = structlog.get_logger(__name__)

COLLECT_SECONDS: Final = 0.001
BATCH: Final = 500
LOCKED_PAUSE_SECONDS: Final = 0.01
AWAY_PAUSE_SECONDS: Final = 0.5
STORE_SECONDS: Final = 15.0
"""Longer than the lease: what is not stored by then has another holder."""


_Waiting: TypeAlias = "tuple[Finished, float, asyncio.Future[None]]"
"""A result, until when it may be stored, and who waits for that."""


class Finisher:
    """Stores results in batches. `store` returns when its result is in the database, or its lease is over."""

    def __init__(self, gates: WorkGates, worker_id: UUID, on_ready: Callable[[Place], None]) -> None:
        self._gates = gates
        self._worker_id = worker_id
        self._on_ready = on_ready
        self._waiting: list[_Waiting] = []
        self._filled = asyncio.Event()

    async def store(self, result: Finished) -> None:
        """Hands the result over and waits until it is stored (or given up after 15 s, since another will run it)."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((result, monotonic() + STORE_SECONDS, stored))
        self._filled.set()
        await stored

    async def run(self) -> None:
        """Stores what comes in, until cancelled."""
        while True:
            await self._filled.wait()
            await asyncio.sleep(COLLECT_SECONDS)
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if not self._waiting:
                self._filled.clear()
            try:
                locked = await self._finish(batch)
            except CONNECTION_ERRORS as error:
                log.warning("work.result_not_stored", count=len(batch), reason=str(error))
                self._again(batch)
                await asyncio.sleep(AWAY_PAUSE_SECONDS)
                continue
            if locked:
                self._again(locked)
                await asyncio.sleep(LOCKED_PAUSE_SECONDS)

    async def _finish(self, batch: "list[_Waiting]") -> "list[_Waiting]":
        """Stores the batch; gives what is to be tried again: its row is held by another transaction.

        A result that PostgreSQL refuses is tried again alone, until its work has another holder.

        Raises:
            one of CONNECTION_ERRORS.
        """
        try:
            answers = await self._gates.finish(self._worker_id, clock.now(), [result for result, _, _ in batch])
        except CONNECTION_ERRORS:
            raise
        except asyncpg.PostgresError:
            if len(batch) > 1:
                return [locked for entry in batch for locked in await self._finish([entry])]
            log.exception("work.result_refused", work=batch[0][0].item.lease.kind, key=batch[0][0].item.lease.key)
            await asyncio.sleep(AWAY_PAUSE_SECONDS)
            return batch
        locked = []
        for index, entry in enumerate(batch):
            answer = answers.get(index)
            if answer is None:
                locked.append(entry)
                continue
            if answer.lost:
                log.warning("work.lease_lost", work=entry[0].item.lease.kind, key=entry[0].item.lease.key)
            if answer.again is not None:
                self._on_ready(answer.again)
            _settle(entry[2])
        return locked

    def _again(self, entries: "list[_Waiting]") -> None:
        now = monotonic()
        for entry in entries:
            if entry[1] < now:
                log.error("work.result_dropped", work=entry[0].item.lease.kind, key=entry[0].item.lease.key)
                _settle(entry[2])
            else:
                self._waiting.append(entry)
        if self._waiting:
            self._filled.set()


def _settle(stored: "asyncio.Future[None]") -> None:
    if not stored.done():
        stored.set_result(None)
