"""Calling an address that a merchant entered. It is their input and our server calls it, so it is looked at twice:
when it is saved, and, resolved, right before each call; the connection goes to the very address that was looked at.

http and https only, without user names. Link-local addresses and the metadata services of clouds are refused always;
private ones (this machine, the local network) unless `HUITOUKE_ALLOW_PRIVATE_ENDPOINTS` is off, as it should be where
foreign merchants are hosted.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import httpx2

from huitouke.kernel.settings import get_settings

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA: Final = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "169.254.0.23", "100.100.100.200", "fd00:ec2::254", "192.0.0.192")
)
"""Metadata services: AWS, Azure, GCP, Tencent; Tencent; Alibaba; AWS over IPv6; Oracle."""

CONNECT_SECONDS: Final = 3.0
MAX_ADDRESSES: Final = 3


class AddressRefused(Exception):
    """The address may not be called. `word` is stable: scheme, host, user, query, port, link_local, private."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class AddressUnknown(Exception):
    """There is no machine of that name."""


class NotAnswered(Exception):
    """No answer. `may_have_happened`: the request may have arrived all the same."""

    def __init__(self, reason: str, *, may_have_happened: bool) -> None:
        super().__init__(reason)
        self.may_have_happened = may_have_happened


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address. `base_url` has no slash at its end."""

    base_url: str
    scheme: str
    host: str
    port: int


def parse_address(url: str) -> Address:
    """The parts of an address. Raises AddressRefused."""
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("host") from error
    if parts.scheme not in ("http", "https"):
        raise AddressRefused("scheme")
    if not parts.hostname or any(character.isspace() or ord(character) < 33 for character in url):
        raise AddressRefused("host")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("user")
    if parts.query or parts.fragment:
        raise AddressRefused("query")
    if port == 0:
        raise AddressRefused("port")
    return Address(url, parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80))


def checked_address(url: str) -> Address:
    """An address that may be saved; one that names a machine by number is looked at now. Raises AddressRefused."""
    address = parse_address(url)
    try:
        literal = ipaddress.ip_address(address.host)
    except ValueError:
        return address
    refuse_forbidden(literal, allow_private=get_settings().allow_private_endpoints)
    return address


def refuse_forbidden(ip: IpAddress, *, allow_private: bool) -> None:
    """Lets an address pass that may be called. Raises AddressRefused."""
    mapped = ip.ipv4_mapped or ip.sixtofour if isinstance(ip, ipaddress.IPv6Address) else None
    if mapped is not None:
        refuse_forbidden(mapped, allow_private=allow_private)
    if ip.is_link_local or ip in METADATA or ip.is_multicast or ip.is_unspecified:
        raise AddressRefused("link_local")
    if not ip.is_global and not allow_private and mapped is None:
        raise AddressRefused("private")


async def resolve(address: Address, *, allow_private: bool) -> list[str]:
    """The IP addresses of the host, all of which may be called. Raises AddressRefused, AddressUnknown."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressUnknown(str(error)) from error
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    for text in addresses:
        refuse_forbidden(ipaddress.ip_address(text), allow_private=allow_private)
    if not addresses:
        raise AddressUnknown("no address")
    return addresses


async def post(address: Address, content: bytes, headers: Mapping[str, str], *, seconds: float) -> int:
    """Sends the request and gives the answer's status; its body is not read, redirects are not followed.

    Raises AddressRefused, AddressUnknown, NotAnswered.
    """
    limits = httpx2.Timeout(None, connect=CONNECT_SECONDS)
    refused = "no address"
    async with httpx2.AsyncClient(verify=_tls(), timeout=limits, follow_redirects=False, trust_env=False) as client:
        try:
            async with asyncio.timeout(seconds):
                addresses = await resolve(address, allow_private=get_settings().allow_private_endpoints)
                for ip in addresses[:MAX_ADDRESSES]:
                    request = client.build_request(
                        "POST",
                        pinned(address, ip),
                        content=content,
                        headers={**headers, "Host": host_header(address)},
                        extensions={"sni_hostname": address.host},
                    )
                    try:
                        response = await client.send(request, stream=True)
                    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                        refused = f"{type(error).__name__} {error}"
                        continue
                    await response.aclose()
                    return response.status_code
        except TimeoutError as error:
            raise NotAnswered(f"{seconds:g} s", may_have_happened=True) from error
        except (httpx2.HTTPError, ssl.SSLError) as error:
            raise NotAnswered(f"{type(error).__name__} {error}", may_have_happened=True) from error
    raise NotAnswered(refused, may_have_happened=False)


def pinned(address: Address, ip: str, path: str = "") -> str:
    """The URL with the IP address in the host's place; `path` is added below what the address names."""
    literal = f"[{ip}]" if ipaddress.ip_address(ip).version == 6 else ip
    base = address.base_url.split("://", 1)[1].partition("/")[2]
    return f"{address.scheme}://{literal}:{address.port}/{'/'.join(part for part in (base, path) if part)}"


def host_header(address: Address) -> str:
    """The host as the server behind the address knows it."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    default = {"http": 80, "https": 443}[address.scheme]
    return host if address.port == default else f"{host}:{address.port}"


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Reading the certificates takes 20 ms: once per process."""
    return httpx2.create_ssl_context()
