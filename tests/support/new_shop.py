"""A shop as signing up leaves it: its owner before the first step, in simple mode."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from sqlalchemy import func, select

from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.plans.period import Subscription
from huitouke.modules.assistant.models import KnowledgeEntry
from huitouke.modules.organization.service import NewStaff
from huitouke.modules.organization.service.staff import found
from tests.support.http import PASSWORD, application, signed_in


@dataclass
class NewShop:
    """The shop, and its owner's client."""

    context: Context
    owner: httpx2.AsyncClient

    async def puts(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.owner.put(path, json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def chooses(self, industry: str) -> dict[str, Any]:
        return await self.puts("/api/onboarding/industry", {"industry": industry})

    async def tells(self, **facts: str) -> dict[str, Any]:
        return await self.puts("/api/onboarding/facts", {"facts": facts})

    async def answered(self, question: str) -> str | None:
        trace = (await self.owner.post("/api/knowledge/try", json={"question": question})).json()
        return trace["answer"] if trace["decision"] == "answered" else None

    async def entry(self, question: str) -> KnowledgeEntry:
        async with transaction(self.context) as ctx:
            found = await ctx.session.scalar(select(KnowledgeEntry).where(KnowledgeEntry.question == question))
        assert found is not None
        return found

    async def count(self) -> int:
        async with transaction(self.context) as ctx:
            return await ctx.session.scalar(select(func.count(KnowledgeEntry.id))) or 0


@asynccontextmanager
async def new_shop() -> AsyncIterator[NewShop]:
    """Founds one."""
    name, context = f"owner-{new_id().hex}", job_context(new_id())
    async with transaction(context) as ctx:
        await found(ctx, "街角小馆", NewStaff("店长", name, Secret(PASSWORD), "owner"), Subscription(), simple=True)
    async with signed_in(application(), name) as owner:
        yield NewShop(context, owner)
