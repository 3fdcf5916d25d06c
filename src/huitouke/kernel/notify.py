"""Signals between the parts of a process and between processes: who has work, which stream grew.

    after commit ── send(signal) ──┬── subscribers in this process, at once
                                   └── outbox ── every 2 ms one pg_notify ── LISTEN connections of the other processes

A signal is a hint that something is in the database: ids and numbers, never content. Losing one costs time, not
work: workers poll each second and sweep every five, sockets compare head numbers every twenty. NOTIFY never stands
in a business transaction (its global lock halves the commit rate); the outbox has a connection of its own, coalesces
signals about the same thing, and turns any number of commits within 2 ms into one statement.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
import structlog

from huitouke.kernel.database import Database
from huitouke.kernel.ending import vital
from huitouke.kernel.ids import new_id

log = structlog.get_logger(__name__)

CHANNEL: Final = "huitouke"
PAYLOAD_LIMIT_BYTES: Final = 7_900
"""PostgreSQL takes less than 8,000 bytes."""
COALESCE_SECONDS: Final = 0.002
PENDING_LIMIT: Final = 50_000
"""Signals that may wait while the database can't be reached; further ones are dropped and found by the polls."""
SELF_TEST_SECONDS: Final = 5.0
RECONNECT_SECONDS: Final = 1.0
CONNECTION_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class Topic(StrEnum):
    """What a signal is about; the value travels."""

    WORK = "w"
    """A tenant has ready work; `number` is the least place in the queue."""
    EVENTS = "e"
    """A tenant's lane (`key`) has events; `number` is the least place in the queue."""
    DUE = "d"
    """Something becomes due at `number` (milliseconds since 1970), rounded up to 2 ms."""
    STREAM = "s"
    """The stream `key` ("name:id") has grown to `number`."""
    HINT = "h"
    """Something of a tenant changed: `key` is "kind:id", `number` its version or 0."""
    GAP = "g"
    """The LISTEN connection was away: signals may have been lost. Only ever sent within a process."""


LEAST_WINS: Final = frozenset({Topic.WORK, Topic.EVENTS})
"""Of these the smallest number covers the others; of the rest the largest does."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One hint. Signals with the same topic, tenant and key are one."""

    topic: Topic
    tenant_id: UUID | None
    key: str
    number: int


Subscriber = Callable[[Signal], None]
"""Called in the event loop; must be cheap and must not raise."""


class NotifierError(RuntimeError):
    """NOTIFY does not arrive; the message says what to change."""


class _Switch:
    """The subscribers of this process, and its way to the others once it has one."""

    def __init__(self) -> None:
        self.subscribers: dict[Topic, list[Subscriber]] = {topic: [] for topic in Topic}
        self.outbox: Outbox | None = None

    def deliver(self, signal: Signal) -> None:
        for subscriber in tuple(self.subscribers[signal.topic]):
            subscriber(signal)


_switch = _Switch()


def send(signal: Signal) -> None:
    """Tells this process at once and, when a notifier runs, the others within milliseconds. Call after the commit."""
    _switch.deliver(signal)
    if _switch.outbox is not None:
        _switch.outbox.add(signal)


@contextlib.contextmanager
def subscribed(topic: Topic, subscriber: Subscriber) -> Iterator[None]:
    """Calls `subscriber` for each signal of that topic, from this process and from others, until the block ends."""
    _switch.subscribers[topic].append(subscriber)
    try:
        yield
    finally:
        _switch.subscribers[topic].remove(subscriber)


class Outbox:
    """Signals that wait for the next statement: one per (topic, tenant, key)."""

    def __init__(self, limit: int = PENDING_LIMIT) -> None:
        self._numbers: dict[tuple[Topic, UUID | None, str], int] = {}
        self._limit = limit
        self.filled = asyncio.Event()
        self.dropped = 0

    def add(self, signal: Signal) -> None:
        """Takes a signal in, merged with those that wait; beyond the limit it is dropped and counted."""
        place = (signal.topic, signal.tenant_id, signal.key)
        known = self._numbers.get(place)
        if known is None:
            if len(self._numbers) >= self._limit:
                self.dropped += 1
                return
            self._numbers[place] = signal.number
        elif signal.topic in LEAST_WINS:
            self._numbers[place] = min(known, signal.number)
        else:
            self._numbers[place] = max(known, signal.number)
        self.filled.set()

    def take(self) -> list[Signal]:
        """All that waits, and empties the box."""
        signals = [Signal(*place, number) for place, number in self._numbers.items()]
        self._numbers.clear()
        self.filled.clear()
        return signals


