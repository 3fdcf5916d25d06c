"""A merchant who has worked for a while: no screen is empty. In the language of whoever looks at it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huitouke.kernel.ids import new_id
from tests.e2e.composers.files import excel
from tests.e2e.composers.operators import Operator, at_work, hire_operator
from tests.e2e.composers.shop import Customer, Shop, found_shop
from tests.e2e.composers.stage import Stage
from tests.e2e.pages.words import Language

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONG_ENOUGH_TO_WRAP = 4
Part = Literal["working", "settings", "people", "outside", "platform"]


@dataclass(frozen=True)
class Said:
    """What people of this shop say and are called."""

    account: str
    app: str
    owner: str
    colleague: str
    customers: tuple[str, ...]
    group: str
    faq: dict[str, str]
    question: str
    unknown: str
    person: str
    settings: dict[str, object]
    headings: tuple[str, str]
    people: tuple[tuple[str, str], tuple[str, str]]
    """A sheet of people: its headings, and one of them."""
    asked: str
    """Why an operator wants to look in."""


CHINESE = Said(
    "小店客服", "客服助手", "店长", "小雨", ("晓雯", "阿杰", "林小姐"), "尺码与发货",
    {"有大一点的尺码吗": "有的，这款卫衣最大到 3XL。", "多久能发货": "现货 48 小时内发出，节假日顺延一天。"},
    "有大一点的吗", "你们老板养的猫叫什么名字", "我要投诉，找人工", {}, ("问题", "答案"),
    (("姓名", "部门"), ("小陈", "门店")), "收不到消息",
)  # fmt: skip
ENGLISH = Said(
    "Service desk", "Helper", "Olive", "Robin", ("Anna", "Bert", "Carla"), "Sizes",
    {"Is there a larger size": "Yes, this hoodie goes up to 3XL.", "When do you ship": "Within 48 hours."},
    "Is there a larger size", "What is the name of your cat", "complaint",
    {
        "name": "Milo", "ai_label": "[AI] ", "unsure_text": "I will ask a colleague.",
        "handover_text": "A colleague will be with you.", "handover_words": ["complaint"],
        "media_text": "I can only read text.",
    },
    ("Question", "Answer"),
    (("Name", "Department"), ("Chris", "Shop floor")), "No messages arrive",
)  # fmt: skip


@dataclass(frozen=True)
class LivedIn:
    """The shop, one of its customers, and the addresses of its pages by part and name."""

    shop: Shop
    customer: Customer
    operator: Operator
    pages: dict[Part, dict[str, str]]
    """`outside` is for who is not signed in, `platform` for the operator, the others are the owner's."""


async def lived_in(stage: Stage, folder: Path, language: Language = "zh-CN") -> LivedIn:
    """A connected shop with knowledge, conversations in each state, an import, staff."""
    said = CHINESE if language == "zh-CN" else ENGLISH
    shop = await found_shop(stage, name=None if language == "zh-CN" else "Corner shop", owner=said.owner)
    await shop.make_app({"lin": said.colleague}, account=said.account, app=said.app)
    await shop.connect(app=said.app)
    await shop.colleague(said.colleague, wecom_userid="lin")
    if said.settings:
        before = await shop.owner.get("/api/assistant/settings")
        known = {key: value for key, value in before.items() if not key.startswith("paused")}
        await shop.owner.put("/api/assistant/settings", {**known, **said.settings})
    await shop.teach(said.faq, group=said.group)
    page = {"name": said.account[:16], "greeting": said.question, "questions": [said.question]}
    await shop.owner.post("/api/hosted-page", page)
    first, second, third = [await shop.customer(name) for name in said.customers]
    await asyncio.gather(first.asks(said.question), second.asks(said.unknown), third.asks(said.person))
    answered, waiting = await first.conversation(), await third.conversation()
    permissions = ["conversations.view", "conversations.reply", "customers.view", "audit.view", "work.manage"]
    role = await shop.owner.post("/api/roles", {"name": said.group[:20], "permissions": permissions})
    imported = await _preview(shop, said, folder)
    await _tell(shop, said)
    entry = (await shop.owner.get("/api/knowledge/entries"))["items"][0]["id"]
    connect = f"/settings/channels/connect?app={shop.app_id}&account={shop.account_id}"
    working = {
        "today": "/today",
        "inbox": "/conversations",
        "conversation": f"/conversations/{answered}",
        "waiting": f"/conversations/{waiting}?view=waiting",
        "customers": "/customers",
        "knowledge": "/assistant/knowledge",
        "entry": f"/assistant/knowledge?entry={entry}",
        "import": f"/assistant/import?import={imported}",
        "questions": "/assistant/questions",
        "try": "/assistant/try",
        "assistant": "/assistant/settings",
        "model": "/assistant/model",
    }
    settings = {
        "channels": "/settings/channels",
        "app": f"/settings/channels/apps/{shop.app_id}",
        "account": f"/settings/channels/accounts/{shop.account_id}",
        "connect": "/settings/channels/connect",
        "chat page": "/settings/channels/page",
        "connect callback": f"{connect}&step=callback",
        "connect rights": f"{connect}&step=rights",
        "connect account": f"{connect}&step=account",
        "connect try": f"{connect}&step=try",
        "going live": "/settings/go-live",
        "company": "/settings/company",
        "staff": "/settings/staff",
        "roles": "/settings/roles",
        "role": f"/settings/roles/{role['key']}",
        "preset": "/settings/roles/manager",
        "new role": "/settings/roles/new?from=manager",
    }
    operator = await hire_operator(stage, language)
    people = {
        "people": "/settings/people",
        "people of a file": f"/settings/people/import?import={await _people(shop, said)}",
        "file of people": "/settings/people/import",
        "address book": "/settings/people/address-book",
        "plan": "/settings/plan",
        "support": "/settings/support",
        "work": "/settings/work",
        "notice channels": "/settings/notices",
        "notices": "/notices",
        "audit": "/settings/audit",
        "privacy": "/settings/privacy",
        "me": "/me",
        "forbidden": "/forbidden?from=/settings/plan",
        "nowhere": "/no/such/page",
    }
    tenant = await _visited(stage, operator, shop, said)
    platform = {
        "shops": "/operator/tenants",
        "shop": f"/operator/tenants/{tenant}",
        "plans": "/operator/plans",
        "platform": "/operator/settings",
        "log": "/operator/log",
        "nowhere": "/operator/no/such/page",
    }
    parts: dict[Part, dict[str, str]] = {
        "working": working,
        "settings": settings,
        "people": people,
        "platform": platform,
        "outside": await _outside(shop, said),
    }
    return LivedIn(shop, first, operator, parts)


