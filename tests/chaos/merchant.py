"""The merchant's console and WeCom, over HTTP; patient while the server is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import httpx2

from tests.support.connections import KEPT

POLL_SECONDS: Final = 0.1
OWNER, PASSWORD = "owner", "a long enough pass phrase"
AGENTS: Final = ("wang", "zhao")
SERVICERS: Final = ("lin", "he")
HEADERS: Final = {"X-Requested-With": "huitouke"}
GREETING: Final = "您好，这里是小店。"
KNOWLEDGE: Final = {
    "有大一点的尺码吗": "有的，最大到 3XL。",
    "多久发货": "当天下午四点前拍下，当天发出。",
    "可以退货吗": "七天内不影响二次销售都可以退。",
}


class Person:
    """Somebody who is signed in to the console."""

    def __init__(self, console: httpx2.AsyncClient) -> None:
        self.console = console

    async def ask(self, method: str, path: str, *, json: Any = None, key: str | None = None) -> httpx2.Response:
        """Until there is an answer below 500. Only what may be repeated is asked with this."""
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            try:
                answer = await self.console.request(method, path, json=json, headers=headers)
                if answer.status_code < 500:
                    return answer
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(POLL_SECONDS)

    async def sign_in(self, name: str) -> None:
        signed_in = await self.ask("POST", "/api/session", json={"sign_in_name": name, "password": PASSWORD})
        assert signed_in.status_code == 200, signed_in.text


class Merchant(Person):
    """The owner, and all that is the merchant's in WeCom."""

    def __init__(self, console: httpx2.AsyncClient, sandbox: httpx2.AsyncClient) -> None:
        super().__init__(console)
        self.sandbox = sandbox
        self.corp_id = ""
        self.open_kfid = ""
        self.customers: list[str] = []
        self.agents: list[Person] = []

    async def control(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """A call of the sandbox's control API that must work."""
        answer = await self.try_control(method, path, body, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def try_control(self, method: str, path: str, body: Any = None, **query: Any) -> httpx2.Response:
        """A call of the sandbox's control API. A message that was written twice by it stands in its book twice."""
        try:
            return await self.sandbox.request(method, f"/sandbox/{path}", json=body, params=query)
        except httpx2.TransportError:  # a kept connection that it closed while we were about to use it
            return await self.sandbox.request(method, f"/sandbox/{path}", json=body, params=query)

    async def says(self, customer: str, text: str) -> None:
        """A customer writes."""
        path = f"customers/{customer}/chats/{self.open_kfid}/messages"
        await self.control("POST", path, {"msgtype": "text", "text": {"content": text}})

    async def book(self, source: str) -> list[dict[str, Any]]:
        """The sandbox's own record, oldest first."""
        found: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = await self.control("GET", "records", source=source, after=after)
            found += page["items"]
            after = page["next_after"]
        return found

    async def written(self) -> int:
        """How many messages customers have written."""
        return len(await self.book("customer"))


@asynccontextmanager
async def merchant(
    server_url: str, sandbox_url: str, customers: int, app_secret: str | None = None
) -> AsyncIterator[Merchant]:
    """The owner signed in, WeCom connected both ways, some knowledge, and customers with a phone each."""
    async with (
        _console(server_url) as console,
        httpx2.AsyncClient(base_url=sandbox_url, limits=KEPT, trust_env=False, timeout=30) as sandbox,
    ):
        one = Merchant(console, sandbox)
        await _set_up(one, customers, app_secret)
        yield one


@asynccontextmanager
async def team(one: Merchant, model_url: str) -> AsyncIterator[None]:
    """Two agents in the console, two servicers in the WeCom app, a greeting, and a model that is asked for answers."""
    async with AsyncExitStack() as stack:
        for name in AGENTS:
            wish = {"name": name, "sign_in_name": name, "password": PASSWORD}
            added = await one.ask("POST", "/api/staff", json=wish)
            assert added.status_code == 201, added.text
            agent = Person(await stack.enter_async_context(_console(str(one.console.base_url))))
            await agent.sign_in(name)
            one.agents.append(agent)
        account = (await one.ask("GET", "/api/channel-accounts")).json()["items"][0]["id"]
        added = await one.ask("POST", f"/api/channel-accounts/{account}/servicers", json={"userids": SERVICERS})
        assert added.status_code == 200, added.text
        greeted = await one.ask("PATCH", f"/api/channel-accounts/{account}", json={"greeting": GREETING})
        assert greeted.status_code == 200, greeted.text
        model = {
            "base_url": model_url, "model": "sandbox-chat", "api_key": "sandbox-key",
            "timeout_seconds": 2,
        }  # fmt: skip
        saved = await one.ask("PUT", "/api/assistant/model", json=model)
        assert saved.status_code == 200, saved.text
        yield


def _console(server_url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=server_url, headers=HEADERS, trust_env=False, timeout=10)


async def _set_up(one: Merchant, customers: int, app_secret: str | None) -> None:
    seeded = await one.control(
        "POST",
        "setup",
        {
            "corp_name": "小店",
            "apps": [{"name": "客服", "secret": app_secret}],
            "employees": [{"userid": userid, "name": userid} for userid in SERVICERS],
            "kf_accounts": [{"name": "小店客服"}],
            "customers": [{"nickname": f"顾客{n}"} for n in range(customers)],
        },
    )
    corp, app = seeded["corp"], seeded["corp"]["apps"][0]
    one.corp_id, one.open_kfid = corp["corp_id"], corp["kf_accounts"][0]["open_kfid"]
    one.customers = [customer["external_userid"] for customer in seeded["customers"]]
    await one.sign_in(OWNER)
    wish = {"name": "客服", "corp_id": one.corp_id, "agent_id": str(app["agentid"]), "secret": app["secret"]}
    made = (await one.ask("POST", "/api/wecom-apps", json=wish)).json()
    config = {
        "url": made["callback_url"],
        "token": made["callback_token"],
        "encoding_aes_key": made["callback_aes_key"],
    }
    for _ in range(5):  # WeCom waits a second for the address, which a busy machine may need for itself
        saved = await one.control("PUT", f"apps/{app['agentid']}/callback", config, corp_id=one.corp_id)
        if saved["ok"]:
            break
    assert saved["ok"], saved
    adopted = await one.ask(
        "POST", "/api/channel-accounts/adopt", json={"wecom_app_id": made["id"], "open_kfid": one.open_kfid}
    )
    assert adopted.status_code == 201, adopted.text
    for question, answer in KNOWLEDGE.items():
        entry = await one.ask("POST", "/api/knowledge/entries", json={"question": question, "answer": answer})
        assert entry.status_code == 201, entry.text
