"""An endpoint on a real socket that says exactly these bytes, as slowly as it is told."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Reply:
    """One response. `pause_seconds` before its body; `piece_bytes` and `piece_seconds` make it drip.

    `cut` ends the connection before the body is whole; `encoding` is only said, the body is as given.
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    pause_seconds: float = 0.0
    piece_bytes: int = 0
    piece_seconds: float = 0.0
    cut: bool = False
    encoding: str = ""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Endpoint:
    """Gives the replies in order, then the last one again; or what `answer` makes of each request."""

    replies: list[Reply]
    answer: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    requests: list[Asked] = field(default_factory=list)
    address: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    bytes_sent: int = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers.get("content-length", "0"))) or b"{}")
        self.requests.append(Asked(head[0].split(" ")[1], headers, body))
        self.asked.set()
        reply = self._reply(body)
        encoding = f"Content-Encoding: {reply.encoding}\r\n" if reply.encoding else ""
        length = len(reply.body) + (1 if reply.cut else 0)
        writer.write(
            f"HTTP/1.1 {reply.status} Said\r\nContent-Type: {reply.content_type}\r\n{encoding}"
            f"Content-Length: {length}\r\nConnection: close\r\n\r\n".encode()
        )
        await self._say(reply, reader, writer)

    async def _say(self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({gone}, timeout=reply.pause_seconds or 0.0)
            size = reply.piece_bytes or len(reply.body) or 1
            for start in range(0, len(reply.body), size):
                if gone.done():
                    self.hung_up.set()
                    return
                writer.write(reply.body[start : start + size])
                self.bytes_sent += size
                await writer.drain()
                await asyncio.wait({gone}, timeout=reply.piece_seconds)
            if gone.done():
                self.hung_up.set()
        finally:
            gone.cancel()

    def _reply(self, body: dict[str, Any]) -> Reply:
        if self.answer is not None:
            return Reply(200, json.dumps(self.answer(body)).encode())
        return self.replies[min(len(self.requests), len(self.replies)) - 1]
