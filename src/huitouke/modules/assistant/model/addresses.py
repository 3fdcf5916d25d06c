"""Where a model may stand. The address is a merchant's input that our server calls, so it is looked at twice:
when it is saved, and, resolved, right before each call; the connection goes to the very address that was looked at.

http and https only, without user names. Link-local addresses and the metadata services of clouds are refused always;
private ones (this machine, the local network: Ollama, vLLM) unless `HUITOUKE_ALLOW_PRIVATE_ENDPOINTS` is off, as it
should be where foreign merchants are hosted.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from huitouke.modules.assistant.model.port import FailureKind, ModelFailure

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA: Final = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "169.254.0.23", "100.100.100.200", "fd00:ec2::254", "192.0.0.192")
)
"""Metadata services: AWS, Azure, GCP, Tencent; Tencent; Alibaba; AWS over IPv6; Oracle."""


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address. `base_url` has no slash at its end."""

    base_url: str
    scheme: str
    host: str
    port: int


def parse_address(base_url: str) -> Address:
    """The parts of a model's address; `/chat/completions` at its end is taken off, since people copy it so.

    Raises:
        ModelFailure: FORBIDDEN_ADDRESS with a stable word: scheme, host, user, query, port.
    """
    url = base_url.strip().rstrip("/").removesuffix("/chat/completions").rstrip("/")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ModelFailure(FailureKind.FORBIDDEN_ADDRESS, "host") from error
    if parts.scheme not in ("http", "https"):
        raise ModelFailure(FailureKind.FORBIDDEN_ADDRESS, "scheme")
    if not parts.hostname or any(character.isspace() or ord(character) < 33 for character in url):
        raise ModelFailure(FailureKind.FORBIDDEN_ADDRESS, "host")
    if parts.username is not None or parts.password is not None:
        raise ModelFailure(FailureKind.FORBIDDEN_ADDRESS, "user")
    if parts.query or parts.fragment:
        raise ModelFailure(FailureKind.FORBIDDEN_ADDRESS, "query")
    if port == 0:
        raise ModelFailure(FailureKind.FORBIDDEN_ADDRESS, "port")
    return Address(url, parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80))


def refuse_forbidden(ip: IpAddress, *, allow_private: bool) -> None:
    """Lets an address pass that may be called.

    Raises:
        ModelFailure: FORBIDDEN_ADDRESS with a stable word: link_local, private.
    """
    mapped = ip.ipv4_mapped or ip.sixtofour if isinstance(ip, ipaddress.IPv6Address) else None
    if mapped is not None:
        refuse_forbidden(mapped, allow_private=allow_private)
    if ip.is_link_local or ip in METADATA or ip.is_multicast or ip.is_unspecified:
        raise ModelFailure(FailureKind.FORBIDDEN_ADDRESS, "link_local")
    if not ip.is_global and not allow_private and mapped is None:
        raise ModelFailure(FailureKind.FORBIDDEN_ADDRESS, "private")


async def resolve(address: Address, *, allow_private: bool) -> list[str]:
    """The IP addresses of the host, all of which may be called.

    Raises:
        ModelFailure: ADDRESS (no such name), FORBIDDEN_ADDRESS.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ModelFailure(FailureKind.ADDRESS, str(error)) from error
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    for text in addresses:
        refuse_forbidden(ipaddress.ip_address(text), allow_private=allow_private)
    if not addresses:
        raise ModelFailure(FailureKind.ADDRESS, "no address")
    return addresses
