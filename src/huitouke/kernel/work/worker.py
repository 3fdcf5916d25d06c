"""The worker of a process: finds work and events, runs them, keeps its leases, hands back what it can't finish.

    signals (commit hooks, NOTIFY) ─┐
    a look each second, behind the ─┼─ ready tenants ── claim (≤ 50 items a tenant) ── runs ── finish (batches)
      low-water mark; a sweep each 5│─ ready lanes ──── dispatch (one transaction per ≤ 200 events)
    timers for known times ─────────┘

Nothing loops over tenants; all of it goes over one connection of its own, except what runs inside the work.
"""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from huitouke.kernel import clock
from huitouke.kernel.database import Database, current
from huitouke.kernel.dedicated import CONNECTION_ERRORS
from huitouke.kernel.events.lanes import Lanes
from huitouke.kernel.events.retry import retrying
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import Module
from huitouke.kernel.notify import Signal, Topic, subscribed
from huitouke.kernel.work.execution import run
from huitouke.kernel.work.finishing import Finisher
from huitouke.kernel.work.gates import FROM_THE_BEGINNING, PER_TENANT_LIMIT, TENANTS_LIMIT, Claimed, Place, WorkGates
from huitouke.kernel.work.metrics import WORK_RUNNING, WORK_TAKEN_OVER
from huitouke.kernel.work.ready import LowWater, Ready
from huitouke.kernel.work.registry import Registry
from huitouke.kernel.work.timers import Timers

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS: Final = 1.0
RENEW_AFTER_SECONDS: Final = 4.0
"""Leases last 15 s: who has run this long has them renewed at each heartbeat that finds a third gone."""
POLL_SECONDS: Final = 1.0
SWEEP_SECONDS: Final = 5.0
FULL_SWEEP_SECONDS: Final = 600.0
"""Sweeps begin where the last ones found nothing below; so often they begin at the very beginning."""
MAINTENANCE_SECONDS: Final = 3600.0
EXPIRE_LIMIT: Final = 5_000
EXPIRE_ROUNDS: Final = 200
AWAY_PAUSE_SECONDS: Final = 1.0
CANCEL_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process does at once. A run holds a pooled connection only while it has a transaction open, and mostly
    waits for others (a model, WeCom); what is heavy in memory has a limit of its kind (`concurrency`)."""

    items: int = 64
    lanes: int = 4


class Worker:
    """Runs the work of all tenants until it is stopped. One per process; any number of processes."""

    def __init__(
        self, modules: Iterable[Module], *, limits: Limits | None = None, database: Database | None = None
    ) -> None:
        self.id = new_id()
        self._limits = limits or Limits()
        loaded = list(modules)
        self.registry = Registry.of(loaded, kernel=[retrying(Registry.of(loaded))])
        self.gates = WorkGates(database or current())
        self.ready: Ready[UUID] = Ready()
        self.lanes = Lanes(self.registry, limit=self._limits.lanes)
        self.timers = Timers(self.gates, self._on_place)
        self._finisher = Finisher(self.gates, self.id, self._on_place)
        self._running: dict[asyncio.Task[None], Claimed] = {}
        self._started_at: dict[asyncio.Task[None], float] = {}
        self._of_kind: Counter[str] = Counter()
        self._held_back: dict[UUID, int] = {}
        self._slot_freed = asyncio.Event()
        self._items_mark = LowWater()
        self._lanes_mark = LowWater()
        self._swept_at = float("-inf")
        self._swept_fully_at = monotonic()
        self._stop = asyncio.Event()
        self._stopped = asyncio.Event()
        self._grace_seconds = 0.0

    @property
    def busy(self) -> int:
        """Items and lanes at work now."""
        return len(self._running) + self.lanes.busy

    async def run(self) -> None:
        """Works until `stop`. Raises what the worker itself can't survive; a database that is away, it does."""
        with self._signals():
            await self._introduce()
            loops = [
                asyncio.create_task(self._steadily(self._heartbeat, HEARTBEAT_SECONDS), name="work.heartbeat"),
                asyncio.create_task(self._steadily(self.look, POLL_SECONDS), name="work.look"),
                asyncio.create_task(self._steadily(self._maintain, MAINTENANCE_SECONDS), name="work.maintain"),
                asyncio.create_task(self._steadily(self._claim_ready, 0), name="work.claim"),
                asyncio.create_task(self._steadily(self.lanes.dispatch_ready, 0), name="work.lanes"),
                asyncio.create_task(self._steadily(self.timers.fire_next, 0), name="work.timers"),
            ]
            finisher = asyncio.create_task(self._finisher.run(), name="work.finish")
            stopping = asyncio.create_task(self._stop.wait(), name="work.stopping")
            try:
                await asyncio.wait([*loops, finisher, stopping], return_when=asyncio.FIRST_COMPLETED)
                heartbeat, *others = loops
                await _end(others)
                await self._wind_down()
                await _end([heartbeat])
                await self._farewell()
                for task in (*loops, finisher):
                    if task.done() and not task.cancelled():
                        task.result()
            finally:
                await _end([*loops, finisher, stopping])
                await self.gates.close()
                self._stopped.set()

    async def stop(self, grace_seconds: float = 10.0) -> None:
        """Takes nothing new, lets what runs finish for that long, hands the rest back, and returns when all is done."""
        self._grace_seconds = grace_seconds
        self._stop.set()
        await self._stopped.wait()

    @asynccontextmanager
    async def by_hand(self) -> AsyncIterator[None]:
        """For tests: alive, but taking only what `claim` and `lanes.start` are called for."""
        with self._signals():
            await self._introduce()
            background = [
                asyncio.create_task(self._steadily(self._heartbeat, HEARTBEAT_SECONDS), name="work.heartbeat"),
                asyncio.create_task(self._finisher.run(), name="work.finish"),
            ]
            try:
                yield
                await self._wind_down()
            finally:
                await _end(background)
                await self._farewell()
                await self.gates.close()

    async def step_done(self) -> None:
        """Waits until one of the items and lanes at work is through."""
        tasks = [*self._running, *self.lanes.tasks]
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

    async def look(self, *, everywhere: bool = False) -> None:
        """Looks for work and events: behind the low-water marks, and every five seconds everywhere."""
        started = monotonic()
        fully = everywhere or started - self._swept_fully_at >= FULL_SWEEP_SECONDS
        sweep = fully or started - self._swept_at >= SWEEP_SECONDS
        begin = FROM_THE_BEGINNING if fully else None
        head, places = await self.gates.find(begin if sweep else self._items_mark.mark)
        self._items_mark.seen(started, head)
        for place in places:
            self._on_place(place)
        head, lanes = await self.gates.find_lanes(begin if sweep else self._lanes_mark.mark)
        self._lanes_mark.seen(started, head)
        for lane in lanes:
            self.lanes.hint(lane.tenant_id, lane.lane, lane.seq)
        await self.timers.look(sweep=sweep)
        if sweep:
            self._swept_at = started
        if fully:
            self._swept_fully_at = started

    async def beat(self, *, sweep: bool) -> None:
        """Says that this worker lives, and takes over what silent ones hold."""
        renew = any(monotonic() - started > RENEW_AFTER_SECONDS for started in self._started_at.values())
        taken = await self.gates.heartbeat(self.id, socket.gethostname(), os.getpid(), renew=renew, sweep=sweep)
        for place in taken:
            self._on_place(place)
        if taken:
            WORK_TAKEN_OVER.inc(len(taken))
            log.warning("work.taken_over", tenants=len(taken))

    async def claim(self) -> int:
        """One round: leases what fits from the tenants that wait, and starts it. Gives the number started."""
        free = self._limits.items - len(self._running)
        kinds = {kind: self._room(kind) for kind in self.registry.work if self._has_slot(kind)}
        marks = self.ready.take(min(free, TENANTS_LIMIT))
        if not marks:
            return 0
        per_tenant = max(1, min(PER_TENANT_LIMIT, free // len(marks)))
        try:
            claimed = await self.gates.claim(self.id, kinds, marks, per_tenant)
        except BaseException:
            for tenant_id, mark in marks:
                self.ready.hint(tenant_id, mark + 1)
            raise
        last: dict[UUID, list[int]] = {}
        for item in claimed:
            last.setdefault(item.lease.tenant_id, []).append(item.seq)
            self._start(item)
        for tenant_id, mark in marks:
            places = last.get(tenant_id, [])
            if len(places) == per_tenant:
                self.ready.hint(tenant_id, max(places) + 1)
            if not all(map(self._has_slot, self.registry.work)):
                # Items of kinds that are at their limit were passed over: look again when one of those ends.
                self._held_back[tenant_id] = min(mark, self._held_back.get(tenant_id, mark))
        return len(claimed)

    async def _claim_ready(self) -> None:
        await self.ready.filled.wait()
        if len(self._running) >= self._limits.items:
            self._slot_freed.clear()
            await self._slot_freed.wait()
            return
        await self.claim()

    def _start(self, item: Claimed) -> None:
        kind = item.lease.kind
        self._of_kind[kind] += 1
        task = asyncio.create_task(self._work(item), name=f"work {kind} {item.lease.key}")
        self._running[task] = item
        self._started_at[task] = monotonic()
        WORK_RUNNING.set(len(self._running))
        task.add_done_callback(self._ended)

    async def _work(self, item: Claimed) -> None:
        result = await run(self.registry.work[item.lease.kind], item)
        if result is None:
            return
        if result.run_at is not None:
            self.timers.add(result.run_at)
        await self._finisher.store(result)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        item = self._running.pop(task)
        del self._started_at[task]
        kind = item.lease.kind
        was_full = not self._has_slot(kind)
        self._of_kind[kind] -= 1
        WORK_RUNNING.set(len(self._running))
        self._slot_freed.set()
        if was_full and self._held_back:
            for tenant_id, mark in self._held_back.items():
                self.ready.hint(tenant_id, mark + 1)
            self._held_back.clear()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work.lost_result", work=kind, key=item.lease.key, exc_info=error)

    def _room(self, kind: str) -> int | None:
        """How many more of that kind may run; None: as many as the process may."""
        limit = self.registry.work[kind].concurrency
        return limit - self._of_kind[kind] if limit is not None else None

    def _has_slot(self, kind: str) -> bool:
        room = self._room(kind)
        return room is None or room > 0

    @contextmanager
    def _signals(self) -> Iterator[None]:
        with (
            subscribed(Topic.WORK, self._on_work),
            subscribed(Topic.EVENTS, self.lanes.on_signal),
            subscribed(Topic.DUE, self.timers.on_signal),
            subscribed(Topic.GAP, self._on_gap),
        ):
            yield

    async def _introduce(self) -> None:
        """The first heartbeat comes before the first claim: a worker that nobody knows gets nothing."""
        while not self._stop.is_set():
            try:
                await self.beat(sweep=True)
                return
            except CONNECTION_ERRORS as error:
                log.warning("work.database_away", step="introduce", reason=str(error))
                await asyncio.sleep(AWAY_PAUSE_SECONDS)

    def _on_work(self, signal: Signal) -> None:
        if signal.tenant_id is not None:
            self.ready.hint(signal.tenant_id, signal.number)

    def _on_place(self, place: Place) -> None:
        self.ready.hint(place.tenant_id, place.seq)

    def _on_gap(self, _signal: Signal) -> None:
        self._swept_at = float("-inf")

    async def _heartbeat(self) -> None:
        started = monotonic()
        await self.beat(sweep=started - self._swept_at < HEARTBEAT_SECONDS)

    async def _maintain(self) -> None:
        """Partitions ahead, old rows gone. Harmless when several processes do it."""
        now = clock.now()
        await self.gates.make_partitions(now)
        for _ in range(EXPIRE_ROUNDS):
            if not await self.gates.expire(now, EXPIRE_LIMIT):
                return

    async def _steadily(self, step: Callable[[], Awaitable[None]], pause_seconds: float) -> None:
        """Repeats the step; outlasts a database that is away or refuses."""
        while True:
            try:
                await step()
                await asyncio.sleep(pause_seconds)
            except CONNECTION_ERRORS as error:
                log.warning("work.database_away", step=step.__name__, reason=str(error))
                await asyncio.sleep(AWAY_PAUSE_SECONDS)
            except asyncpg.PostgresError:
                # One statement that fails must not end the work of every tenant in this process.
                log.exception("work.step_failed", step=step.__name__)
                await asyncio.sleep(AWAY_PAUSE_SECONDS)

    async def _wind_down(self) -> None:
        """Waits for what runs; cancels it when the grace is over, upon which it goes back."""
        running = set(self._running)
        if running:
            _, unfinished = await asyncio.wait(running, timeout=self._grace_seconds)
            for task in unfinished:
                task.cancel()
            if unfinished:
                log.info("work.handed_back", count=len(unfinished))
                await asyncio.wait(unfinished, timeout=CANCEL_SECONDS)
        await self.lanes.stop(self._grace_seconds)

    async def _farewell(self) -> None:
        try:
            await self.gates.farewell(self.id)
        except (asyncpg.PostgresError, *CONNECTION_ERRORS) as error:
            log.warning("work.farewell_failed", reason=str(error))  # the others notice the silence within 5 s


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
