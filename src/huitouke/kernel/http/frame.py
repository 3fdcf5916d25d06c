"""The frame around every request, as plain ASGI: request id, language, logs and metrics, limits, security headers.

Nothing here buffers a body or copies it, so that streams and sockets pass at full speed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huitouke.kernel import locales
from huitouke.kernel.context import DEFAULT_LOCALE
from huitouke.kernel.errors import Problem, TooLarge
from huitouke.kernel.http import problems
from huitouke.kernel.observability import metrics

REQUEST_ID_HEADER: Final = "X-Request-Id"
MAX_BODY_BYTES: Final = 1024 * 1024
"""Limit of a body where its route names no other."""

COMPRESSED_FROM_BYTES: Final = 2048
COMPRESSION_LEVEL: Final = 4
"""Of gzip: 0.4 ms for a page of the inbox; the highest level costs three times that and saves a twentieth."""

API_PREFIXES: Final = ("/api/", "/operator/api/", "/visitor/api/")
"""Below these stands what our own pages call."""

MAX_LANGUAGE_WISHES: Final = 8
MAX_LENGTH_DIGITS: Final = 18
"""Of an announced length: a longer number is too large whatever its other digits say."""
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_UNSAFE_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_QUIET_PATHS: Final = ("/health/", "/metrics", "/assets/")

log = structlog.get_logger(__name__)


class CsrfRefused(Problem):
    """A request that changes something came without the header that only our own pages send, or from elsewhere."""

    status = 403
    type = "csrf_refused"


class RequestFrame:
    """Outermost: gives the request an id and a language, logs and measures it, catches what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers.get(REQUEST_ID_HEADER))
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["locale"] = choose_locale(headers.get("accept-language"))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        await self._http(scope, receive, send, request_id)

    async def _http(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            # The last fence: every failure is logged with its stack and answered without it.
            log.exception("http.failed", method=scope["method"], path=scope["path"])
            if status == 0:
                answer = problems.response(problems.Internal(), locale=scope["state"]["locale"], request_id=request_id)
                await answer(scope, receive, send_with_id)
        finally:
            _observe(scope, status, perf_counter() - started)


class BodyLimit:
    """Refuses bodies above a limit with 413, before they are read where they announce their length."""

    def __init__(self, app: ASGIApp, limit_of: Callable[[Scope], int]) -> None:
        self.app = app
        self.limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit_of(scope)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:MAX_LENGTH_DIGITS]) > limit:
            await refuse(TooLarge(limit=bytes_in_words(limit)), scope, receive, send)
            return
        await _Metered(self.app, limit)(scope, receive, send)


class _Metered:
    """One request whose body is counted while the application reads it."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit
        self.read = 0
        self.exceeded = False
        self.started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_counted() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                self.read += len(message.get("body", b""))
                if self.read > self.limit:
                    self.exceeded = True
                    raise TooLarge(limit=bytes_in_words(self.limit))
            return message

        async def send_unless_exceeded(message: Message) -> None:
            # Whatever the application makes of the broken body, the answer is 413.
            if self.exceeded and not self.started:
                return
            self.started = True
            await send(message)

        try:
            await self.app(scope, receive_counted, send_unless_exceeded)
        except TooLarge:
            if not self.exceeded or self.started:
                raise
        if self.exceeded and not self.started:
            await refuse(TooLarge(limit=bytes_in_words(self.limit)), scope, receive, send)


class CompressedApi:
    """Compresses what the API answers, where the client likes it: lists of an inbox shrink to a fifth on slow lines.

    Only below the APIs: the console's files are compressed at build, and pictures are as small as they get.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressing = GZipMiddleware(app, minimum_size=COMPRESSED_FROM_BYTES, compresslevel=COMPRESSION_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        api = scope["type"] == "http" and scope["path"].startswith(API_PREFIXES)
        await (self.compressing if api else self.app)(scope, receive, send)


class CsrfRule:
    """Requests that change something under an API carry `X-Requested-With: huitouke` and come from our own origin.

    A foreign page can neither set the header without a preflight that we never allow, nor hide its origin.
    """

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self.public_host = urlsplit(public_url).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and scope["method"] in _UNSAFE_METHODS
            and scope["path"].startswith(API_PREFIXES)
            and not self._ours(Headers(scope=scope))
        ):
            await refuse(CsrfRefused(), scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _ours(self, headers: Headers) -> bool:
        if headers.get("x-requested-with") != "huitouke":
            return False
        origin = headers.get("origin")
        return origin is None or host_of(origin) in {headers.get("host", ""), self.public_host}


class SecurityHeaders:
    """Adds the headers that every answer bears, unless the answer has set its own."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self.app = app
        self.headers = dict(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    present.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def security_headers(public_url: str, *, media_origins: tuple[str, ...] = ()) -> dict[str, str]:
    """The headers of console and API. `media_origins`: where pictures and sound may come from besides ourselves.

    Customers' pictures come from WeChat's hosts, over https and, for old ones, over http (wx.qlogo.cn).
    """
    media = " ".join(("'self'", "data:", "blob:", "https:", "http://wx.qlogo.cn", *media_origins))
    policy = (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",  # WebAssembly of our own files decodes customers' voices; no eval
        "style-src 'self' 'unsafe-inline'",  # the widgets' library positions its poppers by style attributes
        f"img-src {media}",
        f"media-src {media}",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if public_url.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def host_of(origin: str) -> str | None:
    """Host and port of an Origin header; None when it can't be one."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


async def refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a request outside of FastAPI with a problem document."""
    state: dict[str, Any] = scope.get("state", {})
    answer = problems.response(problem, locale=state.get("locale", DEFAULT_LOCALE), request_id=state.get("request_id"))
    await answer(scope, receive, send)


def choose_locale(accept_language: str | None) -> str:
    """The best language that we speak out of an Accept-Language header, else the default."""
    wishes: list[tuple[float, str]] = []
    for part in (accept_language or "").split(",")[:MAX_LANGUAGE_WISHES]:
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        if name and weight > 0:
            wishes.append((-weight, name))
    return locales.choose(name for _, name in sorted(wishes, key=lambda wish: wish[0]))


def bytes_in_words(count: int) -> str:
    """`1048576` → `1 MB`: how limits are told to people."""
    for unit, size in (("MB", 1024 * 1024), ("KB", 1024)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"


def _request_id(offered: str | None) -> str:
    """The caller's id where it is short and plain, so that it can be followed through proxies; else a new one."""
    return offered if offered is not None and _SANE_REQUEST_ID.fullmatch(offered) else uuid4().hex


def _observe(scope: Scope, status: int, seconds: float) -> None:
    route = route_label(scope)
    metrics.HTTP_SECONDS.labels(method=scope["method"], route=route, status=f"{status // 100}xx").observe(seconds)
    if not scope["path"].startswith(_QUIET_PATHS):
        log.info(
            "http.request",
            method=scope["method"],
            route=route,
            status=status,
            elapsed_ms=round(seconds * 1000, 1),
        )


def route_label(scope: Scope) -> str:
    """The route's pattern (`/api/customers/{id}`), never the path itself, which would make endless series."""
    label = scope.get("state", {}).get("route_label")
    if label is None:
        label = getattr(scope.get("route"), "path", None)
    return label if isinstance(label, str) else "other"
