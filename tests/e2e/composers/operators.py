"""Somebody who runs the installation, for a journey."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
from sqlalchemy import update

from huitouke.kernel.access.models import User
from huitouke.kernel.database import platform_transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.operators.signing_in import add_operator
from tests.e2e.composers.shop import PASSWORD
from tests.e2e.composers.stage import Stage
from tests.e2e.pages.words import Language


@dataclass(frozen=True)
class Operator:
    """An operator's account."""

    name: str
    password: str


async def hire_operator(stage: Stage, language: Language = "zh-CN") -> Operator:
    """Lets somebody sign in at /operator, who reads that language."""
    name = f"operator-{new_id().hex[-12:]}"
    with stage.in_database():
        await add_operator(name, Secret(PASSWORD))
        async with platform_transaction() as session:
            await session.execute(update(User).where(User.sign_in_name == name).values(locale=language))
    return Operator(name, PASSWORD)


@asynccontextmanager
async def at_work(stage: Stage, operator: Operator) -> AsyncIterator[httpx2.AsyncClient]:
    """The operator signed in over the API, to arrange what a journey needs."""
    headers = {"X-Requested-With": "huitouke", "Origin": stage.console}
    async with httpx2.AsyncClient(base_url=stage.console, headers=headers, timeout=60, trust_env=False) as http:
        body = {"sign_in_name": operator.name, "password": operator.password}
        answer = await http.post("/operator/api/session", json=body)
        assert answer.status_code == 200, answer.text
        yield http


@asynccontextmanager
async def sign_up(stage: Stage, operator: Operator, *, is_open: bool) -> AsyncIterator[None]:
    """Shops may sign up by themselves, or not, for the time of the block: it holds for the whole installation."""
    async with at_work(stage, operator) as http:
        before = (await http.get("/operator/api/settings")).json()
        wanted = {"sign_up_open": is_open, "sign_up_plan_id": None}
        if is_open:
            plan = {"key": f"p{new_id().hex[-12:]}", "name": "试用", "name_en": "Trial", "trial_days": 7}
            wanted["sign_up_plan_id"] = (await http.post("/operator/api/plans", json=plan)).json()["id"]
        answer = await http.put("/operator/api/settings", json=wanted)
        assert answer.status_code == 200, answer.text
        try:
            yield
        finally:
            await http.put("/operator/api/settings", json=before)
