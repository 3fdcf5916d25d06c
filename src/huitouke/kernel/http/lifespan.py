"""Start and end of the application under an ASGI server, with a sentence instead of a stack when it may not start."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

log = structlog.get_logger(__name__)


class Lifespan:
    """Runs `services()` from the server's start to its end. `expected` errors are told by their message alone."""

    def __init__(
        self,
        app: ASGIApp,
        services: Callable[[], AbstractAsyncContextManager[object]],
        expected: tuple[type[Exception], ...],
    ) -> None:
        self.app = app
        self.services = services
        self.expected = expected

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        await receive()
        started = False
        try:
            async with self.services():
                started = True
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except self.expected as error:
            log.error("app.refused_to_start", reason=str(error))
            await self._failed(started, str(error), send)
        except Exception as error:
            # The server must hear of it in either case, and the operator gets the stack.
            log.exception("app.failed")
            await self._failed(started, f"{type(error).__name__}: {error}", send)
        else:
            await send({"type": "lifespan.shutdown.complete"})

    @staticmethod
    async def _failed(started: bool, message: str, send: Send) -> None:
        kind = "lifespan.shutdown.failed" if started else "lifespan.startup.failed"
        await send({"type": kind, "message": message})
