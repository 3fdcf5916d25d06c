"""The example channel, loaded as an installed package is: a message in over HTTP, an answer out to a receiver."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huitouke_webhook.callbacks import REPLAY_SECONDS, sign
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from huitouke.kernel import clock
from huitouke.kernel.database import Database, transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import Modules
from huitouke.kernel.settings import get_settings
from huitouke.kernel.work.testing import drain
from huitouke.modules.assistant import service as assistant
from huitouke.modules.assistant.demo import demo_entries
from huitouke.modules.organization import service as organization
from tests.modules.wechat_sandbox.shop import serving
from tests.support import plug_ins
from tests.support.http import PASSWORD, application, signed_in
from tests.support.time import later, today
from tests.support.world import World, make_world

ENTRY_POINT = "webhook = huitouke_webhook:module"
ANSWER = "3XL"


@dataclass
class Receiver:
    """The merchant's own system: keeps what was posted, and answers with `status`."""

    status: int = 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.requests.append((dict(request.headers), await request.body()))
        await Response(status_code=self.status)(scope, receive, send)

    @property
    def texts(self) -> list[str]:
        return [json.loads(body)["text"] for _, body in self.requests]


@dataclass
class Shop:
    """A merchant whose own system is connected."""

    world: World
    owner: httpx2.AsyncClient
    server: httpx2.AsyncClient
    path: str
    secret: Secret
    receiver: Receiver

    async def posts(
        self, *messages: dict[str, str], secret: Secret | None = None, seconds_ago: int = 0
    ) -> httpx2.Response:
        """As the merchant's system does when customers write."""
        body = json.dumps({"messages": messages}).encode()
        timestamp = str(int(clock.now().timestamp()) - seconds_ago)
        signed = {"timestamp": timestamp, "signature": sign(secret or self.secret, timestamp, body)}
        return await self.server.post(self.path, params=signed, content=body)

    async def settle(self) -> None:
        """What is due is done, also what the burst's pause and the pauses between attempts held up."""
        for _ in range(3):
            await drain()
            await later(3)
        await drain()

    async def conversations(self) -> list[dict[str, Any]]:
        found = await self.owner.get("/api/conversations")
        assert found.status_code == 200, found.text
        items: list[dict[str, Any]] = found.json()["items"]
        return items

    async def messages(self) -> list[dict[str, Any]]:
        (row,) = await self.conversations()
        found = await self.owner.get(f"/api/conversations/{row['id']}/messages")
        return [one for one in found.json()["items"] if one["msgtype"] != "event"]


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Modules]:
    with plug_ins.installed(tmp_path_factory.mktemp("site"), "huitouke-webhook-channel", ENTRY_POINT) as loaded:
        yield loaded


