"""Clients that speak HTTP to the application in this process, signed in where wanted."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import text
from starlette.types import ASGIApp

from huitouke.app import create_app
from huitouke.kernel.access import service as access
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import Modules, load_modules
from huitouke.kernel.settings import get_settings
from tests.support.world import World

ORIGIN = "http://huitouke.test"
PASSWORD = "a long enough pass phrase"
HEADERS = {"X-Requested-With": "huitouke", "Accept-Language": "zh-CN"}


@dataclass(frozen=True)
class Account:
    """A user of the world's tenant, with a membership and no staff row."""

    user_id: UUID
    sign_in_name: str
    password: str = PASSWORD


def application(modules: Modules | None = None) -> ASGIApp:
    """The application over the test's database; its work is done by `work.testing.drain`, not by the application."""
    return create_app(get_settings(), modules or load_modules())


@asynccontextmanager
async def started(app: ASGIApp) -> AsyncIterator[None]:
    """Runs the application's services (callbacks, roles) as a server would, from start to end."""
    to_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    from_app: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    task = asyncio.ensure_future(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    answer = await from_app.get()
    assert answer["type"] == "lifespan.startup.complete", answer.get("message")
    try:
        yield
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await task


async def make_account(world: World, *, display_name: str = "小林", locale: str = "zh-CN") -> Account:
    """A user who may enter the world's tenant."""
    name = f"user-{new_id().hex}"
    async with transaction(world.context) as ctx:
        user_id = await access.create_user(
            ctx.session, sign_in_name=name, password=Secret(PASSWORD), display_name=display_name, locale=locale
        )
        await access.add_membership(ctx, user_id)
    return Account(user_id, name)


@asynccontextmanager
async def client(app: ASGIApp, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the header that our own pages send, not signed in."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers={**HEADERS, **headers}) as opened:
        yield opened


@asynccontextmanager
async def signed_in(app: ASGIApp, sign_in_name: str, password: str = PASSWORD) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the session cookie of that account."""
    async with client(app) as opened:
        answer = await opened.post("/api/session", json={"sign_in_name": sign_in_name, "password": password})
        assert answer.status_code == 200, answer.text
        yield opened


@asynccontextmanager
async def signed_in_client(world: World, *, role: Any = "owner") -> AsyncIterator[httpx2.AsyncClient]:
    """A client signed in as staff of the world's tenant with that role, made for the occasion."""
    # Only here, so that the kernel's own tests need no module.
    from huitouke.modules.organization import service as organization

    name = f"staff-{new_id().hex}"
    async with transaction(world.context) as ctx:
        new = organization.NewStaff("小林", name, Secret(PASSWORD), role)
        await organization.add_staff(ctx, new)
    async with signed_in(application(), name) as opened:
        yield opened


def failed_outside(answer: httpx2.Response) -> bool:
    """Whether a service outside (WeCom, a model) refused or failed: the one 5xx that an input may bring."""
    kind = answer.headers.get("content-type") == "application/problem+json" and answer.json()["type"]
    return answer.status_code == 502 and kind != "/problems/internal"


async def forget_guesses() -> None:
    """After tests that come often: all share an address, and with it the counts of guesses and of visits."""
    async with platform_transaction() as session:
        for table in ("sign_in_throttles", "throttles"):
            await session.execute(text(f"DELETE FROM {table}"))
