"""The lanes that have events, and the tasks of this process that dispatch them."""

import asyncio
from collections import Counter
from collections.abc import Collection
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID

import structlog

from huitouke.kernel.database.away import is_away
from huitouke.kernel.events.dispatch import BATCH, dispatch
from huitouke.kernel.notify import Signal
from huitouke.kernel.work.ready import Ready
from huitouke.kernel.work.registry import Registry

log = structlog.get_logger(__name__)

BUSY_PAUSE_SECONDS: Final = 0.02
BUSY_ROUNDS: Final = 50
"""Another process has the lane: after a second the look of every second takes over."""
FAILURE_PAUSE_SECONDS: Final = 1.0
FAILURES_BEFORE_PARKING: Final = 3
"""Times a batch's whole transaction may fail (not just a handler) before its events are set aside one by one."""

Lane: TypeAlias = tuple[UUID, int]


class Lanes:
    """Dispatches lanes, a few at once, each by one task of this process."""

    def __init__(self, registry: Registry, *, limit: int) -> None:
        self._registry = registry
        self._limit = limit
        self._ready: Ready[Lane] = Ready()
        self._tasks: dict[Lane, asyncio.Task[None]] = {}
        self._freed = asyncio.Event()
        self._failures: Counter[Lane] = Counter()

    @property
    def busy(self) -> int:
        """Lanes that are dispatched now."""
        return len(self._tasks)

    @property
    def tasks(self) -> "Collection[asyncio.Task[None]]":
        """The tasks that dispatch now."""
        return self._tasks.values()

    @property
    def waiting(self) -> int:
        """Lanes that are known to have events."""
        return len(self._ready)

    def on_signal(self, signal: Signal) -> None:
        """A commit, here or in another process, left events in a lane."""
        if signal.tenant_id is not None:
            self.hint(signal.tenant_id, int(signal.key), signal.number)

    def hint(self, tenant_id: UUID, lane: int, seq: int) -> None:
        """The lane has events from `seq` on."""
        self._ready.hint((tenant_id, lane), seq)

    async def dispatch_ready(self) -> None:
        """Waits for a lane and a free place, and starts dispatching."""
        await self._ready.filled.wait()
        if len(self._tasks) >= self._limit:
            self._freed.clear()
            await self._freed.wait()
        self.start()

    def start(self) -> int:
        """Starts as many waiting lanes as there are places; gives their number."""
        taken = self._ready.take(self._limit - len(self._tasks), self._tasks)
        for lane, mark in taken:
            task = asyncio.create_task(self._dispatch(lane, mark), name=f"events {lane[0]} {lane[1]}")
            self._tasks[lane] = task
            task.add_done_callback(partial(self._ended, lane))
        return len(taken)

    async def stop(self, grace_seconds: float) -> None:
        """Lets running batches finish for that long, then rolls them back: their events stay in the queue."""
        if not self._tasks:
            return
        _, unfinished = await asyncio.wait(list(self._tasks.values()), timeout=grace_seconds)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _dispatch(self, lane: Lane, mark: int) -> None:
        """Batch after batch until the lane is empty, or another one waits for the place: then it queues up again."""
        busy_rounds = 0
        while True:
            try:
                park = self._failures[lane] >= FAILURES_BEFORE_PARKING
                batch = await dispatch(self._registry, *lane, mark, park=park)
            except Exception as error:
                # The transaction as a whole failed (the database went away, a constraint at commit): all of it again.
                if is_away(error):
                    log.warning("events.database_away", tenant_id=str(lane[0]), lane=lane[1])
                else:
                    log.exception("events.batch_failed", tenant_id=str(lane[0]), lane=lane[1])
                    self._failures[lane] += 1
                await asyncio.sleep(FAILURE_PAUSE_SECONDS)
                self._ready.hint(lane, mark + 1)
                return
            if batch.busy:
                busy_rounds += 1
                if busy_rounds > BUSY_ROUNDS:
                    return
                await asyncio.sleep(BUSY_PAUSE_SECONDS)
                continue
            self._failures.pop(lane, None)
            mark = batch.last_seq
            if batch.events < BATCH:
                return
            if self._ready:
                self._ready.hint(lane, mark + 1)
                return

    def _ended(self, lane: Lane, _task: "asyncio.Task[None]") -> None:
        del self._tasks[lane]
        self._freed.set()
        self._ready.stir()
