"""Lines that can be cut: a proxy for TCP or for a Unix socket, which resets connections in the middle of a word."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

CHUNK_BYTES: Final = 65_536
DEAF_SECONDS: Final = 0.25
"""How long the target hears, but is not heard, before the line is reset: what was asked for in it has happened."""

RESET: Final = struct.pack("ii", 1, 0)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Line:
    """One connection through the proxy."""

    def __init__(self, caller: asyncio.StreamWriter, target: asyncio.StreamWriter) -> None:
        self._writers = (caller, target)
        self.deaf = False

    def reset(self) -> None:
        for writer in self._writers:
            link = writer.get_extra_info("socket")
            if link is not None and link.family != socket.AF_UNIX:
                with contextlib.suppress(OSError):
                    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()


class Proxy:
    """Passes bytes on until it is told to cut."""

    def __init__(self, host: str, port: int = 0) -> None:
        """`host`: of the target; a path is that of a Unix socket."""
        self._host, self._port = host, port
        self._lines: set[_Line] = set()
        self.resets = 0

    async def cut(self, dice: random.Random, share: float) -> int:
        """Resets that share of the lines, half of them when the target was not heard for a moment; gives how many."""
        chosen = [line for line in self._lines if dice.random() < share]
        for line in chosen:
            line.deaf = dice.random() < 0.5
        if any(line.deaf for line in chosen):
            await asyncio.sleep(DEAF_SECONDS)
        for line in chosen:
            line.reset()
        self.resets += len(chosen)
        return len(chosen)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One caller."""
        try:
            there, back = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        line = _Line(writer, back)
        self._lines.add(line)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass_on(reader, back, None))
                both.create_task(_pass_on(there, writer, line))
        except* (_HungUp, OSError):
            pass
        finally:
            self._lines.discard(line)
            for end in (writer, back):
                end.close()

    async def _connect(self) -> Streams:
        if self._host.startswith("/"):
            return await asyncio.open_unix_connection(self._host)
        return await asyncio.open_connection(self._host, self._port)

    def close(self) -> None:
        for line in self._lines:
            line.reset()


class _HungUp(Exception):
    """One side has closed, so the other one is closed too."""


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: _Line | None) -> None:
    while data := await reader.read(CHUNK_BYTES):
        if line is not None and line.deaf:
            continue
        writer.write(data)
        await writer.drain()
    raise _HungUp


@asynccontextmanager
async def tcp_proxy(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before `http://host:port`, and its own address."""
    host, _, port = url.removeprefix("http://").partition(":")
    proxy = Proxy(host, int(port))
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    try:
        yield proxy, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        proxy.close()


@asynccontextmanager
async def unix_proxy(target: Path, at: Path) -> AsyncIterator[Proxy]:
    """A proxy at the Unix socket `at` before the one at `target`."""
    proxy = Proxy(str(target))
    server = await asyncio.start_unix_server(proxy.handle, str(at))
    try:
        yield proxy
    finally:
        server.close()
        proxy.close()
