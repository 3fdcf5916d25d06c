"""Can WeCom reach our callback? Looked at from here, as far as one can tell from inside.

One request per look, to the very path that WeCom calls: HEAD, which our callbacks answer with 405 and note nowhere, so
that a proxy that forwards only some paths is noticed. What an answer other than 405 means is a table below.

The host is resolved first and the connection goes to the address that was looked at (`kernel.outgoing`): link-local
addresses and metadata services are never called, private ones only where WeCom itself is one (the sandbox).
"""

import asyncio
import ipaddress
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx2

from huitouke.kernel import clock
from huitouke.kernel.outgoing import Address, AddressRefused, AddressUnknown, host_header, parse_address, resolve

LOOK_SECONDS: Final = 6.0
MAX_ADDRESSES: Final = 3
MAX_HEAD_BYTES: Final = 16 * 1024
MAX_HEADERS: Final = 100
EXPIRES_SOON: Final = timedelta(days=14)
"""Certificates that renew themselves do so 30 days before their end: at 14 something is stuck."""

OURS: Final = 405
"""What our callbacks answer to HEAD."""

BLOCK_PAGES: Final = ("dnspod.qcloud.com", "batit.aliyun.com")
"""Where mainland clouds send visitors of a domain without ICP filing. Seen, not documented: a hint alone."""

BLOCK_SERVERS: Final = ("beaver",)
"""The Server header of the same, where it answers 403 instead."""

_EXPIRED: Final = 10
_NAMES: Final = frozenset({62, 64})
"""X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL."""


@dataclass(frozen=True, slots=True)
class Look:
    """`found` is a name of the table of mistakes; empty: our own server answered."""

    found: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    expires_at: datetime | None


def is_inside(url: str) -> bool:
    """Whether that address is one of this machine or network; then the WeCom behind it is the sandbox."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith((".localhost", ".local", ".internal", ".test"))


async def look_at(url: str, *, inside: bool) -> Look:
    """What is wrong with that address of a callback. `inside`: the caller stands in our own network."""
    try:
        address = parse_address(url)
        async with asyncio.timeout(LOOK_SECONDS):
            ips = await resolve(address, allow_private=inside)
    except AddressRefused:
        return Look("private", {"host": urlsplit(url).hostname or url})
    except (AddressUnknown, TimeoutError):
        return Look("unknown", {"host": urlsplit(url).hostname or url})
    look = Look("unreachable", {"host": address.host})
    for ip in ips[:MAX_ADDRESSES]:  # a name with an IPv6 address is often reachable by the other alone
        look = await _looked(address, ip)
        if look.found != "unreachable":
            break
    if not look.found and address.scheme == "http" and not inside:
        return Look("insecure")
    return look


async def _looked(address: Address, ip: str) -> Look:
    host = {"host": address.host}
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            answer = await _head(address, ip)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == _EXPIRED:
            return Look("certificate_expired", host)
        return Look("certificate_name" if error.verify_code in _NAMES else "certificate", host)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return Look("unreachable", host)
    if (found := _meaning(answer)) is not None:
        return Look(found, {**host, "goes_to": answer.headers.get("location", "")[:200]})
    if answer.expires_at is not None and answer.expires_at - clock.now() < EXPIRES_SOON:
        return Look("certificate_expiring", {"date": answer.expires_at.date().isoformat()})
    return Look("")


def _meaning(answer: _Answer) -> str | None:
    """What an answer that is not ours tells; None for ours."""
    goes_to = urlsplit(answer.headers.get("location", "")).hostname or ""
    server = answer.headers.get("server", "").lower()
    match answer.status:
        case status if status == OURS:
            return None
        case status if goes_to in BLOCK_PAGES or (status == 403 and server.startswith(BLOCK_SERVERS)):
            return "not_filed"
        case 301 | 302 | 303 | 307 | 308:
            return "redirects"
        case 401 | 403 | 407 | 429:
            return "guarded"
        case status if status >= 500:
            return "gateway"
        case _:
            return "elsewhere"


async def _head(address: Address, ip: str) -> _Answer:
    """One HEAD to the pinned address. Raises OSError (ssl.SSLError is one), TimeoutError, ValueError."""
    # Reading the certificates takes 20 ms.
    tls = await asyncio.to_thread(httpx2.create_ssl_context) if address.scheme == "https" else None
    reader, writer = await asyncio.open_connection(
        ip, address.port, ssl=tls, server_hostname=address.host if tls else None, limit=MAX_HEAD_BYTES
    )
    try:
        path = urlsplit(address.base_url).path or "/"
        asked = f"HEAD {path} HTTP/1.1\r\nHost: {host_header(address)}\r\nConnection: close\r\n\r\n"
        writer.write(asked.encode("ascii"))
        await writer.drain()
        status = int((await reader.readline()).split(b" ", 2)[1])
        headers: dict[str, str] = {}
        for _ in range(MAX_HEADERS):
            name, colon, value = (await reader.readline()).decode("latin-1").strip().partition(":")
            if not colon:
                break
            headers[name.lower()] = value.strip()
        return _Answer(status, headers, _expiry(writer))
    except IndexError as error:
        raise ValueError("no status line") from error
    finally:
        writer.close()


def _expiry(writer: asyncio.StreamWriter) -> datetime | None:
    certificate = writer.get_extra_info("peercert")
    if not certificate:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
