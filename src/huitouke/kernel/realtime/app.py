"""The live socket at `/realtime`: who is let in, and the bare ASGI application (18 KiB a socket where a framework's
route takes 29). In a process of its own `standalone` holds the sockets.

Visitors of a shop's page have theirs below the page's own path, with the page's own cookie; neither cookie opens the
other's socket.
"""

from collections.abc import Awaitable, Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.types import Receive, Scope, Send

from huitouke.kernel.access import SESSION_COOKIE, resolve_session
from huitouke.kernel.context import Context
from huitouke.kernel.http.frame import host_of
from huitouke.kernel.realtime.connection import AsgiConnection, Connection, Disconnected
from huitouke.kernel.realtime.hub import Hub
from huitouke.kernel.realtime.session import serve
from huitouke.kernel.realtime.streams import Stream
from huitouke.kernel.visitors import PATH as VISITOR_PATH
from huitouke.kernel.visitors import VISITOR_COOKIE, visitor_context

log = structlog.get_logger(__name__)

PATH: Final = "/realtime"

ResolveContext = Callable[[str | None], Awaitable[Context]]


def is_socket(path: str) -> bool:
    """Whether a live socket is at that path: staff's, or one of a page's visitors."""
    return path == PATH or VISITOR_PATH.fullmatch(path) is not None


async def context_of_cookie(token: str | None) -> Context:
    """The context of the person behind a session cookie. Raises a Problem when there is none."""
    return (await resolve_session(token)).context()


class RealtimeApp:
    """Takes sockets of signed-in people. `start` and `stop` enclose its life."""

    def __init__(
        self,
        streams: Iterable[Stream],
        *,
        public_url: str,
        build: str,
        resolve: ResolveContext = context_of_cookie,
    ) -> None:
        self.hub = Hub(streams)
        self._public_host = urlsplit(public_url).netloc
        self._build = build
        self._resolve = resolve

    async def start(self) -> None:
        """Begins to take sockets."""
        await self.hub.start()

    async def stop(self) -> None:
        """Tells every client to come back elsewhere."""
        await self.hub.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await _upgrade_required(send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not self.admits(headers.get(b"origin"), headers.get(b"host")):
            await send({"type": "websocket.close", "code": 4403})
            return
        connection = AsgiConnection(receive, send)
        try:
            await connection.accept()
            await self.serve(connection, headers.get(b"cookie", ""), scope["path"])
        except Disconnected:
            return

    def admits(self, origin: str | None, host: str | None) -> bool:
        """A browser always sends its origin; another site's page must not use the person's cookie."""
        if origin is not None and host_of(origin) in {self._public_host, host}:
            return True
        log.warning("realtime.foreign_origin", origin=origin)
        return False

    async def serve(self, connection: Connection, cookies: str, path: str = PATH) -> None:
        """Serves an accepted connection until it ends; `cookies` is the handshake's header. Raises Disconnected."""
        page = VISITOR_PATH.fullmatch(path)
        if page is not None:
            code, visitor = page.group(1), _cookie(cookies, VISITOR_COOKIE)
            await serve(self.hub, connection, lambda: visitor_context(code, visitor), self._build)
            return
        token = _cookie(cookies, SESSION_COOKIE)
        await serve(self.hub, connection, lambda: self._resolve(token), self._build)


def _cookie(header: str, name: str) -> str | None:
    try:
        cookies: SimpleCookie = SimpleCookie(header)
    except CookieError:
        return None
    return cookies[name].value if name in cookies else None


async def _upgrade_required(send: Send) -> None:
    await send({"type": "http.response.start", "status": 426, "headers": [(b"upgrade", b"websocket")]})
    await send({"type": "http.response.body", "body": b""})
