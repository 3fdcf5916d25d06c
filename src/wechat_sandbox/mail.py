"""A small mail server (RFC 5321, without encryption or sign-in): keeps what is handed in, for the control API to show.

Addresses that begin with `nobody` are refused for good (550), those with `busy` for now (451); `vanish` is taken and
the line cut before the answer.
"""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes, policy

KEPT = 500
LINE_LIMIT_BYTES = 64 * 1024
SIZE_LIMIT_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class MailReceived:
    """A mail as its recipient reads it. Kept in memory only."""

    id: int
    sender: str
    to: str
    subject: str
    text: str


class MailServer:
    """Takes mails for everybody."""

    def __init__(self) -> None:
        self.mails: deque[MailReceived] = deque(maxlen=KEPT)
        self._last = 0
        self._server: asyncio.Server | None = None
        self.url = ""

    async def start(self) -> None:
        """Listens on a free port of this machine; `url` says where."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=LINE_LIMIT_BYTES)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"smtp://{host}:{port}"

    def stop(self) -> None:
        """Takes no more."""
        if self._server is not None:
            self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
            await self._converse(reader, writer)
        writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to = sender = ""

        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 sandbox ready")
        while line := (await reader.readline()).decode(errors="replace").strip():
            word, _, rest = line.partition(" ")
            match word.upper():
                case "EHLO" | "HELO":
                    await say("250 sandbox")
                case "MAIL":
                    sender = _address(rest)
                    await say("250 ok")
                case "RCPT":
                    to = _address(rest)
                    await say(_answer(to))
                case "DATA":
                    await say("354 go on")
                    body = await _body(reader)
                    self._keep(sender, to, body)
                    if to.startswith("vanish"):
                        return
                    await say("250 taken")
                case "RSET" | "NOOP":
                    await say("250 ok")
                case "QUIT":
                    await say("221 bye")
                    return
                case _:
                    await say("502 not here")

    def _keep(self, sender: str, to: str, body: bytes) -> None:
        message = message_from_bytes(body, policy=policy.default)
        self._last += 1
        part = message.get_body(("plain",))
        text = part.get_content() if part is not None else ""
        self.mails.append(MailReceived(self._last, sender, to, str(message["Subject"] or ""), text))


def _answer(to: str) -> str:
    if to.startswith("nobody"):
        return "550 no such person"
    return "451 later" if to.startswith("busy") else "250 ok"


def _address(text: str) -> str:
    return text.partition("<")[2].partition(">")[0]


async def _body(reader: asyncio.StreamReader) -> bytes:
    """Up to the line that holds a dot alone; doubled dots are one (RFC 5321, 4.5.2)."""
    lines: list[bytes] = []
    size = 0
    while (line := await reader.readline()) not in (b".\r\n", b""):
        size += len(line)
        if size > SIZE_LIMIT_BYTES:
            raise ValueError("too large")
        lines.append(line[1:] if line.startswith(b"..") else line)
    return b"".join(lines)
