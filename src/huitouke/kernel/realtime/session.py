"""The life of one socket: hello, what the client opens, what it is told, and its end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta
from time import monotonic
from typing import Final

import structlog
from pydantic import ValidationError

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import Problem
from huitouke.kernel.masking import reading
from huitouke.kernel.realtime import limits
from huitouke.kernel.realtime.connection import Connection, Disconnected
from huitouke.kernel.realtime.frames import (
    CLIENT_FRAMES,
    Changed,
    Error,
    Hello,
    Open,
    encode,
    encode_change,
)
from huitouke.kernel.realtime.hub import Hub
from huitouke.kernel.realtime.metrics import SOCKETS_ENDED
from huitouke.kernel.realtime.socket import Position, Socket, StreamKey

log = structlog.get_logger(__name__)

CLOSE_SECONDS: Final = 1.0

Authenticate = Callable[[], Awaitable[Context]]
"""Who holds the connection's cookie now. Raises a Problem when nobody does (any more)."""


async def serve(hub: Hub, connection: Connection, authenticate: Authenticate, build: str) -> None:
    """Serves an accepted connection until either side ends it."""
    try:
        context = await authenticate()
    except Problem:
        await connection.close(limits.SIGNED_OUT)
        return
    if not hub.room_for(context):
        await connection.close(limits.TOO_MANY)
        return
    socket = Socket(connection, context)
    hub.add(socket)
    socket.push(encode(Hello(build=build, now=clock.now())))
    tasks = [
        asyncio.create_task(socket.write(), name="realtime.write"),
        asyncio.create_task(_read(hub, socket), name="realtime.read"),
        asyncio.create_task(_check_session(socket, authenticate), name="realtime.session"),
    ]
    writer = tasks[0]
    try:
        # Not by the writer's end alone: it may hang on a client that reads nothing.
        await asyncio.wait([*tasks, socket.ended], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                _judge(socket, task)
        if socket.close_code is not None and not writer.done():
            await asyncio.wait([writer], timeout=CLOSE_SECONDS)
    finally:
        hub.remove(socket)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if socket.close_code is not None:
        SOCKETS_ENDED.labels(str(socket.close_code)).inc()
        await connection.close(socket.close_code)


def _judge(socket: Socket, task: "asyncio.Task[None]") -> None:
    error = task.exception()
    if error is None or isinstance(error, Disconnected):
        return
    log.error("realtime.socket_failed", tenant_id=str(socket.context.tenant_id), exc_info=error)
    socket.end(limits.FAILED)


async def _read(hub: Hub, socket: Socket) -> None:
    """Follows what the client sends. Raises Disconnected."""
    window_began, in_window = monotonic(), 0
    while True:
        text = await socket.connection.receive()
        socket.heard_at = monotonic()
        if monotonic() - window_began > limits.INCOMING_WINDOW_SECONDS:
            window_began, in_window = monotonic(), 0
        in_window += 1
        if in_window > limits.INCOMING_PER_WINDOW:
            socket.end(limits.TOO_MANY)
            return
        if len(text.encode()) > limits.INCOMING_BYTES:
            socket.end(limits.BAD_FRAME)
            return
        try:
            frame = CLIENT_FRAMES.validate_json(text)
        except ValidationError:
            socket.push(encode(Error(code="bad_frame")))
            continue
        if isinstance(frame, Open):
            await resume(hub, socket, frame)


async def _check_session(socket: Socket, authenticate: Authenticate) -> None:
    """Ends the socket soon after its person was signed out; follows changed permissions and scopes at once."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limits.SESSION_CHECK_SECONDS):
                await socket.rights_changed.wait()
        socket.rights_changed.clear()
        try:
            context = await authenticate()
        except Problem:
            socket.end(limits.SIGNED_OUT)
            return
        if context.tenant_id != socket.context.tenant_id:
            socket.end(limits.RESTARTING)
            return
        if (context.permissions, context.scope) != (socket.context.permissions, socket.context.scope):
            socket.believe_nothing()
        socket.context = context


async def resume(hub: Hub, socket: Socket, wish: Open) -> None:
    """Opens what the client names and sends what it has missed of it, or says that it must fetch afresh."""
    stream = hub.streams.get(wish.stream)
    if stream is None:
        socket.push(encode(Error(code="unknown_stream", stream=wish.stream)))
        return
    wanted: dict[StreamKey, int] = {(wish.stream, id): seq for id, seq in wish.streams.items()}
    for key in [key for key in socket.positions if key[0] == wish.stream and key not in wanted]:
        hub.unwatch(socket, key)
    for key, seq in wanted.items():
        socket.positions[key] = Position(seq)
        hub.watch(socket, key)
    async with transaction(socket.context) as ctx:
        visible = await hub.see(ctx, socket, list(wanted))
        for key in wanted.keys() - visible:
            hub.unwatch(socket, key)
            socket.push(encode(Error(code="not_found", stream=key[0], id=key[1])))
        heads = await stream.heads(ctx, [id for _, id in visible]) if visible else {}
        for key in sorted(visible):
            await _catch_up(hub, socket, ctx, key, heads.get(key[1], 0))
        if wish.since is not None:
            since = wish.since if wish.since.tzinfo else wish.since.replace(tzinfo=UTC)
            earlier = since - timedelta(seconds=limits.SINCE_SLACK_SECONDS)
            ids = await stream.changed_since(ctx, earlier, limits.CHANGED_LIMIT + 1)
            more = len(ids) > limits.CHANGED_LIMIT
            socket.push(encode(Changed(stream=wish.stream, ids=list(ids[: limits.CHANGED_LIMIT]), more=more)))


async def _catch_up(hub: Hub, socket: Socket, ctx: Context, key: StreamKey, head: int) -> None:
    position = socket.positions[key]
    if position.seq > head:
        hub.reset(socket, key)  # the client knows more than there is: another database, or one that was restored
        return
    if position.seq < head:
        changes = await hub.streams[key[0]].frames(ctx, key[1], position.seq, limits.RESUME_LIMIT + 1)
        if len(changes) > limits.RESUME_LIMIT:
            hub.reset(socket, key)
            return
        with reading(socket.context):
            for change in changes:
                socket.push_change(key, *encode_change(*key, change))
    position.resuming = False
    if position.grown:
        hub.grown(socket.context.tenant_id, key)