@pytest.fixture(scope="module")
async def server(database: Database, modules: Modules, worker_id: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A server over a database of its own that the plug-in has migrated."""
    async with (
        plug_ins.migrated(modules, f"webhook_{worker_id}"),
        serving(application(modules)) as at,
        httpx2.AsyncClient(base_url=at, timeout=60, trust_env=False) as outside,
    ):
        yield outside


@pytest.fixture
async def shop(server: httpx2.AsyncClient, modules: Modules) -> AsyncIterator[Shop]:
    async with connected(server, modules) as opened:
        yield opened
    await today()


@asynccontextmanager
async def connected(server: httpx2.AsyncClient, modules: Modules) -> AsyncIterator[Shop]:
    world = await make_world()
    name = f"owner-{new_id().hex}"
    async with transaction(world.context) as ctx:
        await organization.add_staff(ctx, organization.NewStaff("店长", name, Secret(PASSWORD), "owner"))
        await assistant.add_entries(ctx, demo_entries(), source="demo")
    receiver = Receiver()
    async with signed_in(application(modules), name) as owner, serving(receiver) as address:
        made = await owner.post("/api/webhook/accounts", json={"name": "官网", "url": f"{address}/answers"})
        assert made.status_code == 201, made.text
        account = made.json()
        yield Shop(world, owner, server, account["path"], Secret(account["secret"]), receiver)


def message(text: str = "有大一点的吗", *, id: str = "m1") -> dict[str, str]:
    return {"id": id, "customer": "visitor-7", "text": text}


async def test_a_message_comes_in_and_the_answer_from_the_knowledge_goes_out_signed(shop: Shop) -> None:
    assert (await shop.posts(message())).status_code == 200
    await shop.settle()

    ((headers, body),) = shop.receiver.requests
    said = json.loads(body)
    assert said["customer"] == "visitor-7"
    assert said["text"].startswith("【AI 助手】")
    assert ANSWER in said["text"]
    assert headers["huitouke-signature"] == sign(shop.secret, headers["huitouke-timestamp"], body)
    assert [(one["sender_kind"], one["state"]) for one in await shop.messages()] == [
        ("customer", "received"),
        ("assistant", "sent"),
    ]


async def test_what_is_signed_with_another_secret_is_refused(shop: Shop) -> None:
    assert (await shop.posts(message(), secret=Secret("another"))).status_code == 403
    await shop.settle()

    assert await shop.conversations() == []


@pytest.mark.parametrize("seconds_ago", [REPLAY_SECONDS + 5, -REPLAY_SECONDS - 5])
async def test_what_is_posted_again_later_is_refused(shop: Shop, seconds_ago: int) -> None:
    assert (await shop.posts(message(), seconds_ago=seconds_ago)).status_code == 403


async def test_the_same_message_again_does_nothing(shop: Shop) -> None:
    await shop.posts(message())
    await shop.settle()
    await shop.posts(message(), message("谢谢", id="m2"))
    await shop.settle()

    written = [one["text"] for one in await shop.messages() if one["sender_kind"] == "customer"]
    assert written == ["有大一点的吗", "谢谢"]


async def test_a_receiver_that_is_down_gets_the_answer_once_it_is_up(shop: Shop) -> None:
    shop.receiver.status = 503
    await shop.posts(message())
    await shop.settle()
    tried = len(shop.receiver.requests)
    assert tried >= 1
    assert [one["state"] for one in await shop.messages()][-1] == "sending"

    shop.receiver.status = 200
    await later(60)
    await shop.settle()

    ids = {json.loads(body)["id"] for _, body in shop.receiver.requests}
    assert len(shop.receiver.requests) == tried + 1
    assert len(ids) == 1, "the receiver knows the repeat by its id"
    assert [one["state"] for one in await shop.messages()][-1] == "sent"


async def test_a_refusal_is_shown_with_its_reason(shop: Shop) -> None:
    shop.receiver.status = 404
    await shop.posts(message())
    await shop.settle()

    answer = (await shop.messages())[-1]
    assert (answer["state"], "404" in answer["failure"]["sentence"]) == ("failed", True)


async def test_only_the_console_can_take_over_and_needs_no_wecom(shop: Shop) -> None:
    await shop.posts(message("我要投诉，找人工"))
    await shop.settle()

    (row,) = await shop.conversations()
    detail = (await shop.owner.get(f"/api/conversations/{row['id']}")).json()
    assert (detail["handler"], detail["can"]["take"], detail["can"]["hand_over_wecom"]) == ("agent", True, False)
    assert detail["notice_problem"] is None
    taken = await shop.owner.post(f"/api/conversations/{row['id']}/take")
    assert taken.status_code == 200, taken.text
    said = await shop.owner.post(f"/api/conversations/{row['id']}/messages", json={"text": "我在"})
    assert said.status_code in (200, 201, 202), said.text
    await shop.settle()
    assert shop.receiver.texts[-1] == "我在"


async def test_screens_list_the_account_without_what_only_wecom_has(shop: Shop) -> None:
    (account,) = (await shop.owner.get("/api/channel-accounts")).json()["items"]

    assert (account["kind"], account["channel"], account["name"]) == ("webhook", "自有系统", "官网")
    assert (account["wecom_app_id"], account["wecom"]) == (None, False)
    at = f"/api/channel-accounts/{account['id']}"
    assert (await shop.owner.get(f"{at}/servicers")).json() == []
    assert (await shop.owner.post(f"{at}/link")).status_code == 409
    assert (await shop.owner.patch(at, json={"handover_to": "wecom"})).status_code == 409
    assert (await shop.owner.patch(at, json={"name": "商城"})).json()["name"] == "商城"
    (check,) = (await shop.owner.post(f"{at}/check")).json()["checks"]
    assert check["state"] == "ok"


async def test_an_account_that_is_disconnected_takes_nothing_in(shop: Shop) -> None:
    (account,) = (await shop.owner.get("/api/channel-accounts")).json()["items"]
    assert (await shop.owner.delete(f"/api/channel-accounts/{account['id']}")).status_code == 204
    await shop.posts(message())
    await shop.settle()

    assert await shop.conversations() == []


async def test_an_address_in_a_private_network_is_refused_where_that_is_wanted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUITOUKE_ALLOW_PRIVATE_ENDPOINTS", "false")
    get_settings.cache_clear()
    try:
        for url in ("http://10.0.0.1/x", "http://169.254.169.254/", "ftp://example.com"):
            refused = await shop.owner.post("/api/webhook/accounts", json={"name": "官网", "url": url})
            assert refused.status_code == 422, refused.text
        await shop.posts(message())
        await shop.settle()
        assert (await shop.messages())[-1]["state"] == "failed"
        assert shop.receiver.requests == []
    finally:
        get_settings.cache_clear()


def test_what_the_readme_lists_is_there() -> None:
    folder = Path(__file__).parents[3] / "examples/huitouke-webhook-channel"
    listed = [line.split("`")[1::2] for line in (folder / "README.md").read_text().splitlines() if line[:3] == "| `"]
    names = [name for row in listed for name in row if "/" in name or name.endswith((".py", ".toml"))]
    missing = [n for n in names if not (folder / n).exists() and not (folder / "src/huitouke_webhook" / n).exists()]
    assert names
    assert not missing
