"""The built page that a shop's visitors open, under `/c/<code>`: one document for all codes, and its files.

It is no part of the console: its policy lets in nothing but its own files, and search engines are asked to stay away.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from huitouke.kernel.errors import NotFound
from huitouke.kernel.http.console_app import NOT_BUILT, read_folder, respond
from huitouke.kernel.http.frame import refuse
from huitouke.kernel.http.problems import MethodNotAllowed

PREFIX: Final = "/c/"
_CODE: Final = re.compile(r"[0-9a-z]{6,40}")


class GuestPages:
    """ASGI application for what stands under `/c/`; everything else is given on."""

    def __init__(self, folder: Path, otherwise: ASGIApp, public_url: str) -> None:
        self.assets = read_folder(folder)
        self._otherwise = otherwise
        self._headers = guest_headers(public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._otherwise(scope, receive, send)
            return
        scope["state"]["route_label"] = "guest_page"
        if scope["method"] not in {"GET", "HEAD"}:
            await refuse(MethodNotAllowed(), scope, receive, send)
            return
        path = scope["path"].removeprefix(PREFIX)
        name = "index.html" if _CODE.fullmatch(path) else path
        asset = self.assets.get(name)
        if asset is None and name == "index.html":
            await PlainTextResponse(NOT_BUILT, status_code=404)(scope, receive, send)
            return
        if asset is None:
            await refuse(NotFound(), scope, receive, send)
            return
        response = await respond(asset, Headers(scope=scope))
        response.headers.update(self._headers)
        await response(scope, receive, send)


def guest_headers(public_url: str) -> dict[str, str]:
    """What the page's files bear instead of the console's policy.

    The socket's address is named as well: browsers before 2022 (WeChat's on older phones) don't take it for `'self'`.
    """
    parts = urlsplit(public_url)
    socket = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: https:",
        f"connect-src 'self' {socket}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
    return {"Content-Security-Policy": "; ".join(policy), "X-Robots-Tag": "noindex"}
