"""What the hub knows of a socket, whichever server holds it: uvicorn or another ASGI server, or `websockets`."""

from typing import Any, Protocol

from starlette.types import Receive, Send
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed


class Disconnected(Exception):
    """The other side is gone."""


class Connection(Protocol):
    """One socket."""

    async def send(self, text: str) -> None:
        """Sends a frame; returns when it has left our buffers. Raises Disconnected."""
        ...

    async def receive(self) -> str:
        """The next frame of the client, as text. Raises Disconnected."""
        ...

    async def close(self, code: int) -> None:
        """Ends the connection with that code. Does nothing if it has ended."""
        ...


class AsgiConnection:
    """A socket of uvicorn or another ASGI server; costs the server's 18 KiB and no more."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._closed = False

    async def accept(self) -> None:
        """Accepts the handshake. Raises Disconnected."""
        message = await self._receive()
        if message["type"] != "websocket.connect":
            raise Disconnected
        await self._send({"type": "websocket.accept"})

    async def send(self, text: str) -> None:
        await self._raw({"type": "websocket.send", "text": text})

    async def receive(self) -> str:
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self._closed = True
            raise Disconnected
        text = message.get("text")
        return text if text is not None else bytes(message.get("bytes") or b"").decode("utf-8", "replace")

    async def close(self, code: int) -> None:
        if self._closed:
            return
        try:
            await self._raw({"type": "websocket.close", "code": code})
        except Disconnected:
            return
        self._closed = True

    async def _raw(self, message: dict[str, Any]) -> None:
        if self._closed:
            raise Disconnected
        try:
            await self._send(message)
        except (OSError, RuntimeError) as error:
            # Servers say "already closed" as RuntimeError or an OSError of theirs (ClientDisconnected).
            self._closed = True
            raise Disconnected from error


class WebsocketsConnection:
    """A socket of the `websockets` library, accepted already."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        try:
            await self._socket.send(text)
        except ConnectionClosed as error:
            raise Disconnected from error

    async def receive(self) -> str:
        try:
            message = await self._socket.recv()
        except ConnectionClosed as error:
            raise Disconnected from error
        return message if isinstance(message, str) else message.decode("utf-8", "replace")

    async def close(self, code: int) -> None:
        await self._socket.close(code)
