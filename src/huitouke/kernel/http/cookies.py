"""Names of our cookies behind https: with a prefix that browsers hold to what it says.

A cookie called `__Host-…` is only taken from this very host, over https and for all paths: no other name under the
same domain can plant one (RFC 6265bis, section 4.1.3). Within, cookies have their plain names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huitouke.kernel.access.signed_in import SESSION_COOKIE

PREFIXED: Final[Mapping[str, str]] = {
    SESSION_COOKIE: f"__Host-{SESSION_COOKIE}",
    "huitouke_operator": "__Secure-huitouke_operator",
    "huitouke_visitor": "__Secure-huitouke_visitor",
}
"""The operator's goes to one path only, and a visitor's to that of one page, which `__Host-` doesn't allow."""

_PLAIN: Final[Mapping[str, str]] = {prefixed: plain for plain, prefixed in PREFIXED.items()}


def is_https(public_url: str) -> bool:
    """Whether people reach us over https, by the address that the settings give."""
    return public_url.startswith("https://")


def plain_names(header: str) -> str:
    """A Cookie header with our own names instead of the prefixed ones; what came under the plain names is dropped."""
    kept = []
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if name not in PREFIXED:
            kept.append(f"{_PLAIN.get(name, name)}{equals}{value}")
    return "; ".join(kept)


def prefixed_name(header: str) -> str:
    """A Set-Cookie header under the name that the browser holds us to; always with Secure, else it is not taken."""
    name, equals, rest = header.partition("=")
    if name not in PREFIXED:
        return header
    secure = "" if "; secure" in rest.lower() else "; Secure"
    return f"{PREFIXED[name]}{equals}{rest}{secure}"


class PrefixedCookies:
    """Translates between the browser's names and ours; stands around everything that reads or sets cookies."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = [
            (name, plain_names(value.decode("latin-1")).encode("latin-1") if name == b"cookie" else value)
            for name, value in scope["headers"]
        ]

        async def send_prefixed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, prefixed_name(value.decode("latin-1")).encode("latin-1") if name == b"set-cookie" else value)
                    for name, value in message.get("headers", ())
                ]
            await send(message)

        await self.app({**scope, "headers": headers}, receive, send_prefixed)