def pack(origin: str, signals: list[Signal], limit_bytes: int = PAYLOAD_LIMIT_BYTES) -> list[str]:
    """The signals as payloads `["origin",["w","tenant","key",1],…]` of at most `limit_bytes` each."""
    payloads: list[str] = []
    parts: list[str] = []
    head = f'["{origin}"'
    size = len(head) + 1
    for signal in signals:
        tenant = signal.tenant_id.hex if signal.tenant_id else None
        part = "," + orjson.dumps([signal.topic.value, tenant, signal.key, signal.number]).decode()
        length = len(part.encode())
        if parts and size + length > limit_bytes:
            payloads.append(head + "".join(parts) + "]")
            parts, size = [], len(head) + 1
        parts.append(part)
        size += length
    if parts:
        payloads.append(head + "".join(parts) + "]")
    return payloads


def unpack(payload: str) -> tuple[str, list[Signal]]:
    """The origin and the signals of a payload of `pack`. Raises ValueError for anything else."""
    parsed: Any = orjson.loads(payload)
    if not isinstance(parsed, list) or not parsed:
        raise ValueError("no signals")
    origin, *rest = parsed
    return str(origin), [
        Signal(Topic(topic), UUID(tenant) if tenant else None, str(key), int(number))
        for topic, tenant, key, number in rest
    ]


class Notifier:
    """The way to the other processes: one connection that notifies, one that listens. One per process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._origin = new_id().hex
        self._outbox = Outbox()
        self._tasks: list[asyncio.Task[None]] = []
        self._heard = asyncio.Event()
        self._listening: asyncpg.Connection[Any] | None = None
        self._sending: asyncpg.Connection[Any] | None = None

    async def start(self) -> None:
        """Connects, sends itself a NOTIFY, and goes on in the background until `stop`.

        Raises:
            NotifierError: it did not arrive within 5 s: the address goes through a pooler, which loses LISTEN.
        """
        try:
            await self._listen()
            await self._self_test()
        except BaseException:
            await self.stop()
            raise
        _switch.outbox = self._outbox
        self._tasks = [
            vital(self._send_loop(), "notifier.send"),
            vital(self._listen_loop(), "notifier.listen"),
        ]

    async def stop(self) -> None:
        """Sends what waits and closes both connections."""
        if _switch.outbox is self._outbox:
            _switch.outbox = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(*CONNECTION_ERRORS):  # the others find by polling what can't be said any more
            await self._flush()
        for connection in (self._sending, self._listening):
            if connection is not None:
                connection.terminate()
        self._sending = self._listening = None

    async def _self_test(self) -> None:
        await self._notify([f'["{self._origin}"]'])
        try:
            await asyncio.wait_for(self._heard.wait(), SELF_TEST_SECONDS)
        except TimeoutError:
            raise NotifierError(
                "a NOTIFY of this process did not come back to it: DATABASE_DIRECT_URL must reach PostgreSQL itself,"
                " not a connection pooler"
            ) from None

    async def _listen(self) -> None:
        connection = await self._database.connect_direct()
        self._listening = connection
        await connection.add_listener(CHANNEL, self._on_payload)

    def _on_payload(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        try:
            origin, signals = unpack(str(payload))
        except (ValueError, TypeError):
            log.warning("notify.unreadable", length=len(str(payload)))  # another release's words: polls cover it
            return
        if origin == self._origin:
            self._heard.set()
            return
        for signal in signals:
            _switch.deliver(signal)

    async def _listen_loop(self) -> None:
        while True:
            await asyncio.sleep(RECONNECT_SECONDS)
            if self._listening is not None and not self._listening.is_closed():
                continue
            try:
                await self._listen()
            except CONNECTION_ERRORS as error:
                log.warning("notify.listen_failed", reason=str(error))
                continue
            _switch.deliver(Signal(Topic.GAP, None, "", 0))

    async def _send_loop(self) -> None:
        while True:
            await self._outbox.filled.wait()
            await asyncio.sleep(COALESCE_SECONDS)
            try:
                await self._flush()
            except CONNECTION_ERRORS as error:
                log.warning("notify.send_failed", reason=str(error))
                if self._sending is not None:
                    self._sending.terminate()  # whatever it is in the middle of
                    self._sending = None
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _flush(self) -> None:
        signals = self._outbox.take()
        if not signals:
            return
        try:
            await self._notify(pack(self._origin, signals))
        except CONNECTION_ERRORS:
            for signal in signals:
                self._outbox.add(signal)
            raise

    async def _notify(self, payloads: list[str]) -> None:
        if self._sending is None or self._sending.is_closed():
            self._sending = await self._database.connect_direct()
            await self._sending.execute("SET synchronous_commit = off")
        await self._sending.execute("SELECT pg_notify($1, payload) FROM unnest($2::text[]) payload", CHANNEL, payloads)
