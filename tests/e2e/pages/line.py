"""The line between a page and the server, which a journey can cut and mend."""

import re
from dataclasses import dataclass, field

from playwright.async_api import Page, WebSocketRoute

SOCKET = re.compile(r"/realtime$")


@dataclass
class Line:
    """Carries the page's socket; offline, requests fail too and no new socket opens."""

    page: Page
    _cut: bool = False
    _open: list[WebSocketRoute] = field(default_factory=list)

    async def install(self) -> None:
        """Before the page opens its first socket."""
        await self.page.route_web_socket(SOCKET, self._carry)

    async def drop(self) -> None:
        """The socket is lost, as when the server starts again; the page may open another at once."""
        dropped, self._open = self._open, []
        for socket in dropped:
            await socket.close()

    async def cut(self) -> None:
        """The whole network is gone."""
        self._cut = True
        await self.page.context.set_offline(True)
        await self.drop()

    async def mend(self) -> None:
        self._cut = False
        await self.page.context.set_offline(False)

    async def _carry(self, socket: WebSocketRoute) -> None:
        if self._cut:
            await socket.close()
            return
        socket.connect_to_server()
        self._open.append(socket)
