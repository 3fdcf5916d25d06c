"""A merchant on a real sandbox (app, account, customer) over HTTP only, and a server that takes its callbacks."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import uvicorn

from tests.support.connections import KEPT
from wechat_sandbox.app import create_app
from wechat_sandbox.crypto import decrypt, signature

TOKEN = "callbackToken1"
POLL_SECONDS = 0.01
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


@contextlib.asynccontextmanager
async def serving(application: Any) -> AsyncIterator[str]:
    """Runs an ASGI application on a free port of this loop; gives its address."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        application, log_level="error", access_log=False, date_header=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    with contextlib.ExitStack() as stack:
        stack.callback(listener.close)
        task = asyncio.create_task(server._serve([listener]))
        while not server.started:
            assert not task.done(), task.exception()
            await asyncio.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            if hasattr(application, "state"):
                application.state.world.hub.close()
            server.should_exit = True
            await task


@dataclass
class Receiver:
    """A callback URL. `status` and `delay_seconds` are what the next requests get; `events` what came decrypted."""

    corp_id: str = ""
    status: int = 200
    delay_seconds: float = 0.0
    echo: Callable[[bytes], bytes] = bytes
    events: list[dict[str, str]] = field(default_factory=list)
    requests: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        query = {key: values[0] for key, values in parse_qs(scope["query_string"].decode()).items()}
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, answer = await (self._verify(query) if scope["method"] == "GET" else self._take(query, body))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    async def _verify(self, query: dict[str, str]) -> tuple[int, bytes]:
        await asyncio.sleep(self.delay_seconds)
        return self.status, self.echo(self._open(query, query["echostr"]))

    async def _take(self, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self.requests += 1
        encrypted = re.search(r"<Encrypt><!\[CDATA\[(.*?)\]\]></Encrypt>", body.decode())
        assert encrypted
        plain = self._open(query, encrypted[1]).decode()
        await asyncio.sleep(self.delay_seconds)
        if self.status == 200:
            self.events.append(
                dict(re.findall(r"<(\w+)>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</\1>", plain.removeprefix("<xml>")))
            )
        return self.status, b""

    def _open(self, query: dict[str, str], encrypted: str) -> bytes:
        assert query["msg_signature"] == signature(TOKEN, query["timestamp"], query["nonce"], encrypted)
        message, receive_id = decrypt(encrypted, AES_KEY)
        assert receive_id == self.corp_id
        return message

    def named(self, event: str) -> list[dict[str, str]]:
        return [one for one in self.events if one["Event"] == event]


@dataclass
class Sandbox:
    """A running sandbox and a client of it."""

    address: str
    http: httpx2.AsyncClient

    async def get(self, path: str, **query: Any) -> Any:
        return await self._json(self.http.get(f"/sandbox/{path}", params=query))

    async def post(self, path: str, body: Any = None, **query: Any) -> Any:
        return await self._json(self.http.post(f"/sandbox/{path}", json=body, params=query))

    async def put(self, path: str, body: Any, **query: Any) -> Any:
        return await self._json(self.http.put(f"/sandbox/{path}", json=body, params=query))

    async def patch(self, path: str, body: Any, **query: Any) -> Any:
        return await self._json(self.http.patch(f"/sandbox/{path}", json=body, params=query))

    async def refused(self, call: Awaitable[Any]) -> int:
        try:
            await call
        except Refused as error:
            return error.status
        raise AssertionError("the call was not refused")

    async def _json(self, call: Awaitable[httpx2.Response]) -> Any:
        answer = await call
        if answer.status_code >= 400:
            raise Refused(answer.status_code, answer.text)
        return answer.json()

    async def advance(self, seconds: float) -> None:
        await self.post("clock", {"advance_seconds": seconds})

    async def faults(self, **switches: Any) -> None:
        await self.put("faults", switches)


class Refused(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status = status


@dataclass
class Shop:
    """One corp with an app that manages one account, an employee who serves it, and a customer."""

    sandbox: Sandbox
    corp_id: str
    agentid: int
    secret: str
    open_kfid: str
    customer: str
    token: str = ""

    async def refresh_token(self) -> str:
        answer = await self.raw("GET", "gettoken", corpid=self.corp_id, corpsecret=self.secret)
        self.token = answer["access_token"]
        return self.token

    async def raw(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = await self.sandbox.http.request(method, f"/cgi-bin/{path}", params=query, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def call(self, path: str, **fields: Any) -> Any:
        """A POST; a token that a moved clock has ended is fetched anew."""
        answer = await self.raw("POST", path, fields, access_token=self.token)
        if answer["errcode"] != 42001:
            return answer
        return await self.raw("POST", path, fields, access_token=await self.refresh_token())

    async def fetch(self, path: str, **query: Any) -> Any:
        return await self.raw("GET", path, access_token=self.token, **query)

    async def send(self, text: str = "您好", **more: Any) -> Any:
        fields = {"touser": self.customer, "open_kfid": self.open_kfid, "msgtype": "text", "text": {"content": text}}
        return await self.call("kf/send_msg", **{**fields, **more})

    async def sync(self, **more: Any) -> Any:
        return await self.call("kf/sync_msg", **{"open_kfid": self.open_kfid, **more})

    async def pull(self) -> list[dict[str, Any]]:
        answer = await self.sync()
        assert answer["errcode"] == 0, answer
        return list(answer["msg_list"])

    async def events(self, kind: str) -> list[dict[str, Any]]:
        return [
            one["event"]
            for one in await self.pull()
            if one["msgtype"] == "event" and one["event"]["event_type"] == kind
        ]

    async def state(self) -> int:
        answer = await self.call("kf/service_state/get", open_kfid=self.open_kfid, external_userid=self.customer)
        return int(answer["service_state"])

    async def move(self, state: int, servicer: str = "") -> Any:
        fields = {"open_kfid": self.open_kfid, "external_userid": self.customer, "service_state": state}
        return await self.call("kf/service_state/trans", **fields, servicer_userid=servicer)

    async def writes(self, text: str = "有大一点的吗", **more: Any) -> Any:
        """The customer sends a text; with a `menu_id` by tapping an entry of a menu."""
        path = f"customers/{self.customer}/chats/{self.open_kfid}/messages"
        return await self.sandbox.post(path, {"msgtype": "text", "text": {"content": text, **more}})

    async def chat(self) -> list[dict[str, Any]]:
        """What the customer's phone shows."""
        page = await self.sandbox.get(f"customers/{self.customer}/chats/{self.open_kfid}/messages")
        return list(page["items"])

    async def enters(self, **how: Any) -> Any:
        return await self.sandbox.post(f"customers/{self.customer}/enter", how or {"open_kfid": self.open_kfid})

    async def listen(self, receiver: Receiver, url: str) -> Any:
        """Saves the callback as on the admin page."""
        receiver.corp_id = self.corp_id
        config = {"url": url, "token": TOKEN, "encoding_aes_key": AES_KEY}
        return await self.sandbox.put(f"apps/{self.agentid}/callback", config, corp_id=self.corp_id)

    async def serves(self, userid: str = "lin") -> None:
        answer = await self.call("kf/servicer/add", open_kfid=self.open_kfid, userid_list=[userid])
        assert answer["result_list"][0]["errcode"] == 0, answer

    def desk(self, path: str, userid: str = "lin") -> str:
        """A path of the employee's client about this customer's session."""
        return f"employees/{userid}/sessions/{self.open_kfid}/{self.customer}/{path}"


async def open_shop(sandbox: Sandbox, name: str = "小店") -> Shop:
    """A new corp with everything."""
    seeded = await sandbox.post(
        "setup",
        {
            "corp_name": name,
            "apps": [{"name": "客服"}],
            "employees": [{"userid": "lin", "name": "林"}, {"userid": "wang", "name": "王"}],
            "kf_accounts": [{"name": "小店客服"}],
            "customers": [{"nickname": f"{name}的顾客"}],
        },
    )
    app = seeded["corp"]["apps"][0]
    shop = Shop(
        sandbox,
        seeded["corp"]["corp_id"],
        app["agentid"],
        app["secret"],
        seeded["corp"]["kf_accounts"][0]["open_kfid"],
        seeded["customers"][0]["external_userid"],
    )
    await shop.refresh_token()
    return shop


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 5.0) -> None:
    """Waits for something that happens in another task."""
    deadline = asyncio.get_running_loop().time() + seconds
    for _ in range(round(seconds / POLL_SECONDS)):
        answer = condition()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert asyncio.get_running_loop().time() < deadline, "it did not happen"
        await asyncio.sleep(POLL_SECONDS)
    raise AssertionError("it did not happen")


@contextlib.asynccontextmanager
async def running_sandbox(data: Path | None = None) -> AsyncIterator[Sandbox]:
    async with (
        serving(create_app(data, seed=7)) as address,
        httpx2.AsyncClient(base_url=address, timeout=60, limits=KEPT, trust_env=False) as http,
    ):
        yield Sandbox(address, http)
