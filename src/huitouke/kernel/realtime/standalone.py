"""A port on the `websockets` library: the live sockets of a `realtime` process, and health and metrics of any role.

GET /realtime, or a page's, with an upgrade    a live socket (where the process holds any)
any other GET                                  asked of the application given: /health/live, /health/ready, /metrics
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from huitouke.kernel.observability.probe import ask
from huitouke.kernel.realtime.app import RealtimeApp, is_socket
from huitouke.kernel.realtime.connection import Disconnected, WebsocketsConnection
from huitouke.kernel.realtime.limits import INCOMING_BYTES

FRAME_BYTES: Final = 4 * INCOMING_BYTES
"""Beyond, the library hangs up (1009) without reading on; below, the session does, with a code of ours."""
CLOSE_SECONDS: Final = 2.0
STOP_SECONDS: Final = 4.0


class _WithoutStrangers(logging.Filter):
    """A port that is looked at and left again (port scans, TCP checks of balancers) is no error of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.msg != "opening handshake failed"


_log: Final = logging.getLogger("huitouke.realtime.standalone")
_log.addFilter(_WithoutStrangers())


class Port:
    """The open port. `stop` ends it; `number` is where it listens."""

    def __init__(self, server: Server, sockets: RealtimeApp | None) -> None:
        self._server = server
        self._sockets = sockets
        self.number: int = next(iter(server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Takes nobody any more and tells every client to come back elsewhere (1012)."""
        self._server.close(close_connections=False)
        if self._sockets is not None:
            await self._sockets.stop()
        leaving = [asyncio.ensure_future(self._server.wait_closed())]
        _, pending = await asyncio.wait(leaving, timeout=STOP_SECONDS)
        for task in pending:
            task.cancel()


@asynccontextmanager
async def port(host: str, number: int, application: ASGIApp, sockets: RealtimeApp | None = None) -> AsyncIterator[Port]:
    """Listens for the time of the block. Raises OSError when the port is taken."""
    entrance = _Entrance(application, sockets)
    server = await serve(
        entrance.hold,
        host,
        number,
        process_request=entrance.answer,
        compression=None,  # costs more than it saves on small frames
        max_size=FRAME_BYTES,
        ping_interval=None,  # our own heartbeats find who is gone, without a task for each socket
        close_timeout=CLOSE_SECONDS,
        server_header=None,
        logger=_log,
    )
    opened = Port(server, sockets)
    try:
        yield opened
    finally:
        await opened.stop()


class _Entrance:
    def __init__(self, application: ASGIApp, sockets: RealtimeApp | None) -> None:
        self._application = application
        self._sockets = sockets

    async def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """None lets the handshake go on."""
        headers = request.headers
        if self._sockets is not None and is_socket(request.path.partition("?")[0]):
            if "Upgrade" not in headers or self._sockets.admits(_first(headers, "Origin"), _first(headers, "Host")):
                return None
            return connection.respond(HTTPStatus.FORBIDDEN, "")
        host, number, *_ = connection.remote_address
        answered = await ask(self._application, request.path, headers.raw_items(), (host, number))
        status = HTTPStatus(answered.status)
        own = Headers([(name, value) for name, value in answered.headers if name.lower() != "content-length"])
        own["Content-Length"] = str(len(answered.body))
        own["Connection"] = "close"
        return Response(status.value, status.phrase, own, answered.body)

    async def hold(self, connection: ServerConnection) -> None:
        assert self._sockets is not None, "without sockets no handshake goes through"
        assert connection.request is not None
        cookies = "; ".join(connection.request.headers.get_all("Cookie"))
        try:
            path = connection.request.path.partition("?")[0]
            await self._sockets.serve(WebsocketsConnection(connection), cookies, path)
        except Disconnected:
            return


def _first(headers: Headers, name: str) -> str | None:
    values = headers.get_all(name)
    return values[0] if len(values) == 1 else None
