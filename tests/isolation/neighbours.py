"""Two merchants side by side, each with a row of everything, for tests in which one reaches for the other's."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
from fastapi import FastAPI
from sqlalchemy import select, text

from huitouke.kernel import clock
from huitouke.kernel.database import transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.work import enqueue
from huitouke.modules.assistant.models import ReplyTurn
from huitouke.modules.assistant.schemas import PauseIn
from huitouke.modules.assistant.service import pause_all
from huitouke.modules.organization.models import Department
from huitouke.modules.organization.service.notifying import Holders, tell
from huitouke.modules.organization.service.notifying.kinds import STAFF_JOINED
from tests.modules.conversations.desk import Desk, open_desk
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import application, signed_in
from tests.support.operations import operations
from tests.support.operators import make_operator, operator_client
from tests.support.time import later, today

UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class Merchant:
    """A merchant with data, and its people's clients."""

    desk: Desk
    owner: httpx2.AsyncClient
    agent: httpx2.AsyncClient
    ids: dict[str, str]
    """One id of each kind, by the name under which the API takes it."""
    word: str
    """Stands in every text that this merchant's people and customers wrote."""
    file_url: str


@asynccontextmanager
async def merchant(sandbox: Sandbox, address: str) -> AsyncIterator[Merchant]:
    """A merchant whose customer was answered by the assistant and by a person, with knowledge, files and failures."""
    desk = await open_desk(sandbox, address)
    word = f"暗号{new_id().hex}"
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(signed_in(application(), desk.owner.sign_in_name))
        agent = await stack.enter_async_context(signed_in(application(), desk.xiaoyu.sign_in_name))
        one = Merchant(desk, owner, agent, {"purpose": "message_file", "userid": "lin"}, word, "")
        await _fill(one)
        missing = {name for name in _id_names() if name not in one.ids}
        assert not missing, f"no row of {missing}: give the merchants one, so that the other may reach for it"
        yield one


def _id_names() -> set[str]:
    return {place.name for operation in operations() for place in operation.places if place.has(format="uuid")}


async def _fill(one: Merchant) -> None:
    word, ids = one.word, one.ids
    draft = {"question": f"有大一点的吗 {word}", "answer": f"有的 {word}", "group": word[:20]}
    entry = await _made(one.owner.post("/api/knowledge/entries", json=draft))
    ids["entry_id"] = entry["id"]
    await _made(one.owner.patch(f"/api/knowledge/entries/{entry['id']}", json={"answer": f"有大一号的 {word}"}))
    await _converse(one)
    ids |= {"staff_id": str(one.desk.aning.id), "app_id": str(one.desk.app_id), "wecom_app_id": str(one.desk.app_id)}
    ids["department_ids"] = str(await _department(one))
    role = {"name": word[:20], "permissions": ["customers.view"]}
    ids["role_id"] = (await _made(one.owner.post("/api/roles", json=role)))["key"]
    ids |= {"role": ids["role_id"], "move_to": ids["role_id"]}
    ids |= {"account_id": str(one.desk.account.id), "channel_account_id": str(one.desk.account.id)}
    (received, *_) = (await _made(one.owner.get(f"/api/wecom-apps/{ids['app_id']}/callbacks")))["items"]
    ids["received_id"] = received["id"]
    ids["file_id"], one.file_url = await _uploaded(one, "message_file", f"{word}.txt", word.encode())
    sheet, _ = await _uploaded(one, "knowledge_import", f"{word}.csv", f"问题,答案\n{word},{word}\n".encode())
    ids["import_id"] = (await _made(one.owner.post("/api/knowledge/imports", json={"file_id": sheet})))["id"]
    door = (await _made(one.owner.put(f"/api/wecom-apps/{ids['app_id']}/sign-in")))["sign_in_url"]
    ids["door"] = door.rsplit("/", 1)[1]
    department = await _made(one.owner.post("/api/departments", json={"name": word[:20]}))
    ids |= dict.fromkeys(("department_id", "department_ids", "parent_id"), department["id"])
    people, _ = await _uploaded(one, "staff_import", f"{word}.csv", f"姓名,部门\n{word[:20]},{word[:20]}\n".encode())
    preview = await _made(one.owner.post("/api/people/imports", json={"file_id": people}))
    ids["staff_import_id"] = preview["id"]
    ids["letter_id"] = await _dead_letter(one)
    ids["object_id"] = ids["actor_id"] = ids["staff_id"]
    ids["session_id"] = (await _made(one.owner.get("/api/sessions")))[0]["id"]
    ids["visit_id"] = await _visit(one)
    ids["code"] = (await _made(one.owner.post("/api/hosted-page", json={"name": word[:16]})))["path"].rsplit("/", 1)[1]
    await _made(one.owner.put("/api/onboarding/industry", json={"industry": "beauty"}))
    await _made(one.owner.put("/api/onboarding/facts", json={"facts": {"address": word}}))
    card = f"/api/customers/{ids['customer_id']}/phone"
    await _made(one.owner.put(card, json={"phone": "13700137000"}))
    await _made(one.owner.post(f"{card}/reveal"))
    privacy = "/api/privacy/refusals"
    refused, _ = await _uploaded(one, "refusals_import", f"{word}.csv", f"手机号,备注\n13900139000,{word}\n".encode())
    await _made(one.owner.post(f"{privacy}/lists", json={"file_id": refused}))
    ids["refusal_id"] = (await _made(one.owner.get(privacy)))["items"][0]["id"]
    ids |= {"prerequisite": "server", "assignee_id": ids["staff_id"]}
    handed = await _made(one.owner.post("/api/prerequisites/server/links", json={"label": word[:20]}))
    ids["link_id"] = handed["id"]
    ids |= await _notices(one)
    remark = {"remark": f"老顾客 {word}"}
    await _made(one.owner.patch(f"/api/customers/{ids['customer_id']}", json=remark))


