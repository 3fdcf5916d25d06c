"""Somebody signed in at the console, over its API: what a journey arranges before it begins."""

from dataclasses import dataclass
from typing import Any

import httpx2

from tests.support.connections import KEPT

SESSION_COOKIE = "huitouke_session"


@dataclass
class Staff:
    """A person who works at the shop. `call` raises AssertionError with the answer when it is refused."""

    name: str
    sign_in_name: str
    password: str
    console: str
    http: httpx2.AsyncClient

    @classmethod
    async def signed_in(cls, console: str, name: str, sign_in_name: str, password: str) -> "Staff":
        headers = {"X-Requested-With": "huitouke", "Origin": console, "Accept-Language": "zh-CN"}
        http = httpx2.AsyncClient(base_url=console, headers=headers, timeout=60, limits=KEPT, trust_env=False)
        person = cls(name, sign_in_name, password, console, http)
        await person.call("POST", "/api/session", {"sign_in_name": sign_in_name, "password": password})
        return person

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = await self.http.request(method, path, json=body, params=query or None)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str, **query: Any) -> Any:
        return await self.call("GET", path, **query)

    async def post(self, path: str, body: Any = None) -> Any:
        return await self.call("POST", path, body)

    async def put(self, path: str, body: Any) -> Any:
        return await self.call("PUT", path, body)

    async def patch(self, path: str, body: Any) -> Any:
        return await self.call("PATCH", path, body)

    async def upload(self, purpose: str, name: str, content: bytes, media_type: str) -> str:
        """Uploads a file and gives its id."""
        files = {"file": (name, content, media_type)}
        answer = await self.http.post("/api/files", params={"purpose": purpose}, files=files)
        assert answer.status_code < 300, answer.text
        return str(answer.json()["id"])

    @property
    def cookie(self) -> dict[str, str]:
        """The session, for a browser."""
        return {"name": SESSION_COOKIE, "value": self.http.cookies[SESSION_COOKIE], "url": self.console}
