"""One sandbox and one server of ours per run; a merchant of its own per test, whose assistant is awake."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.modules.assistant.demo import demo_entries
from huitouke.modules.assistant.models import ReplyTurn
from huitouke.modules.assistant.schemas import ModelIn, PauseIn
from huitouke.modules.assistant.service import add_entries, pause_all, save_endpoint
from tests.modules.conversations.desk import Desk
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.time import later, today


class Counter:
    """The desk of a merchant who has written down the demo's knowledge, with a clock that the test moves."""

    def __init__(self, desk: Desk, sandbox: Sandbox) -> None:
        self.desk = desk
        self.sandbox = sandbox

    @property
    def context(self) -> Context:
        return self.desk.context

    async def asks(self, *texts: str) -> str:
        """The customer writes, one message after another; gives what the phone shows last, when all is done."""
        for text in texts:
            await self.desk.customer_writes(text)
        await self.settle()
        return str((await self.desk.phone())[-1]["text"])

    async def settle(self) -> None:
        """The burst's pause is over, and no turn waits and no message is on its way any more."""
        await later(3)
        await self.desk.eventually(self._quiet)

    async def _quiet(self) -> bool:
        async with transaction(self.context) as ctx:
            turns = await ctx.session.scalars(select(ReplyTurn.conversation_id).where(ReplyTurn.state != "idle"))
            waiting = list(turns)
        return not waiting and all(message.state not in ("queued", "sending") for message in await self.desk.messages())

    async def answers(self) -> list[str]:
        """What the assistant wrote, oldest first."""
        return [message.text or "" for message in await self.desk.messages() if message.sender_kind == "assistant"]

    async def use_model(self, **change: object) -> None:
        values: dict[str, object] = {
            "base_url": f"{self.sandbox.address}/v1",
            "model": "sandbox-chat",
            "api_key": "sandbox-key",
            "timeout_seconds": 2,
        }
        async with transaction(self.context) as ctx:
            await save_endpoint(ctx, ModelIn.model_validate({**values, **change}))


@pytest.fixture
async def counter(desk: Desk, running: tuple[Sandbox, str]) -> AsyncIterator[Counter]:
    async with transaction(desk.context) as ctx:
        await pause_all(ctx, PauseIn(paused=False))
        await add_entries(ctx, demo_entries(), source="demo")
    yield Counter(desk, running[0])
    await today()
