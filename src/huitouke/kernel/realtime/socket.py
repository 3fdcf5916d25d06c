"""One person's socket: what is open on it, how far it has been told, what waits to be sent."""

import asyncio
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import TypeAlias
from uuid import UUID

from huitouke.kernel.context import ActorKind, Context
from huitouke.kernel.realtime import limits
from huitouke.kernel.realtime.connection import Connection

StreamKey: TypeAlias = tuple[str, UUID]
"""A stream's name and id."""


@dataclass(slots=True)
class Position:
    """How far a socket has been told of a stream. While it is being resumed nobody else may send of it."""

    seq: int
    resuming: bool = True
    grown: bool = False
    """It grew while it was being resumed: read it again afterwards."""


class Socket:
    """State of one connection. All methods but `write` are synchronous, so that a batch is never torn apart."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self.connection = connection
        self.context = context
        self.positions: dict[StreamKey, Position] = {}
        self.close_code: int | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard_at = monotonic()
        """When the client last said anything."""
        self._queue: deque[str] = deque()
        self._queued_bytes = 0
        self._filled = asyncio.Event()
        self._visible: dict[StreamKey, tuple[bool, float]] = {}
        self.rights_changed = asyncio.Event()
        """Somebody's rights changed: whether this person's did is to be asked now, and not in half a minute."""

    @property
    def staffs(self) -> bool:
        """Whether it is a colleague's. Visitors get no hints: they are about the shop's lists."""
        return self.context.actor.kind is not ActorKind.VISITOR

    def push(self, text: str) -> None:
        """Has the frame sent. A client too slow to take what waits is told to come back."""
        if self.close_code is not None:
            return
        self._queue.append(text)
        self._queued_bytes += len(text)
        if len(self._queue) > limits.QUEUE_FRAMES or self._queued_bytes > limits.QUEUE_BYTES:
            self.end(limits.TOO_SLOW)
        self._filled.set()

    def push_change(self, key: StreamKey, seq: int, text: str) -> None:
        """Sends a numbered frame unless the client has it; notes that it has it now."""
        position = self.positions.get(key)
        if position is None or seq <= position.seq:
            return
        position.seq = seq
        self.push(text)

    def end(self, code: int) -> None:
        """Has the connection closed with that code; what waits is dropped."""
        if self.close_code is None:
            self.close_code = code
            self.ended.set_result(None)
            self._queue.clear()
            self._filled.set()

    async def write(self) -> None:
        """Sends what is pushed, until the connection is to be closed. Raises Disconnected."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._queue and self.close_code is None:
                text = self._queue.popleft()
                self._queued_bytes -= len(text)
                await self.connection.send(text)
            if self.close_code is not None:
                await self.connection.close(self.close_code)
                return

    def believed_visible(self, key: StreamKey) -> bool | None:
        """What was found about it less than 5 s ago; None: ask again."""
        known = self._visible.get(key)
        return known[0] if known is not None and monotonic() - known[1] < limits.VISIBLE_SECONDS else None

    def believe(self, key: StreamKey, visible: bool) -> None:
        """Notes whether the person may see it."""
        if len(self._visible) >= limits.VISIBLE_ENTRIES:
            self._visible.clear()
        self._visible[key] = (visible, monotonic())

    def believe_nothing(self) -> None:
        """What the person may see has to be asked again."""
        self._visible.clear()
