"""Asks an ASGI application without a server: for processes whose port is no HTTP server's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Scope


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application said to a GET."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


async def ask(app: ASGIApp, target: str, headers: Iterable[tuple[str, str]], client: tuple[str, int]) -> Answer:
    """GETs `target` (path and query); `client` is the caller's address."""
    path, _, query = target.partition("?")
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": client,
        "server": None,
    }
    status, body = 500, bytearray()
    answered: tuple[tuple[str, str], ...] = ()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, answered
        if message["type"] == "http.response.start":
            status = message["status"]
            answered = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"])
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    await app(scope, receive, send)
    return Answer(status, answered, bytes(body))