async def _people(shop: Shop, said: Said) -> str:
    """A department with somebody in it, and a file of people that was looked at."""
    headings, person = said.people
    department = await shop.owner.post("/api/departments", {"name": person[1]})
    (member, *_) = (await shop.owner.get("/api/people"))["items"]
    await shop.owner.put(f"/api/people/{member['id']}/departments", {"department_ids": [department["id"]]})
    sheet = "\n".join(",".join(row) for row in (headings, person, ("", person[1])))
    stored = await shop.owner.upload("staff_import", "people.csv", sheet.encode(), "text/csv")
    return str((await shop.owner.post("/api/people/imports", {"file_id": stored}))["id"])


async def _visited(stage: Stage, operator: Operator, shop: Shop, said: Said) -> str:
    """The shop's id; its owner has let the operator in once, and is asked again."""
    tenant = str((await shop.owner.get("/api/session"))["tenant"]["id"])
    async with at_work(stage, operator) as http:
        for again in (False, True):
            answer = await http.post(f"/operator/api/tenants/{tenant}/visits", json={"reason": said.asked})
            assert answer.status_code == 201, answer.text
            if not again:
                await shop.owner.post(f"/api/visits/{answer.json()['id']}/grant", {"hours": 1})
    return tenant


async def _outside(shop: Shop, said: Said) -> dict[str, str]:
    """What is open to everybody: with a link that works and one that doesn't, before and behind the shop's door."""
    new = {"name": said.people[1][0], "sign_in_name": f"e2e-{new_id().hex}", "role": "agent"}
    made = await shop.owner.post("/api/staff", new)
    link = (await shop.owner.post(f"/api/staff/{made['id']}/link"))["url"]
    handed = (await shop.owner.post("/api/prerequisites/server/links", {"label": said.colleague}))["url"]
    door = (await shop.owner.put(f"/api/wecom-apps/{shop.app_id}/sign-in", None))["sign_in_url"]
    in_at = door.removeprefix(shop.stage.console)
    return {
        "sign-in": "/sign-in",
        "sign-up": "/sign-up",
        "join": link.removeprefix(shop.stage.console),
        "old link": "/join#of-no-use",
        "forgotten": "/forgotten",
        "handed": handed.removeprefix(shop.stage.console),
        "old hand-over": "/handed#of-no-use",
        "door": in_at,
        "no door": "/in/no-such-door-at-all",
        "back from WeCom": f"{in_at}/back?code=of-no-use&state=of-no-use",
        "unreachable": "/unreachable?next=/sign-in",
        "operator's sign-in": "/operator/sign-in",
    }


async def _tell(shop: Shop, said: Said) -> None:
    """A group's robot, and somebody who was invited, of whom the others are told."""
    robot = await shop.stage.sandbox.post("robots", {"name": said.group})
    kinds = ["organization.app_failing", "organization.staff_invited"]
    await shop.owner.post("/api/group-robots", {"name": said.group, "webhook": robot["webhook"], "kinds": kinds})
    helper = await shop.colleague(said.app, "administrator")
    new = {"name": said.customers[0], "sign_in_name": f"new-{new_id().hex}", "role": "agent"}
    await helper.post("/api/staff", new)


async def _preview(shop: Shop, said: Said, folder: Path) -> str:
    """Previewed, with a row that cannot be taken."""
    answer = next(iter(said.faq.values()))
    file = excel(folder / "faq.xlsx", [said.headings, ("A" * 8, answer * LONG_ENOUGH_TO_WRAP), ("B" * 8, "")])
    stored = await shop.owner.upload("knowledge_import", "faq.xlsx", file.read_bytes(), XLSX)
    preview = await shop.owner.post("/api/knowledge/imports", {"file_id": stored})
    return str(preview["id"])
