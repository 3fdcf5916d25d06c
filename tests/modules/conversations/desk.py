"""A merchant of ours on a real sandbox: staff, WeCom app, 客服账号, customers; our server takes its callbacks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import ALL_DATA, Actor, ActorKind, Context, job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import load_modules
from huitouke.kernel.work import testing as work
from huitouke.modules.assistant.schemas import PauseIn
from huitouke.modules.assistant.service.settings import pause_all
from huitouke.modules.conversations import service as conversations
from huitouke.modules.conversations.models import ChannelAccount, Conversation, Message, OutboundMessage
from huitouke.modules.conversations.service import accounts
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.service.roles import permissions_of
from tests.modules.wechat_sandbox.shop import Sandbox, Shop, open_shop
from tests.support import time
from tests.support.http import PASSWORD

T = TypeVar("T")
PATIENCE_SECONDS = 30.0
CALLBACK_TRIES = 5


@dataclass(frozen=True)
class Person:
    """One of the staff, with the context of what this person does."""

    id: UUID
    name: str
    sign_in_name: str
    userid: str
    context: Context


@dataclass
class Desk:
    """The merchant and the sandbox's side of it."""

    shop: Shop
    context: Context
    app_id: UUID
    account: ChannelAccount
    owner: Person
    xiaoyu: Person
    aning: Person

    async def work(self) -> None:
        """Everything that is due, done."""
        await work.drain()

    @asynccontextmanager
    async def later(self, seconds: float) -> AsyncIterator[None]:
        """Our clock, that many seconds ahead."""
        await time.later(seconds)
        try:
            yield
        finally:
            await time.today()

    async def eventually(self, check: Callable[[], Awaitable[T]]) -> T:
        """What `check` gives once it is true, while callbacks come in and work is done."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            await work.drain()
            found = await check()
            if found:
                return found
            assert asyncio.get_running_loop().time() < deadline, "it did not happen"
            await asyncio.sleep(0.02)

    async def customer_writes(self, text: str = "有大一点的吗") -> Conversation:
        """The customer sends a text; gives the conversation once it is in."""
        sent = await self.shop.writes(text)

        async def arrived() -> bool:
            return any(message.external_msgid == sent["msgid"] for message in await self.messages())

        await self.eventually(arrived)
        return await self.conversation()

    async def conversation(self, address: str | None = None) -> Conversation:
        """The customer's conversation as it is now."""
        async with transaction(self.context) as ctx:
            row = await ctx.session.scalar(
                select(Conversation).where(Conversation.customer_address == (address or self.shop.customer))
            )
        assert row is not None
        return row

    async def messages(self, *, lines: bool = False) -> list[Message]:
        """All messages in the order of their numbers; `lines` with what happened to the conversation."""
        async with transaction(self.context) as ctx:
            rows = await ctx.session.scalars(select(Message).order_by(Message.conversation_id, Message.seq))
            return [row for row in rows if lines or row.msgtype != "event"]

    async def deliveries(self) -> list[OutboundMessage]:
        async with transaction(self.context) as ctx:
            return list(await ctx.session.scalars(select(OutboundMessage).order_by(OutboundMessage.seq)))

    async def says(self, person: Person, text: str, **more: Any) -> Message:
        """An agent queues a text."""
        row = await self.conversation()
        async with transaction(person.context) as ctx:
            return await conversations.send_message(
                ctx, row.id, conversations.SendRequest(**{"purpose": "service", "text": text, **more})
            )

    async def takes(self, person: Person) -> Conversation:
        row = await self.conversation()
        async with transaction(person.context) as ctx:
            return await conversations.take(ctx, row.id)

    async def hands_over(self, to: Any = "console", **more: Any) -> Conversation:
        """As the assistant does it."""
        row = await self.conversation()
        async with transaction(self.context.acting_as(Actor(ActorKind.ASSISTANT))) as ctx:
            return await conversations.hand_over(ctx, row.id, "asked_for_person", "要投诉", to, **more)

    async def asks_staff(self) -> Conversation | None:
        """As the assistant does it when it has no answer."""
        row = await self.conversation()
        async with transaction(self.context.acting_as(Actor(ActorKind.ASSISTANT))) as ctx:
            return await conversations.ask_staff(ctx, row.id, "not_in_knowledge", "顾客：可以带宠物进店吗")

    async def phone(self) -> list[dict[str, Any]]:
        """What the customer's phone shows."""
        return await self.shop.chat()

    async def set_account(self, **change: Any) -> None:
        self.account = await accounts.update_account(self.context, self.account.id, accounts.AccountChange(**change))


async def open_desk(sandbox: Sandbox, address: str) -> Desk:
    """A tenant of its own on a corp of its own, connected both ways."""
    name = f"小店{new_id().hex[-10:]}"
    shop = await open_shop(sandbox, name)
    sign_in = f"owner-{new_id().hex}"
    founded = await organization.found_tenant(name, sign_in, Secret(PASSWORD), owner_name="店长")
    context = job_context(founded.tenant_id)
    xiaoyu = await _add(context, "小雨", "lin")
    aning = await _add(context, "阿宁", "wang")
    async with transaction(context) as ctx:
        app = await organization.create_wecom_app(
            ctx, organization.NewWecomApp("客服", shop.corp_id, str(shop.agentid), Secret(shop.secret))
        )
        endpoint = await callbacks.endpoint_of(ctx, app.id)
    config = {
        "url": f"{address}/callbacks/wecom/{endpoint.callback_id}",
        "token": endpoint.token.reveal(),
        "encoding_aes_key": endpoint.aes_key.reveal(),
    }
    for _ in range(CALLBACK_TRIES):  # WeCom waits one second, which a busy machine may need for itself
        saved = await sandbox.put(f"apps/{shop.agentid}/callback", config, corp_id=shop.corp_id)
        if saved["ok"]:
            break
    assert saved["ok"], saved
    account = await accounts.adopt_account(context, app.id, shop.open_kfid)
    owner = Person(founded.staff_id, "店长", sign_in, "", _acting(context, founded.staff_id, "owner"))
    async with transaction(context) as ctx:  # nobody but the test answers here
        await pause_all(ctx, PauseIn(paused=True, minutes=None))
    return Desk(shop, context, app.id, account, owner, xiaoyu, aning)


async def _add(context: Context, name: str, userid: str) -> Person:
    sign_in = f"{userid}-{new_id().hex}"
    async with transaction(context) as ctx:
        staff = await organization.add_staff(
            ctx, organization.NewStaff(name, sign_in, Secret(PASSWORD), "agent", userid)
        )
    return Person(staff.id, name, sign_in, userid, _acting(context, staff.id, "agent"))


def _acting(context: Context, staff_id: UUID, role: str) -> Context:
    return Context(
        tenant_id=context.tenant_id,
        actor=Actor(ActorKind.STAFF, staff_id),
        permissions=permissions_of(role, load_modules()),
        scope=ALL_DATA,
    )
