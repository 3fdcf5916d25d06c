"""A scripted WeCom behind httpx2's transport, and time that a test moves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import orjson

from huitouke.wechat.client import WecomClient, token_fetcher
from huitouke.wechat.tokens import Credential, MemoryTokenStore, TokenCentre

BASE_URL = "https://wecom.test"
CREDENTIAL = Credential("wwcorp", "the-app-secret", key="app-1")

Reply = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]


def answer(errcode: int = 0, errmsg: str = "ok", **fields: Any) -> httpx2.Response:
    return httpx2.Response(200, content=orjson.dumps({"errcode": errcode, "errmsg": errmsg, **fields}))


@dataclass
class MovableClock:
    now: datetime = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class ScriptedWecom:
    """Answers gettoken with token-1, token-2 … and every other call with the next scripted reply."""

    replies: list[Reply] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)
    tokens_given: int = 0
    expires_in: int = 7200
    slept: list[float] = field(default_factory=list)
    clock: MovableClock = field(default_factory=MovableClock)

    def script(self, *replies: Reply) -> None:
        self.replies += replies

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        if request.url.path == "/cgi-bin/gettoken":
            self.tokens_given += 1
            return answer(access_token=f"token-{self.tokens_given}", expires_in=self.expires_in)
        self.requests.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply(request) if callable(reply) else reply

    def client(self) -> WecomClient:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(self))
        centre = TokenCentre(MemoryTokenStore(self.clock), token_fetcher(http, BASE_URL), self.clock)
        return WecomClient(http, centre, CREDENTIAL, BASE_URL, sleep=self.sleep)

    def body(self, index: int = -1) -> dict[str, Any]:
        body = orjson.loads(self.requests[index].content)
        assert isinstance(body, dict)
        return body

    def token_of(self, index: int) -> str:
        return self.requests[index].url.params["access_token"]
