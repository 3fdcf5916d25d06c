"""The demo's data: connected to the sandbox like a merchant, with days of past conversations."""

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy import func, select

from huitouke.kernel import clock
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.demo import DemoWorld
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.work import testing as work
from huitouke.modules.conversations import demo
from huitouke.modules.conversations.models import Conversation, Message
from huitouke.modules.conversations.service import accounts
from huitouke.modules.conversations.service.account_checks import check_account
from huitouke.modules.organization import demo as organization_demo
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.models import WecomApp
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import PASSWORD


async def test_the_demo_shows_past_conversations_of_every_kind(running: tuple[Sandbox, str]) -> None:
    sandbox, address = running
    founded = await organization.found_tenant("拾光衣橱", f"demo-{new_id().hex}", Secret(PASSWORD))
    context = job_context(founded.tenant_id)
    world = DemoWorld(context, address, sandbox.address, {"owner_staff_id": founded.staff_id})

    await organization_demo.load(context, world)
    await demo.load(context, world)
    await organization_demo.load(context, world)
    await demo.load(context, world)

    async with transaction(context) as ctx:
        rows = (await ctx.session.scalars(select(Conversation))).all()
        failed = await ctx.session.scalar(select(func.count(Message.id)).where(Message.state == "failed"))
    assert len(rows) == len(list(demo.read_scripts())) + 1 >= 13, "and one from the chat page"
    assert {row.state for row in rows} == {"open", "closed"}
    assert sum(row.handler == "agent" and row.staff_id is None for row in rows) == 1
    assert failed == 1
    ages = sorted(clock.now() - row.last_message_at for row in rows if row.state == "open")
    assert timedelta(minutes=2) < ages[0] < timedelta(minutes=10), "the newest is some minutes old"
    assert all(after - before > timedelta(minutes=5) for before, after in itertools.pairwise(ages))
    assert len(world.facts["assistant_answers"]) > 15
    account_id = world.facts["channel_account_id"]
    assert {one.userid for one in await accounts.servicers(context, account_id)} == {"ANing", "XiaoYu"}
    assert {check.state for check in await check_account(context, account_id)} <= {"ok", "waiting"}
    (app,) = [one async for one in apps_of(context)]
    assert app.state == "verified"
    before = len(await all_messages(context))
    await work.drain()
    assert len(await all_messages(context)) == before, "what the sandbox tells of the past is known already"


async def apps_of(context: Context) -> AsyncIterator[WecomApp]:
    async with transaction(context) as ctx:
        for app in await organization.wecom_apps(ctx):
            yield app


async def all_messages(context: Context) -> list[Message]:
    async with transaction(context) as ctx:
        return list(await ctx.session.scalars(select(Message)))
