"""Puts the ASGI application together from the modules.

request ─ RequestFrame ─ SecurityHeaders ─ BodyLimit ─ CsrfRule ─ FastAPI: /api, /files, /health, …
                                                                  └ what no route answers: /c, the console
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, FastAPI
from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from huitouke.kernel.access import use_resolver
from huitouke.kernel.access.resolver import AccessResolver
from huitouke.kernel.callbacks.app import PREFIX as CALLBACK_PREFIX
from huitouke.kernel.database import DatabaseUrls
from huitouke.kernel.files import reading as file_reading
from huitouke.kernel.files.console import UPLOAD_PATH
from huitouke.kernel.files.purposes import upload_limit_bytes
from huitouke.kernel.http import api_docs, frame, problems, testing
from huitouke.kernel.http.console_app import ConsoleApp
from huitouke.kernel.http.guest_pages import GuestPages
from huitouke.kernel.http.lifespan import Lifespan
from huitouke.kernel.modules import ModuleError, Modules, Surface
from huitouke.kernel.observability import health
from huitouke.kernel.realtime.app import is_socket
from huitouke.kernel.release import release
from huitouke.kernel.scoping import use_scoped
from huitouke.kernel.settings import Settings
from huitouke.services import REFUSALS, Role, running

WEB_FOLDER: Final = Path(__file__).parent / "web"

SURFACES: Final[tuple[Surface, ...]] = ("console", "operator", "member", "visitor", "open")

log = structlog.get_logger(__name__)


def create_app(
    settings: Settings, modules: Modules, roles: Iterable[Role] = (), urls: DatabaseUrls | None = None
) -> ASGIApp:
    """The application of one process. `roles` name what it does besides answering requests.

    At start the database of `urls` is opened; without them the process's current one serves (tests).
    """
    use_resolver(access_resolver(modules))
    use_scoped(rule for module in modules for rule in module.scoped)
    console = ConsoleApp(WEB_FOLDER / "console", {one.name: one.web for one in modules if one.web is not None})
    checks = health.standard_checks(modules)

    @asynccontextmanager
    async def services() -> AsyncIterator[None]:
        async with running(settings, modules, frozenset(roles), urls, api.state.build) as started:
            checks.update(started.checks)
            dispatcher.callbacks = started.callbacks
            dispatcher.realtime = started.realtime
            log.info("app.started", version=release(), modules=[module.name for module in modules])
            yield
        log.info("app.stopped")

    # A path with a slash too many is told to be unknown: a redirect would name whatever host the request named.
    api = FastAPI(title="Huitouke", version=release(), openapi_url=None, redirect_slashes=False)
    api.state.settings = settings
    api.state.modules = modules
    api.state.build = console.build or release()
    problems.install(api)
    api.include_router(health.router(settings, checks))
    api.include_router(file_reading.router)
    api.include_router(api_docs.router(lambda surface: openapi_document(modules, surface)))
    if settings.testing:
        api.include_router(testing.router)
    for surface in SURFACES:
        for router in _routers(modules, surface):
            api.include_router(router, responses=problems.PROBLEM_RESPONSES)
    api.router.default = GuestPages(WEB_FOLDER / "page", console, settings.public_url)
    dispatcher = Dispatcher(_framed(api, settings))
    return Lifespan(dispatcher, services, REFUSALS)


class Dispatcher:
    """Gives what must be fast to the bare applications, once they have started, and the rest to FastAPI."""

    def __init__(self, api: ASGIApp) -> None:
        self.api = api
        self.callbacks: ASGIApp | None = None
        self.realtime: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.callbacks is not None and scope["path"].startswith(CALLBACK_PREFIX):
            await self.callbacks(scope, receive, send)
        elif self.realtime is not None and is_socket(scope["path"]):
            await self.realtime(scope, receive, send)
        else:
            await self.api(scope, receive, send)


def openapi_document(modules: Modules, surface: Surface) -> dict[str, Any]:
    """The OpenAPI document of one surface; needs no database."""
    api = FastAPI(
        title=f"Huitouke {surface}",
        version=release(),
        description="Errors are problem documents (RFC 9457). Requests that change something bear the header"
        " `X-Requested-With: huitouke`.",
    )
    for router in _routers(modules, surface):
        api.include_router(router, responses=problems.PROBLEM_RESPONSES)
    return problems.described(api.openapi())


def access_resolver(modules: Modules) -> AccessResolver | None:
    """The one resolver that the modules offer; None when none does (then nobody can sign in).

    Raises:
        ModuleError: two modules offer one.
    """
    offered = [module for module in modules if module.access_resolver is not None]
    if len(offered) > 1:
        raise ModuleError(f"modules {', '.join(m.name for m in offered)} all offer an access resolver; one may")
    return offered[0].access_resolver if offered else None


def _routers(modules: Modules, surface: Surface) -> list[APIRouter]:
    return [entry.router for module in modules for entry in module.routers if entry.surface == surface]


def _framed(api: ASGIApp, settings: Settings) -> ASGIApp:
    headers = frame.security_headers(settings.public_url, media_origins=_media_origins(settings))
    app: ASGIApp = frame.CsrfRule(api, settings.public_url)
    app = frame.BodyLimit(app, _body_limit)
    app = frame.CompressedApi(app)
    app = frame.SecurityHeaders(app, headers)
    return frame.RequestFrame(app)


def _body_limit(scope: Scope) -> int:
    if scope["path"] == UPLOAD_PATH:
        return upload_limit_bytes(QueryParams(scope["query_string"]).get("purpose"))
    return frame.MAX_BODY_BYTES


def _media_origins(settings: Settings) -> tuple[str, ...]:
    """Pictures also come from the host for files, and from the sandbox where it plays WeChat."""
    found = [urlsplit(settings.wecom_base_url), urlsplit(settings.files_host or settings.public_url)]
    return tuple(dict.fromkeys(f"{parts.scheme}://{parts.netloc}" for parts in found if parts.scheme == "http"))
