"""A shop with a chat page and without any account of WeChat, and people who visit it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from huitouke.kernel.database import transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.visitors import PAGES, VISITOR_COOKIE
from huitouke.kernel.work.testing import drain
from huitouke.modules.assistant import service as assistant
from huitouke.modules.assistant.demo import demo_entries
from huitouke.modules.conversations import service as conversations
from huitouke.modules.conversations.service import PageView
from huitouke.modules.organization import service as organization
from tests.support.http import HEADERS, PASSWORD, application, signed_in
from tests.support.time import later
from tests.support.world import World, make_world

PATIENCE_SECONDS = 20.0


@dataclass
class Visitor:
    """A browser on the page, with what it holds of the chat: the newest state of each message by its id."""

    client: httpx2.AsyncClient
    page: PageView
    place: str
    chat: dict[str, Any] | None = None
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    seq: int = 0

    async def visits(self) -> dict[str, Any]:
        answer = await self.client.post(f"{self.place}/visit")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        self.chat, self.said = found["chat"], {one["id"]: one for one in found["messages"]}
        self.seq = found["chat"]["seq"] if found["chat"] else 0
        return found

    async def posts(self, text: str, client_id: str | None = None) -> httpx2.Response:
        return await self.client.post(
            f"{self.place}/messages", json={"client_id": client_id or new_id().hex, "text": text}
        )

    async def writes(self, text: str, client_id: str | None = None) -> dict[str, Any]:
        answer = await self.posts(text, client_id)
        assert answer.status_code == 201, answer.text
        sent: dict[str, Any] = answer.json()
        self.chat = sent["chat"]
        return sent

    async def reads(self, **params: int) -> list[dict[str, Any]]:
        answer = await self.client.get(f"{self.place}/messages", params=params)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def texts(self) -> list[tuple[str, str | None]]:
        """Who said what, in order; lines by their name."""
        return [(one["by"], one["text"] or one["line"]) for one in await self.reads()]

    @property
    def cookie(self) -> str:
        return f"{VISITOR_COOKIE}={self.client.cookies[VISITOR_COOKIE]}"

    @asynccontextmanager
    async def listens(self) -> AsyncIterator[ClientConnection]:
        """The page's live socket, with the chat open from the number that the page has."""
        async with live(self, self.cookie) as socket:
            assert self.chat is not None, "there is nothing to listen to before the first message"
            await socket.send(json.dumps({"type": "open", "stream": "chat", "streams": {self.chat["id"]: self.seq}}))
            yield socket

    async def hears(self, socket: ClientConnection, text: str) -> dict[str, Any]:
        """Applies what comes until a message holds that text; gives the message."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                frame = json.loads(await socket.recv())
                if frame["type"] != "frame":
                    continue
                assert frame["seq"] > self.seq, "a number came twice"
                self.seq = frame["seq"]
                data = frame["data"]
                if data["kind"] == "chat":
                    self.chat = data["chat"]
                    continue
                message: dict[str, Any] = data["message"]
                self.said[message["id"]] = message
                if text in (message["text"] or message["line"] or ""):
                    return message


@asynccontextmanager
async def live(visitor: Visitor, cookie: str | None, origin: str | None = None) -> AsyncIterator[ClientConnection]:
    """The socket of the visitor's page with any cookie and origin."""
    base = str(visitor.client.base_url).rstrip("/")
    headers = {"Origin": origin or base, **({"Cookie": cookie} if cookie else {})}
    address = f"{base.replace('http', 'ws')}{visitor.place}/realtime"
    async with connect(address, additional_headers=headers, proxy=None) as socket:
        yield socket


@dataclass
class PageShop:
    """A merchant with a chat page."""

    world: World
    owner: httpx2.AsyncClient
    page: PageView
    address: str
    """Of the server that holds sockets."""

    @asynccontextmanager
    async def visitor(self) -> AsyncIterator[Visitor]:
        """Somebody who has not opened the page yet."""
        async with httpx2.AsyncClient(base_url=self.address, headers=HEADERS, timeout=60, trust_env=False) as client:
            yield Visitor(client, self.page, f"{PAGES}/{self.page.code}")

    async def settle(self) -> None:
        """What is due is done, the pause of a burst too."""
        for _ in range(3):
            await drain()
            await later(3)
        await drain()

    async def rows(self) -> list[dict[str, Any]]:
        answer = await self.owner.get("/api/conversations")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


@asynccontextmanager
async def page_shop(address: str, name: str = "拾光衣橱") -> AsyncIterator[PageShop]:
    """A merchant who knows the demo's answers, has an owner and a page, and nothing of WeCom."""
    world = await make_world()
    sign_in_name = f"owner-{new_id().hex}"
    async with transaction(world.context) as ctx:
        await organization.add_staff(ctx, organization.NewStaff("店长", sign_in_name, Secret(PASSWORD), "owner"))
        await assistant.add_entries(ctx, demo_entries(), source="demo")
        page = await conversations.open_hosted_page(ctx, name=name, greeting="您好，想了解点什么？")
    async with signed_in(application(), sign_in_name) as owner:
        yield PageShop(world, owner, page, address)
