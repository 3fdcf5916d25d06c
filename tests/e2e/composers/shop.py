"""A merchant of its own for one journey: a tenant, its WeCom app in the sandbox, a 客服账号, some knowledge."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.modules.organization import service as organization
from tests.e2e.composers.people import Staff
from tests.e2e.composers.stage import Stage

PASSWORD = "a long enough pass phrase"
PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.05
CALLBACK_TRIES = 5
FAQ: Mapping[str, str] = {
    "有大一点的尺码吗": "有的，这款卫衣最大到 3XL，胸围 136 厘米。",
    "多久能发货": "现货 48 小时内发出，节假日顺延一天。",
    "可以退换货吗": "签收后七天内，不影响二次销售都可以退换。",
}
KNOWN_QUESTION, KNOWN_ANSWER = "有大一点的吗", "最大到 3XL"
UNKNOWN_QUESTION = "你们老板养的猫叫什么名字"
WANTS_A_PERSON = "我要投诉，找人工"


@dataclass
class Customer:
    """Somebody with WeChat who has opened the shop's chat; plays over the sandbox's control API."""

    shop: "Shop"
    id: str
    nickname: str

    async def writes(self, text: str) -> int:
        """Sends a text; gives its number in the chat."""
        return await self.sends({"msgtype": "text", "text": {"content": text}})

    async def sends(self, message: Mapping[str, Any]) -> int:
        sent = await self.shop.stage.sandbox.post(f"{self._chat}/messages", dict(message))
        return int(sent["seq"])

    async def answers(self, after: int = 0) -> list[dict[str, Any]]:
        """What the shop wrote after that message, and what arrived."""
        page = await self.shop.stage.sandbox.get(f"{self._chat}/messages", after=after)
        return [one for one in page["items"] if one["sender"] != "customer" and one["state"] != "failed"]

    async def asks(self, text: str) -> str:
        """Writes, and waits for the answer."""
        seq = await self.writes(text)
        answers = await self.shop.eventually(lambda: self.answers(seq), f"an answer to 「{text}」")
        return "\n".join(answer["text"] for answer in answers)

    async def session_is_over(self) -> None:
        """Until WeCom has ended the session: what is written before that belongs to the old one."""

        async def ended() -> bool:
            chats = await self.shop.stage.sandbox.get(f"customers/{self.id}/chats")
            return all(chat["session_state"] == 4 for chat in chats)

        await self.shop.eventually(ended, "the end of the session in WeCom")

    async def conversation(self) -> str:
        """The conversation's id in the console, once the customer has written."""

        async def found() -> str | None:
            rows = (await self.shop.owner.get("/api/conversations", view="all", limit=100))["items"]
            return next((row["id"] for row in rows if row["customer"]["name"] == self.nickname), None)

        return str(await self.shop.eventually(found, f"a conversation with {self.nickname}"))

    @property
    def _chat(self) -> str:
        return f"customers/{self.id}/chats/{self.shop.open_kfid}"


