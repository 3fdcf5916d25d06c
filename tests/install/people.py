"""The two people of the smoke story: a customer with a phone, and staff at the console's API."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx2

T = TypeVar("T")
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 40.0
"""For machines that are slow; nothing waits longer than it must."""


def eventually(ask: Callable[[], T | None], what: str, within_seconds: float) -> T:
    """The first answer that is not None or empty; fails with `what` when there is none in time."""
    deadline = time.monotonic() + within_seconds
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what}: not within {within_seconds:.0f} s"
        time.sleep(POLL_SECONDS)


def _json(answer: httpx2.Response) -> Any:
    assert answer.status_code < 300, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


class Customer:
    """Somebody with WeChat, played over the sandbox's control API."""

    def __init__(self, sandbox: str, nickname: str) -> None:
        self._http = httpx2.Client(base_url=f"{sandbox}/sandbox", timeout=PATIENCE_SECONDS, trust_env=False)
        account = _json(self._http.get("/state"))["corps"][0]["kf_accounts"][0]
        self._account = account["open_kfid"]
        self._id = _json(self._http.post("/customers", json={"nickname": nickname}))["external_userid"]
        self._chat = f"/customers/{self._id}/chats/{account['open_kfid']}"
        entered = _json(self._http.post(f"/customers/{self._id}/enter", json={"open_kfid": account["open_kfid"]}))
        if entered["welcome_expected"]:  # else it could be taken for the answer to the first question
            eventually(lambda: self.answers_after(0), "the shop's greeting", within_seconds=PATIENCE_SECONDS)

    @property
    def place(self) -> str:
        """Where on the phone's page this chat stands."""
        return f"customer={self._id}&chat={self._account}"

    def write(self, text: str) -> int:
        """Sends a text; gives its number in the chat."""
        message = {"msgtype": "text", "text": {"content": text}}
        seq: int = _json(self._http.post(f"{self._chat}/messages", json=message))["seq"]
        return seq

    def answers_after(self, seq: int) -> list[dict[str, Any]]:
        """What the shop wrote since a message."""
        items: list[dict[str, Any]] = _json(self._http.get(f"{self._chat}/messages", params={"after": seq}))["items"]
        return [item for item in items if item["sender"] != "customer"]

    def asks(self, text: str, within_seconds: float = PATIENCE_SECONDS) -> str:
        """Writes and waits for what the shop answers."""
        seq = self.write(text)
        answers = eventually(lambda: self.answers_after(seq), f"an answer to 「{text}」", within_seconds)
        return "\n".join(answer["text"] for answer in answers)

    def sees(self, text: str, within_seconds: float = PATIENCE_SECONDS) -> None:
        """Waits until a text stands on the phone."""
        eventually(
            lambda: [answer for answer in self.answers_after(0) if text in answer["text"]],
            f"「{text}」 on the phone",
            within_seconds,
        )


class Staff:
    """Somebody signed in at the console, over its API."""

    def __init__(self, console: str, name: str, password: str) -> None:
        headers = {"X-Requested-With": "huitouke", "Origin": console}
        self._http = httpx2.Client(base_url=console, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False)
        self.me = self.post("/api/session", {"sign_in_name": name, "password": password})

    def get(self, path: str, **query: str | int) -> Any:
        return _json(self._http.get(path, params=query))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return _json(self._http.post(path, json=body, headers=named))

    def put(self, path: str, body: Any) -> Any:
        return _json(self._http.put(path, json=body))

    def upload(self, purpose: str, name: str, content: bytes, media_type: str) -> str:
        """Uploads a file and gives its id."""
        files = {"file": (name, content, media_type)}
        uploaded = _json(self._http.post("/api/files", params={"purpose": purpose}, files=files))
        return str(uploaded["id"])

    def conversation_of(self, customer_name: str, within_seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The open conversation with a customer, as the inbox lists it."""

        def found() -> dict[str, Any] | None:
            rows = self.get("/api/conversations", view="all", limit=100)["items"]
            return next((row for row in rows if row["customer"]["name"] == customer_name), None)

        return eventually(found, f"a conversation with {customer_name}", within_seconds)
