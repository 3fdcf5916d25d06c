"""Puts the sandbox together: WeCom's API, the control API, the model, the pages, on one port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wechat_sandbox import control_docs, pages
from wechat_sandbox.callbacks import CallbackSender
from wechat_sandbox.control import address_book, customers, employees, mails, operation, robots, setup, sms
from wechat_sandbox.errors import ControlError
from wechat_sandbox.kf.messages import fail_later
from wechat_sandbox.model import routes as model
from wechat_sandbox.sms.provider import send_sms
from wechat_sandbox.wecom import dispatch, oauth
from wechat_sandbox.world import World

BODY_LIMIT_BYTES = 24 * 1_048_576

DESCRIPTION = """A simulated WeCom with 微信客服. This is its control API: it plays the customer's phone, the
employee's client and the administrator, and switches faults. The simulated WeCom itself is under `/cgi-bin`, an
OpenAI-compatible model under `/v1` (key `sandbox-key`)."""


def create_app(data: Path | None = None, seed: int | None = None) -> FastAPI:
    """The ASGI application. `data`: a folder for its file (None: nothing outlives the process); `seed`: for faults."""
    world = World(data, seed)
    world.sender = CallbackSender(world)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await world.sender.start()
        await world.mail.start()
        for message in world.book:
            if message.state == "accepted":
                fail_later(world, message)
        yield
        world.mail.stop()
        world.hub.close()
        world.timers.cancel()
        await world.sender.stop()
        world.store.close()

    app = FastAPI(
        title="wechat-sandbox control API",
        version="1",
        description=DESCRIPTION,
        openapi_url="/sandbox/openapi.json",
        docs_url=None,  # FastAPI's own page fetches its parts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        max_body_size=BODY_LIMIT_BYTES,
    )
    app.state.world = world
    app.add_exception_handler(ControlError, _refused)
    app.add_middleware(Durable, world=world)
    # a plain route, and the first: WeCom's API is what load tests call
    app.add_route(dispatch.PATH, dispatch.dispatch, methods=dispatch.METHODS, include_in_schema=False)
    app.add_route("/", send_sms, methods=["POST"], include_in_schema=False)
    app.include_router(control_docs.router(app))  # before the pages, which take every other path
    for router in (
        setup.router, address_book.router, customers.router, employees.router, operation.router, model.router,
        robots.router, mails.router, sms.router, oauth.router, pages.router,
    ):  # fmt: skip
        app.include_router(router)
    return app


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ControlError)
    return JSONResponse({"error": error.error, "message": error.message}, error.status)


class Durable:
    """Writes what a request changed before its answer leaves, so that a killed sandbox has forgotten no answer."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def flush_then_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._world.flush()
            await send(message)

        await self._app(scope, receive, flush_then_send)
