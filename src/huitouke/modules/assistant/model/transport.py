"""One POST to exactly the address that was checked, with a limit on its bytes and on every kind of waiting."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import httpx2

from huitouke.kernel.keys import Secret
from huitouke.kernel.outgoing import host_header, pinned
from huitouke.kernel.settings import get_settings
from huitouke.modules.assistant.model.addresses import Address, resolve
from huitouke.modules.assistant.model.port import FailureKind, ModelFailure

CONNECT_SECONDS: Final = 3.0
PIECE_SECONDS: Final = 15.0
"""The longest silence within an answer that has begun; waiting for its first byte has the whole time."""

MAX_ADDRESSES: Final = 3
_GZIP_OR_ZLIB: Final = 47  # zlib's wbits for either header


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the whole must be over, in the loop's time, and how many seconds that were."""

    at: float
    seconds: float

    @staticmethod
    def after(seconds: float) -> Deadline:
        return Deadline(asyncio.get_running_loop().time() + seconds, seconds)


class Response:
    """An answer whose status is known and whose bytes still come."""

    def __init__(self, response: httpx2.Response, deadline: Deadline, max_bytes: int) -> None:
        self.status = response.status_code
        self._response = response
        self._deadline = deadline
        self._max_bytes = max_bytes

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body's bytes as they come.

        Raises:
            ModelFailure: TOO_LONG, SLOW, SERVER (the connection broke), NOT_JSON (an encoding nobody asked for).
        """
        received = 0
        unpack = _unpacker(self._response.headers.get("content-encoding", ""))
        raw = self._response.aiter_raw()
        while True:
            limit = min(self._deadline, Deadline.after(PIECE_SECONDS), key=lambda deadline: deadline.at)
            try:
                # Not around a `yield`: the time is the endpoint's, not that of whoever takes the pieces.
                async with asyncio.timeout_at(limit.at):
                    chunk = await anext(raw, None)
            except TimeoutError as error:
                raise ModelFailure(FailureKind.SLOW, f"{limit.seconds:g} s") from error
            except (httpx2.HTTPError, httpx2.StreamError, ssl.SSLError) as error:
                raise ModelFailure(FailureKind.SERVER, f"{type(error).__name__} {error}") from error
            if chunk is None:
                return
            if unpack is not None:
                chunk = _unpacked(unpack, chunk, self._max_bytes - received + 1)
            received += len(chunk)
            if received > self._max_bytes:
                raise ModelFailure(FailureKind.TOO_LONG, f"{self._max_bytes} bytes")
            yield chunk

    async def body(self) -> bytes:
        """All of it. Raises as `chunks` does."""
        return b"".join([chunk async for chunk in self.chunks()])


@asynccontextmanager
async def post(
    address: Address, path: str, content: bytes, key: Secret | None, *, deadline: Deadline, max_bytes: int
) -> AsyncIterator[Response]:
    """Sends the request and waits for the status; leaving closes the connection, whatever is still coming.

    Raises:
        ModelFailure: ADDRESS, FORBIDDEN_ADDRESS, SLOW, SERVER.
    """
    limits = httpx2.Timeout(None, connect=CONNECT_SECONDS)
    async with httpx2.AsyncClient(verify=_tls(), timeout=limits, follow_redirects=False, trust_env=False) as client:
        response = await _opened(client, address, path, content, key, deadline)
        try:
            yield Response(response, deadline, max_bytes)
        finally:
            await response.aclose()


async def _opened(
    client: httpx2.AsyncClient, address: Address, path: str, content: bytes, key: Secret | None, deadline: Deadline
) -> httpx2.Response:
    refused: httpx2.TransportError | None = None
    try:
        async with asyncio.timeout_at(deadline.at):
            addresses = await resolve(address, allow_private=get_settings().allow_private_endpoints)
            for ip in addresses[:MAX_ADDRESSES]:
                try:
                    return await client.send(_request(client, address, ip, path, content, key), stream=True)
                except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                    refused = error
    except TimeoutError as error:
        raise ModelFailure(FailureKind.SLOW, f"{deadline.seconds:g} s") from error
    except (httpx2.HTTPError, ssl.SSLError) as error:
        raise ModelFailure(FailureKind.SERVER, f"{type(error).__name__} {error}") from error
    raise ModelFailure(FailureKind.ADDRESS, f"{type(refused).__name__} {refused}") from refused


def _request(
    client: httpx2.AsyncClient, address: Address, ip: str, path: str, content: bytes, key: Secret | None
) -> httpx2.Request:
    headers = {
        "Host": host_header(address),
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Accept-Encoding": "identity",  # pieces arrive as they are written, and nothing swells
    }
    if key:
        headers["Authorization"] = f"Bearer {key.reveal()}"
    return client.build_request(
        "POST",
        pinned(address, ip, path),
        content=content,
        headers=headers,
        extensions={"sni_hostname": address.host},
    )


def _unpacker(encoding: str) -> zlib._Decompress | None:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(_GZIP_OR_ZLIB)
        case other:
            raise ModelFailure(FailureKind.NOT_JSON, f"content encoding {other}")


def _unpacked(unpack: zlib._Decompress, chunk: bytes, max_bytes: int) -> bytes:
    try:
        return unpack.decompress(chunk, max_bytes)
    except zlib.error as error:
        raise ModelFailure(FailureKind.NOT_JSON, str(error)) from error


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Reading the certificates takes 20 ms: once per process."""
    return httpx2.create_ssl_context()
