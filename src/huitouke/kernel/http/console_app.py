"""The built console: static files with history fallback, precompressed, hashed names cached for ever.

Beside it the pages that plug-ins bring, under `/extensions/<module>/`.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import anyio
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from huitouke.kernel.errors import NotFound
from huitouke.kernel.http.frame import refuse
from huitouke.kernel.http.problems import MethodNotAllowed
from huitouke.kernel.modules import EXTENSIONS

IMMUTABLE: Final = "public, max-age=31536000, immutable"
REVALIDATE: Final = "no-cache"
A_DAY: Final = "public, max-age=86400"
"""For icons: a browser looks for them anew with every change of the address."""

ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
"""Best first; the build writes `app.js.br` and `app.js.gz` beside `app.js`."""

HASHED_FOLDER: Final = "assets/"
"""The build puts files whose names bear a hash of their content here."""

NOT_PAGES: Final = (
    "api/",
    "operator/api/",
    "visitor/api/",
    "files/",
    "callbacks/",
    "health/",
    "realtime",
    "testing/",
    "metrics",
)
NOT_BUILT: Final = "控制台页面还没有构建：运行 make web。\nThe console has not been built: run make web.\n"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the build. `encoded` maps a content coding to the precompressed file."""

    path: Path
    media_type: str
    etag: str
    cache_control: str
    encoded: Mapping[str, Path]


class ConsoleApp:
    """ASGI application for everything that no route answers: the console's files, and its page for all its paths."""

    def __init__(self, folder: Path, extensions: Mapping[str, Path] = MappingProxyType({})) -> None:
        self.assets = read_folder(folder)
        for name, own in extensions.items():
            self.assets |= {f"{EXTENSIONS.strip('/')}/{name}/{path}": one for path, one in read_folder(own).items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        scope["state"]["route_label"] = "console"
        path = scope["path"].lstrip("/")
        if path.startswith(NOT_PAGES):
            await refuse(NotFound(), scope, receive, send)
            return
        if scope["method"] not in {"GET", "HEAD"}:
            await refuse(MethodNotAllowed(), scope, receive, send)
            return
        asset = self.assets.get(path)
        if asset is None and "." not in path.rpartition("/")[2]:  # a file that is missing is no page
            asset = self.assets.get("index.html")
            if asset is None:
                await PlainTextResponse(NOT_BUILT, status_code=404)(scope, receive, send)
                return
        if asset is None:
            await refuse(NotFound(), scope, receive, send)
            return
        response = await respond(asset, Headers(scope=scope))
        await response(scope, receive, send)

    @property
    def build(self) -> str | None:
        """A short name of the build, so that open consoles notice a newer one; None when there is no build."""
        page = self.assets.get("index.html")
        return page.etag.strip('"')[:12] if page is not None else None


async def respond(asset: Asset, headers: Headers) -> Response:
    """The file in the best coding that the client takes, or 304 where it has it."""
    answer = {
        "Cache-Control": asset.cache_control,
        "ETag": asset.etag,
        "Vary": "Accept-Encoding",
    }
    if headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=answer)
    path = asset.path
    accepted = {part.split(";")[0].strip() for part in headers.get("accept-encoding", "").split(",")}
    for coding, _ in ENCODINGS:
        if coding in accepted and coding in asset.encoded:
            path = asset.encoded[coding]
            answer["Content-Encoding"] = coding
            break
    return Response(await anyio.Path(path).read_bytes(), media_type=asset.media_type, headers=answer)


def read_folder(folder: Path) -> dict[str, Asset]:
    """The files by path. Read once: a build replaces files only together with a restart."""
    if not folder.is_dir():
        return {}
    assets: dict[str, Asset] = {}
    suffixes = tuple(suffix for _, suffix in ENCODINGS)
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.endswith(suffixes):
            continue
        name = path.relative_to(folder).as_posix()
        assets[name] = Asset(
            path=path,
            media_type=_media_type(path),
            etag=f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}"',
            cache_control=_cache_control(name),
            encoded={
                coding: path.with_name(path.name + suffix)
                for coding, suffix in ENCODINGS
                if path.with_name(path.name + suffix).is_file()
            },
        )
    return assets


def _cache_control(name: str) -> str:
    if name.startswith(HASHED_FOLDER):
        return IMMUTABLE
    return A_DAY if name.startswith("favicon.") else REVALIDATE


def _media_type(path: Path) -> str:
    known = {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".woff2": "font/woff2",
        ".webmanifest": "application/manifest+json",
    }
    return known.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