@dataclass
class Shop:
    """The merchant. `owner` may do everything; colleagues are added where a journey needs them."""

    stage: Stage
    name: str
    owner: Staff
    corp_id: str = ""
    agentid: int = 0
    secret: str = ""
    open_kfid: str = ""
    app_id: str = ""
    account_id: str = ""
    link: str = ""
    people: list[Staff] = field(default_factory=list)

    async def colleague(self, name: str, role: str = "agent", wecom_userid: str | None = None) -> Staff:
        """A further person, signed in; `role` is a preset's name or an own role's id."""
        sign_in = f"e2e-{new_id().hex}"
        body = {"name": name, "sign_in_name": sign_in, "password": PASSWORD, "role": role, "wecom_userid": wecom_userid}
        await self.owner.post("/api/staff", body)
        person = await Staff.signed_in(self.stage.console, name, sign_in, PASSWORD)
        self.people.append(person)
        return person

    async def customer(self, nickname: str = "晓雯") -> Customer:
        """A new customer who has entered the shop's chat."""
        sandbox = self.stage.sandbox
        made = await sandbox.post("customers", {"nickname": nickname})
        customer = Customer(self, made["external_userid"], nickname)
        await sandbox.post(f"customers/{customer.id}/enter", {"open_kfid": self.open_kfid})
        return customer

    async def teach(self, entries: Mapping[str, str], group: str = "尺码与发货") -> None:
        for question, answer in entries.items():
            await self.owner.post("/api/knowledge/entries", {"question": question, "answer": answer, "group": group})

    async def pause_assistant(self) -> None:
        """Nobody but people answers."""
        await self.owner.post("/api/assistant/pause", {"paused": True, "minutes": None})

    async def make_app(
        self, employees: Mapping[str, str] | None = None, *, account: str = "小店客服", app: str = "客服助手"
    ) -> None:
        """The shop's WeCom: a corp with an app, an account and employees, of which our server knows nothing yet."""
        wanted = {
            "corp_name": self.name,
            "apps": [{"name": app}],
            "employees": [{"userid": userid, "name": name} for userid, name in (employees or {"lin": "林晓"}).items()],
            "kf_accounts": [{"name": account}],
        }
        corp = (await self.stage.sandbox.post("setup", wanted))["corp"]
        self.corp_id, self.open_kfid = corp["corp_id"], corp["kf_accounts"][0]["open_kfid"]
        self.agentid, self.secret = corp["apps"][0]["agentid"], corp["apps"][0]["secret"]

    async def connect(self, app: str = "客服助手") -> None:
        """The app, its callback and the account, connected as on the channel page."""
        made = await self.enter_app(app)
        await self.save_callback(made["callback_url"], made["callback_token"], made["callback_aes_key"])
        adopt = {"wecom_app_id": self.app_id, "open_kfid": self.open_kfid}
        account = await self.owner.post("/api/channel-accounts/adopt", adopt)
        self.account_id = account["id"]
        self.link = (await self.owner.post(f"/api/channel-accounts/{self.account_id}/link"))["url"]

    async def enter_app(self, name: str = "客服助手") -> dict[str, Any]:
        """The app alone, as the first step of connecting leaves it."""
        wanted = {"name": name, "corp_id": self.corp_id, "agent_id": str(self.agentid), "secret": self.secret}
        made: dict[str, Any] = await self.owner.post("/api/wecom-apps", wanted)
        self.app_id = made["id"]
        return made

    async def save_callback(self, url: str, token: str, aes_key: str) -> None:
        """As on WeCom's admin page, which waits one second: a busy machine may need more for itself."""
        for _ in range(CALLBACK_TRIES):
            if await self.try_callback(url, token, aes_key):
                return
        raise AssertionError(f"the sandbox could not verify {url}")

    async def try_callback(self, url: str, token: str, aes_key: str) -> bool:
        """Whether WeCom could verify the address with this token and key."""
        config = {"url": url, "token": token, "encoding_aes_key": aes_key}
        saved = await self.stage.sandbox.put(f"apps/{self.agentid}/callback", config, corp_id=self.corp_id)
        return bool(saved["ok"])

    async def eventually(self, ask: Any, what: str) -> Any:
        """What `ask` gives once it is true."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            found = await ask()
            if found:
                return found
            assert asyncio.get_running_loop().time() < deadline, f"{what}: not within {PATIENCE_SECONDS:.0f} s"
            await asyncio.sleep(POLL_SECONDS)

    async def close(self) -> None:
        for person in (self.owner, *self.people):
            await person.http.aclose()


async def found_shop(stage: Stage, *, name: str | None = None, owner: str = "店长") -> Shop:
    """A merchant with its owner and nothing else; the name is made its own."""
    called, sign_in = f"{name or '小店'} {new_id().hex[-10:]}", f"e2e-{new_id().hex}"
    with stage.in_database():
        await organization.found_tenant(called, sign_in, Secret(PASSWORD), owner_name=owner)
    return Shop(stage, called, await Staff.signed_in(stage.console, owner, sign_in, PASSWORD))


async def open_shop(stage: Stage, faq: Mapping[str, str] = FAQ) -> Shop:
    """A merchant that is connected both ways and knows the answers of `faq`."""
    shop = await found_shop(stage)
    await shop.make_app()
    await shop.connect()
    await shop.teach(faq)
    return shop
