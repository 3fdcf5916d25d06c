"""A load generator that costs little beside what it loads: whole requests as bytes, one protocol per connection.

Three ways to load: as fast as answers come (`closed`), at a rate whatever the answers do (`paced`), and both count
every answer. A server that closes the connection after an answer gets a new one for the next request, as a proxy
would do; what that costs is part of the server's figure.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final, cast

CONNECT_SECONDS: Final = 10.0
END_SECONDS: Final = 30.0
TICK_SECONDS: Final = 0.002

Address = tuple[str, int]


@dataclass(slots=True)
class Result:
    """What came back. `latencies_s`: from the moment a request was due to its answer."""

    answered: int = 0
    refused: int = 0
    """Answers other than 200, and requests whose connection broke."""
    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds


class _Connection(asyncio.Protocol):
    """Sends one request at a time; asks `load` for the next one when the answer is there."""

    def __init__(self, load: "_Load", address: Address) -> None:
        self._load = load
        self.address = address
        self._transport: asyncio.Transport | None = None
        self._due_at = 0.0
        self._busy = False
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass of it

    def send(self, request: bytes, due_at: float) -> None:
        assert self._transport is not None
        self._busy = True
        self._due_at = due_at
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        if not _is_whole(data):
            self._received = data
            return
        self._received = b""
        self._busy = False
        closes = b"onnection: close" in data[:400]
        self._load.answered(self, data.startswith(b"HTTP/1.1 200"), self._due_at, reusable=not closes)
        if closes and self._transport is not None:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._busy:
            self._busy = False
            self._load.answered(self, False, self._due_at, reusable=False)
        elif not self._load.ended.is_set():
            self._load.gone(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _is_whole(answer: bytes) -> bool:
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    at = answer.lower().find(b"content-length: ", 0, head)
    if at < 0:
        return True
    end = answer.index(b"\r\n", at)
    return len(answer) >= head + 4 + int(answer[at + 16 : end])


class _Load:
    """One run: hands requests to connections that are free, counts answers, ends when all have come."""

    def __init__(self, requests: Sequence[bytes], until: float | None, rate: float | None) -> None:
        self.requests = requests
        self.result = Result()
        self.ended = asyncio.Event()
        self._until = until
        self._rate = rate
        self._next = 0
        self._open = 0
        self._free: list[_Connection] = []
        self._opening: set[asyncio.Task[None]] = set()
        self._begun_at = 0.0

    async def run(self, addresses: Sequence[Address], connections: int) -> Result:
        opened = [await self._connect(addresses[number % len(addresses)]) for number in range(connections)]
        self._begun_at = perf_counter()
        if self._rate is None:
            for connection in opened:
                self._feed(connection)
        else:
            self._free = opened[::-1]
            await self._pace(self._rate)
        limit = END_SECONDS + (self._until or 10 * END_SECONDS)
        async with asyncio.timeout(limit):
            await self.ended.wait()
        self.result.seconds = perf_counter() - self._begun_at
        for connection in opened:
            connection.close()
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        return self.result

    def answered(self, connection: _Connection, well: bool, due_at: float, *, reusable: bool) -> None:
        self._open -= 1
        if well:
            self.result.answered += 1
            self.result.latencies_s.append(perf_counter() - due_at)
        else:
            self.result.refused += 1
        if reusable:
            self._feed(connection)
        else:
            self.gone(connection)

    def gone(self, connection: _Connection) -> None:
        if connection in self._free:
            self._free.remove(connection)
        if self._over():
            self._check_end()
            return
        task = asyncio.ensure_future(self._replace(connection.address))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _replace(self, address: Address) -> None:
        self._feed(await self._connect(address))

    async def _connect(self, address: Address) -> _Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            _, connection = await loop.create_connection(lambda: _Connection(self, address), *address)
        return connection

    def _feed(self, connection: _Connection) -> None:
        if self._rate is not None:
            self._free.append(connection)
            self._check_end()
        elif self._over():
            self._check_end()
        else:
            self._send(connection, perf_counter())

    def _send(self, connection: _Connection, due_at: float) -> None:
        request = self.requests[self._next]
        self._next += 1
        self._open += 1
        connection.send(request, due_at)

    async def _pace(self, rate: float) -> None:
        """Every request has its moment; one that finds no free connection waits, and its waiting counts."""
        while not self._over():
            due = min(len(self.requests), int((perf_counter() - self._begun_at) * rate) + 1)
            while self._next < due and self._free:
                self._send(self._free.pop(), self._begun_at + self._next / rate)
            await asyncio.sleep(TICK_SECONDS)
        self._check_end()

    def _over(self) -> bool:
        return self._next >= len(self.requests) or (
            self._until is not None and perf_counter() - self._begun_at >= self._until
        )

    def _check_end(self) -> None:
        if self._over() and self._open == 0:
            self.ended.set()


async def closed(
    addresses: Sequence[Address], requests: Sequence[bytes], *, connections: int, seconds: float | None = None
) -> Result:
    """As fast as answers come, `connections` at a time, until all are sent or the seconds are over.

    Raises:
        TimeoutError: answers don't come.
    """
    return await _Load(requests, seconds, None).run(addresses, connections)


async def paced(
    addresses: Sequence[Address], requests: Sequence[bytes], *, connections: int, per_second: float, seconds: float
) -> Result:
    """At a rate, whether answers come or not.

    Raises:
        TimeoutError: answers don't come.
    """
    return await _Load(requests[: int(per_second * seconds)], None, per_second).run(addresses, connections)
