"""The bare ASGI application behind `/callbacks/<kind>/<callback_id>`.

    GET   the sender checks the address: the module's answer, as it is, within 1 s (path/90930)
    POST  verified, decrypted, stored in a group commit, then 200 with an empty body (path/90238: within 5 s)

Anything but 200 makes the sender try again, up to three times.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl

import structlog
from starlette.types import Receive, Scope, Send

from huitouke.kernel.callbacks.endpoints import Endpoints
from huitouke.kernel.callbacks.flusher import Flusher, NotStored
from huitouke.kernel.callbacks.kinds import BadCallback, CallbackKind, Endpoint, Opened
from huitouke.kernel.callbacks.refusals import Refusals
from huitouke.kernel.database import Database
from huitouke.kernel.dedicated import CONNECTION_ERRORS

log = structlog.get_logger(__name__)

PREFIX: Final = "/callbacks/"
BODY_LIMIT_BYTES: Final = 256 * 1024
LENGTH_DIGITS: Final = 18
QUERY_LIMIT_BYTES: Final = 16 * 1024
"""A GET carries the encrypted echo in its query."""
ANSWER_SECONDS: Final = 4.5
"""The sender waits five."""

_PATH: Final = re.compile(r"/callbacks/([a-z0-9_-]{1,64})/([0-9a-f]{32})")


class _Answer(Exception):
    """Ends the request with that status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class CallbackApp:
    """Takes callbacks of the kinds that the modules registered. `start` and `stop` enclose its life."""

    def __init__(self, kinds: Iterable[CallbackKind], database: Database) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        self._endpoints = Endpoints()
        self._flusher = Flusher(database)
        self._refusals = Refusals()

    async def start(self) -> None:
        """Begins to store what comes in."""
        await self._flusher.start()
        await self._refusals.start()

    async def stop(self) -> None:
        """Stores what has come in, then ends."""
        await self._flusher.stop()
        await self._refusals.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"callbacks take http, not {scope['type']}")
        body = b""
        try:
            # One timer for all of it: each costs as much as decrypting the body.
            async with asyncio.timeout(ANSWER_SECONDS) as limit:
                body = await self._handle(scope, receive, limit)
            status = 200
        except _Answer as answer:
            status = answer.status
        except NotStored:
            status = 503
        except TimeoutError:
            log.error("callbacks.too_slow", path=scope["path"])
            status = 503
        except CONNECTION_ERRORS as error:
            log.error("callbacks.database_away", reason=str(error))
            status = 503
        await _respond(send, status, body)

    async def _handle(self, scope: Scope, receive: Receive, limit: asyncio.Timeout) -> bytes:
        kind, endpoint = await self._address(scope)
        query = _query(scope)
        method = scope["method"]
        if method == "GET":
            answer, _ = await self._verified(kind, endpoint, query, None)
            self._refusals.add_verified(endpoint)
            return answer
        if method != "POST":
            raise _Answer(405, "method")
        try:
            body = await _read_body(scope, receive, limit)
        except _Answer as answer:
            self._refusals.add(endpoint, answer.reason)
            raise
        _, opened = await self._verified(kind, endpoint, query, body)
        assert opened is not None
        await self._flusher.store(endpoint, opened)
        return getattr(kind, "accepted", b"")

    async def _address(self, scope: Scope) -> tuple[CallbackKind, Endpoint]:
        path = _PATH.fullmatch(scope["path"])
        kind = self._kinds.get(path[1]) if path else None
        endpoint = await self._endpoints.find(kind.name, path[2]) if path and kind else None
        if kind is None or endpoint is None:
            raise _Answer(404, "unknown")
        return kind, endpoint

    async def _verified(
        self, kind: CallbackKind, endpoint: Endpoint, query: Mapping[str, str], body: bytes | None
    ) -> tuple[bytes, Opened | None]:
        """The answer to a GET (`body` None), or the opened callback. Keys rotated meanwhile are read again."""
        try:
            return _check(kind, endpoint, query, body)
        except BadCallback as error:
            first = error
        newer = await self._endpoints.find_again(endpoint)
        if newer is not None:
            try:
                return _check(kind, newer, query, body)
            except BadCallback as error:
                first = error
        self._refusals.add(endpoint, first.reason)
        raise _Answer(403, first.reason)


def _check(
    kind: CallbackKind, endpoint: Endpoint, query: Mapping[str, str], body: bytes | None
) -> tuple[bytes, Opened | None]:
    try:
        if body is None:
            return kind.verify(endpoint, query), None
        return b"", kind.open(endpoint, query, body)
    except BadCallback:
        raise
    except Exception as error:
        # A module that trips over what a stranger sent: refused like anything else that can't be read, but said.
        log.exception("callbacks.kind_failed", kind=kind.name, endpoint_id=str(endpoint.id))
        raise BadCallback("unreadable") from error


def _query(scope: Scope) -> dict[str, str]:
    raw: bytes = scope["query_string"]
    if len(raw) > QUERY_LIMIT_BYTES:
        raise _Answer(414, "query_too_long")
    try:
        return dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict"))
    except ValueError:
        raise _Answer(400, "bad_query") from None


async def _read_body(scope: Scope, receive: Receive, limit: asyncio.Timeout) -> bytes:
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if not declared.isdigit() or len(declared) > LENGTH_DIGITS or int(declared) > BODY_LIMIT_BYTES:
        raise _Answer(413, "too_large")
    parts: list[bytes] = []
    size = 0
    try:
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise _Answer(400, "disconnected")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > BODY_LIMIT_BYTES:
                raise _Answer(413, "too_large")
            if not message.get("more_body", False):
                return b"".join(parts)
    except asyncio.CancelledError:
        if not limit.expired():
            raise
        raise _Answer(408, "too_slow") from None


async def _respond(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
