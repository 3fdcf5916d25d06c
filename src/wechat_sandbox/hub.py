"""Tells open pages what changed, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator

from wechat_sandbox.control.schemas import Notice

QUEUE_LIMIT = 1_000
KEEP_ALIVE_SECONDS = 15.0
SUBSCRIBER_LIMIT = 500


class TooManyStreams(Exception):
    """More than SUBSCRIBER_LIMIT pages listen at once."""


class Hub:
    """Each subscriber has a bounded queue; one that falls behind gets a single `reset` and should fetch everything."""

    def __init__(self) -> None:
        self._subscribers: set[_Subscriber] = set()

    def publish(self, notice: Notice) -> None:
        for subscriber in self._subscribers:
            subscriber.offer(notice)

    def subscribe(self, customer: str | None, employee: str | None) -> "_Subscriber":
        if len(self._subscribers) >= SUBSCRIBER_LIMIT:
            raise TooManyStreams
        subscriber = _Subscriber(customer, employee)
        self._subscribers.add(subscriber)
        return subscriber

    async def stream(self, subscriber: "_Subscriber") -> AsyncIterator[bytes]:
        """The text of an event stream, until the client leaves or the sandbox stops."""
        try:
            yield b": connected\n\n"
            while not subscriber.closed:
                try:
                    notice = await asyncio.wait_for(subscriber.queue.get(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    yield b": keep-alive\n\n"
                    continue
                if notice is None:
                    return
                yield b"data: " + notice.model_dump_json(exclude_none=True).encode() + b"\n\n"
        finally:
            self._subscribers.discard(subscriber)

    def close(self) -> None:
        """Ends all streams, so that a stopping server need not wait for open pages."""
        for subscriber in self._subscribers:
            subscriber.close()


class _Subscriber:
    def __init__(self, customer: str | None, employee: str | None) -> None:
        self.queue: asyncio.Queue[Notice | None] = asyncio.Queue(QUEUE_LIMIT + 1)
        self.closed = False
        self._customer = customer
        self._employee = employee.lower() if employee else None

    def offer(self, notice: Notice) -> None:
        if not self._wants(notice):
            return
        if self.queue.qsize() >= QUEUE_LIMIT:
            while not self.queue.empty():
                self.queue.get_nowait()
            notice = Notice(kind="reset")
        self.queue.put_nowait(notice)

    def close(self) -> None:
        self.closed = True
        self.queue.put_nowait(None)

    def _wants(self, notice: Notice) -> bool:
        if notice.kind == "reset":
            return True
        if self._customer is not None and notice.external_userid != self._customer:
            return False
        # A session without a servicer concerns all: it may be in the pool.
        return self._employee is None or notice.userid is None or notice.userid.lower() == self._employee