async def _department(one: Merchant) -> UUID:
    department = Department(id=new_id(), name=one.word[:20], position=0, created_at=clock.now(), updated_at=clock.now())
    async with transaction(one.desk.context) as ctx:
        ctx.session.add(department)
    return department.id


async def _converse(one: Merchant) -> None:
    """The customer asks, the assistant answers, a person takes over and answers as well."""
    desk, ids = one.desk, one.ids
    async with transaction(desk.context) as ctx:
        await pause_all(ctx, PauseIn(paused=False))
    conversation = await desk.customer_writes(f"有大一点的吗 {one.word}")
    await later(3)

    async def answered() -> bool:
        async with transaction(desk.context) as ctx:
            waiting = list(
                await ctx.session.scalars(select(ReplyTurn.conversation_id).where(ReplyTurn.state != "idle"))
            )
        return not waiting and any(message.sender_kind == "assistant" for message in await desk.messages())

    await desk.eventually(answered)
    await today()
    (answer,) = [message for message in await desk.messages() if message.sender_kind == "assistant"]
    ids["conversation_id"], ids["message_id"] = str(conversation.id), str(answer.id)
    ids["customer_id"] = str(conversation.customer_id)
    await _made(one.owner.post(f"/api/conversations/{conversation.id}/take"))
    await _made(one.owner.post(f"/api/conversations/{conversation.id}/messages", json={"text": f"我来 {one.word}"}))
    await desk.work()


async def _uploaded(one: Merchant, purpose: str, name: str, content: bytes) -> tuple[str, str]:
    stored = await _made(one.owner.post("/api/files", params={"purpose": purpose}, files={"file": (name, content)}))
    return stored["id"], stored["url"]


async def _notices(one: Merchant) -> dict[str, str]:
    """The owner was told something, and a robot of the shop's told a group."""
    webhook = f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={new_id()}"
    robot = await _made(
        one.owner.post(
            "/api/group-robots",
            json={"name": one.word[:20], "webhook": webhook, "kinds": ["organization.staff_joined"]},
        )
    )
    async with transaction(one.desk.context) as ctx:
        to = Holders("organization.manage")
        await tell(ctx, STAFF_JOINED, to, dedupe_key=one.word, args={"name": one.word})
    (notice, *_) = (await _made(one.owner.get("/api/notices")))["items"]
    (delivery, *_) = (await _made(one.owner.get("/api/notices/deliveries")))["items"]
    return {"robot_id": robot["id"], "notice_id": notice["id"], "delivery_id": delivery["id"]}


async def _visit(one: Merchant) -> str:
    """An operator asks to look in."""
    async with operator_client(application(), await make_operator()) as operator:
        path = f"/operator/api/tenants/{one.desk.context.tenant_id}/visits"
        asked = await _made(operator.post(path, json={"reason": f"看看 {one.word}"}))
    return str(asked["id"])


async def _dead_letter(one: Merchant) -> str:
    async with transaction(one.desk.context) as ctx:
        await enqueue(ctx, "conversations.fetch_media_later", {"account_id": one.word})
    await one.desk.work()
    (letter, *_) = (await _made(one.owner.get("/api/work/dead-letters")))["items"]
    return str(letter["id"])


async def _made(call: Any) -> Any:
    answer = await call
    assert answer.status_code < 300, answer.text
    return answer.json()


async def traces_of(one: Merchant) -> set[str]:
    """Everything by which a leak of this merchant would be recognised: its word, its names, every id of its rows."""
    found = {one.word, one.desk.shop.corp_id, one.desk.shop.open_kfid, one.desk.shop.customer}
    found |= {one.desk.owner.sign_in_name, one.desk.xiaoyu.sign_in_name, one.desk.shop.secret}
    async with transaction(one.desk.context) as ctx:
        tables = await ctx.session.scalars(
            text(
                "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
                " AND column_name = 'id' AND udt_name = 'uuid' AND table_name IN (SELECT table_name FROM"
                " information_schema.columns WHERE column_name = 'tenant_id') ORDER BY 1"
            )
        )
        for table in tables.all():
            rows = await ctx.session.scalars(
                text(f'SELECT id FROM "{table}" WHERE tenant_id = :tenant_id'), {"tenant_id": ctx.tenant_id}
            )
            found |= {str(id) for id in rows}
    return found | {str(one.desk.context.tenant_id)}


def fastapi_of(app: Any) -> FastAPI:
    """The FastAPI application inside its frames."""
    while not isinstance(app, FastAPI):
        app = getattr(app, "app", None) or app.api
    return app


def routes_of(app: FastAPI) -> Iterator[Any]:
    """Every route that the application answers, hidden ones too."""

    def walk(routes: Any) -> Iterator[Any]:
        for route in routes:
            if hasattr(route, "effective_candidates"):  # how this version of FastAPI keeps an included router
                yield from walk(route.effective_candidates())
            else:
                yield route

    return walk(app.routes)
