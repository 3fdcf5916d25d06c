"""Secrets and people's words are planted everywhere, then looked for where they must not be.

A real server writes its log at the most talkative level, in both formats; WeCom, the model and PostgreSQL fail
meanwhile, since it is errors that quote what they were given.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.chaos.town import HEADERS, PASSWORD, Merchant, Town, merchant, town

pytestmark = pytest.mark.xdist_group("secrets")

WORDS = {
    "message of a customer": "顾客的话7f3a 13812345678",
    "phone number": "13812345678",
    "message of an agent": "客服的话91bc",
    "knowledge": "知识的话5d2e",
    "remark": "备注的话c8f1",
    "nickname": "昵称的话2b77",
    "file": "文件的话e04d",
    "search": "搜索的话6a9c",
}
SECRETS = {
    "own password": PASSWORD,
    "wrong password": "canary-wrong-password-11",
    "password of staff": "canary-staff-password-22",
    "new password": "canary-new-password-33",
    "secret of an app": "canary-app-secret-44-0123456789abcdefghijkl",
    "model key": "canary-model-key-55",
    "key that no header holds": "canary-键-66",
}
BROKEN = ("\0", "\ud800")
SETTLE_SECONDS = 45.0


@dataclass
class Spy:
    """Asks as the owner and keeps every refusal."""

    shop: Merchant
    refusals: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx2.Response | None:
        """None when the server hung up, which it may while the database is away."""
        if body is not None:
            # Written by hand: the client's own would refuse half a character.
            more["content"] = json.dumps(body)
            more["headers"] = {"Content-Type": "application/json", **more.get("headers", {})}
        with suppress(httpx2.TransportError):
            answer = await self.shop.console.request(method, path, **more)
            if answer.status_code >= 400:
                self.refusals.append(answer.text + str(answer.headers))
            return answer
        return None


@asynccontextmanager
async def planted(running: Town) -> AsyncIterator[Spy]:
    """A merchant with a canary in every field."""
    async with merchant(running, 1, app_secret=SECRETS["secret of an app"]) as shop:
        await shop.control("PATCH", f"customers/{shop.customers[0]}", {"nickname": WORDS["nickname"]})
        yield Spy(shop)


async def plant(spy: Spy, stranger: httpx2.AsyncClient) -> None:
    """Every field with its canary, right and wrong ways."""
    shop = spy.shop
    wrong = {"sign_in_name": "owner", "password": SECRETS["wrong password"]}
    spy.refusals.append((await stranger.post("/api/session", json=wrong)).text)
    for number, broken in enumerate(("", *BROKEN)):
        new = {
            "name": f"{WORDS['remark']}{broken}",
            "sign_in_name": f"colleague-{number}",
            "password": SECRETS["password of staff"] + broken,
        }
        await spy.ask("POST", "/api/staff", new)
        entry = {"question": WORDS["knowledge"] + broken, "answer": WORDS["knowledge"] + broken}
        await spy.ask("POST", "/api/knowledge/entries", entry)
        await spy.ask("POST", "/api/knowledge/try", {"question": WORDS["message of a customer"] + broken})
        await spy.ask("PUT", "/api/assistant/settings", {"unsure_text": WORDS["knowledge"] + broken})
    change = {"old_password": SECRETS["wrong password"], "new_password": SECRETS["new password"]}
    await spy.ask("POST", "/api/session/password", change)
    for path in ("/api/customers", "/api/conversations", "/api/knowledge/entries"):
        for query in (WORDS["search"], WORDS["search"] + "\0"):
            await spy.ask("GET", path, params={"q": query})
    await _model(spy)
    files = {"file": (f"{WORDS['file']}.txt", WORDS["file"].encode())}
    stored = await spy.ask("POST", "/api/files", params={"purpose": "message_file"}, files=files)
    if stored is not None and stored.status_code == 201:
        address = stored.json()["url"]
        await spy.ask("GET", address)
        await spy.ask("GET", address.replace("token=", "token=A"))
    apps = (await shop.ask("GET", "/api/wecom-apps")).json()["items"]
    await stranger.post(apps[0]["callback_url"] + "?nonce=" + SECRETS["wrong password"], content=WORDS["file"].encode())
    await spy.ask("PATCH", f"/api/wecom-apps/{apps[0]['id']}", {"secret": SECRETS["secret of an app"][:-1] + "x"})
    await spy.ask("POST", f"/api/wecom-apps/{apps[0]['id']}/check")
    await spy.ask("PATCH", f"/api/wecom-apps/{apps[0]['id']}", {"secret": SECRETS["secret of an app"]})
    await spy.ask("POST", f"/api/wecom-apps/{apps[0]['id']}/check")


async def _model(spy: Spy) -> None:
    for key in ("model key", "key that no header holds"):
        for base_url in (str(spy.shop.sandbox.base_url) + "v1", "http://127.0.0.1:9/v1", "http://[", "ftp://x"):
            wish = {"base_url": base_url, "model": "sandbox-chat", "api_key": SECRETS[key], "timeout_seconds": 1}
            await spy.ask("POST", "/api/assistant/model/test", wish)
            await spy.ask("PUT", "/api/assistant/model", wish)
    kept = {"base_url": f"{spy.shop.sandbox.base_url}v1", "model": "sandbox-chat", "api_key": SECRETS["model key"]}
    await spy.ask("PUT", "/api/assistant/model", {**kept, "timeout_seconds": 1})


async def converse(spy: Spy, running: Town) -> None:
    """The customer writes, the agent answers; everything that is called fails now and then, and PostgreSQL dies."""
    shop = spy.shop
    path = f"customers/{shop.customers[0]}/chats/{shop.open_kfid}/messages"
    faults = {"api_5xx_probability": 0.2, "api_answer_lost_probability": 0.2, "token_calls": 3, "model_mode": "babble"}
    await shop.control("PUT", "faults", faults)
    await shop.control("POST", path, {"msgtype": "text", "text": {"content": WORDS["message of a customer"]}})
    row = await _conversation(spy)
    customer = f"/api/customers/{row['customer']['id']}"
    base = f"/api/conversations/{row['id']}"
    await spy.ask("POST", f"{base}/take")
    await spy.ask("POST", f"{base}/messages", {"text": WORDS["message of an agent"]})
    await spy.ask("POST", f"{base}/hand-over", {"to": "console", "note": WORDS["remark"]})
    running.kill_postgres()
    for broken in ("", *BROKEN) * 3:
        await spy.ask("PATCH", customer, {"remark": WORDS["remark"] + broken})
        await spy.ask("POST", f"{base}/messages", {"text": WORDS["message of an agent"] + broken})
    await _bad_frames(spy)
    await shop.control("PUT", "faults", {})
    await running.ready()
    await spy.ask("PATCH", customer, {"remark": WORDS["remark"]})
    await shop.control("POST", path, {"msgtype": "text", "text": {"content": WORDS["message of a customer"]}})
    await asyncio.sleep(2)


async def _conversation(spy: Spy) -> Any:
    async with asyncio.timeout(SETTLE_SECONDS):
        while True:
            rows = (await spy.shop.ask("GET", "/api/conversations")).json().get("items", [])
            if rows:
                return rows[0]
            await asyncio.sleep(0.1)


async def _bad_frames(spy: Spy) -> None:
    address = str(spy.shop.console.base_url).rstrip("/")
    cookie = f"huitouke_session={spy.shop.console.cookies['huitouke_session']}"
    headers = {"Cookie": cookie, "Origin": address}
    with suppress(ConnectionClosed, TimeoutError):
        async with connect(address.replace("http", "ws") + "/realtime", additional_headers=headers, proxy=None) as one:
            for frame in (WORDS["search"], json.dumps({"type": "open", "streams": {WORDS["search"]: 0}})):
                await one.send(frame)
            async with asyncio.timeout(1):
                await one.recv()


def found_in(text: str, canaries: dict[str, str]) -> dict[str, str]:
    """Which of the canaries stand in it, with what stands around them."""
    found = {}
    for name, canary in canaries.items():
        for form in {canary, json.dumps(canary)[1:-1]}:
            if (at := text.find(form)) >= 0:
                found[name] = text[max(0, at - 300) : at + 40]
    return found


@pytest.fixture(scope="module", params=["json", "text"])
async def after(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, str]]:
    """What there is to read when it is over, by name."""
    folder = Path(tmp_path_factory.mktemp("spied"))
    logging = {"HUITOUKE_LOG_LEVEL": "debug", "HUITOUKE_LOG_FORMAT": request.param}
    async with town(folder, **logging) as running, planted(running) as spy:
        async with httpx2.AsyncClient(base_url=running.server_url, headers=HEADERS, trust_env=False) as stranger:
            await plant(spy, stranger)
            await converse(spy, running)
            metrics = (await stranger.get("/metrics")).text
        shown = {
            name: (await spy.shop.ask("GET", path)).text
            for name, path in (("audit", "/api/audit?limit=100"), ("dead letters", "/api/work/dead-letters"))
        }
        rows = await running.rows("SELECT payload::text AS text FROM events")
        items = await running.rows("SELECT to_jsonb(w)::text AS text FROM work_items w")
        apps = (await spy.shop.ask("GET", "/api/wecom-apps")).json()["items"]
        cookie = spy.shop.console.cookies["huitouke_session"]
        yield {
            **shown,
            "log": (folder / "server.log").read_text(errors="replace"),
            "metrics": metrics,
            "problem documents": "\n".join(spy.refusals),
            "events": "\n".join(row["text"] for row in rows),
            "work": "\n".join(row["text"] for row in items),
            "made": json.dumps(
                {"token": apps[0]["callback_token"], "key": apps[0]["callback_aes_key"], "cookie": cookie}
            ),
        }


def test_the_server_was_talkative_and_much_went_wrong(after: dict[str, str]) -> None:
    """Else there was nothing to find."""
    log = after["log"]
    assert len(log) > 20_000
    for event in ("http.request", "work.ran", "callbacks.refused", "access.sign_in_refused"):
        assert event in log, event
    away = ("http.database_away", "work.database_away", "database.connection_dropped", "notify.listen_failed")
    assert any(event in log for event in away)
    assert after["problem documents"].count("/problems/") > 20
    assert len(after["events"].splitlines()) > 3


def test_no_secret_reaches_log_metrics_problems_audit_events_or_work(after: dict[str, str]) -> None:
    secrets = SECRETS | json.loads(after["made"])
    for place in ("log", "metrics", "problem documents", "audit", "dead letters", "events", "work"):
        assert found_in(after[place], secrets) == {}, place


def test_no_words_of_people_reach_log_metrics_events_or_work(after: dict[str, str]) -> None:
    for place in ("log", "metrics", "events", "work", "dead letters"):
        assert found_in(after[place], WORDS) == {}, place


def test_no_token_of_an_address_reaches_the_log(after: dict[str, str]) -> None:
    assert not re.findall(r"(?:access_token|corpsecret|token)=(?!\*\*\*)[^\s\"'&<]{8,}", after["log"])
    assert "Bearer " not in after["log"]
