"""The visitors' surface from outside: a page's cookie opens that page's one conversation and nothing else, nor does
any other cookie open it. The socket too."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.public_links import forget_public_links
from huitouke.kernel.realtime import limits
from huitouke.kernel.tenancy import Tenant
from huitouke.kernel.visitors import PAGES, VISITOR_COOKIE
from huitouke.modules.conversations import service as conversations
from tests.isolation.neighbours import Merchant, merchant
from tests.isolation.test_sockets_and_files import QUIET_SECONDS, heard, say
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import HEADERS, application, client
from tests.support.operations import NO_SUCH_ID, UNSAFE, operations
from tests.support.visitors import Visitor, live

ARRIVES = "visitor_visit"
"""Whoever has the address may begin; nothing of anybody's is told."""

NOBODY = {401, 403, 404}


@dataclass
class Guest:
    """A visitor of that merchant who has written something only they may read."""

    visitor: Visitor
    word: str
    chat_id: str


@asynccontextmanager
async def guest(address: str, one: Merchant, word: str) -> AsyncIterator[Guest]:
    async with transaction(one.desk.context) as ctx:
        page = await conversations.hosted_page(ctx)
    assert page is not None
    async with httpx2.AsyncClient(base_url=address, headers=HEADERS, timeout=60, trust_env=False) as http:
        visitor = Visitor(http, page, f"{PAGES}/{page.code}")
        await visitor.visits()
        sent = await visitor.writes(f"只给店里看 {word}")
        yield Guest(visitor, word, sent["chat"]["id"])


@pytest.fixture(scope="module")
async def mine(running: tuple[Sandbox, str]) -> AsyncIterator[Merchant]:
    """One of its own: visitors' conversations would be in the way of other tests."""
    async with merchant(*running) as one:
        yield one


@pytest.fixture(scope="module")
async def theirs(running: tuple[Sandbox, str]) -> AsyncIterator[Merchant]:
    """The neighbour, also of its own."""
    async with merchant(*running) as one:
        yield one


@pytest.fixture
async def at(running: tuple[Sandbox, str]) -> str:
    return running[1]


async def asked(browser: httpx2.AsyncClient, code: str, **headers: str) -> list[tuple[str, httpx2.Response]]:
    """What the whole surface of that page answers."""
    return [
        (operation.id, await operation.ask({"code": code}).send(browser, **headers))
        for operation in operations("visitor")
    ]


def leave(browser: httpx2.AsyncClient) -> None:
    """The browser forgets that it was on a page."""
    for cookie in list(browser.cookies.jar):
        if cookie.name == VISITOR_COOKIE:
            browser.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)


async def test_strangers_and_the_shops_own_people_are_nobody_here(mine: Merchant, at: str) -> None:
    async with guest(at, mine, "暗号甲"), client(application()) as stranger:
        for who in (stranger, mine.owner, mine.agent):
            for operation in operations("visitor"):
                answer = await operation.ask({"code": mine.ids["code"]}).send(who)
                if operation.id == ARRIVES:
                    assert (answer.status_code, answer.json()["chat"], answer.json()["messages"]) == (200, None, [])
                    leave(who)
                else:
                    assert answer.status_code == 401, (operation.id, answer.text)


@pytest.mark.parametrize("token", ["", "x", "a" * 120, '"', "A" * 1_000, "%00", "' OR 1=1"])
async def test_a_made_up_cookie_is_none(mine: Merchant, token: str) -> None:
    async with client(application()) as browser:
        for name, answer in await asked(browser, mine.ids["code"], Cookie=f"{VISITOR_COOKIE}={token}"):
            assert answer.status_code == (200 if name == ARRIVES else 401), name


async def test_a_token_that_was_changed_anywhere_is_none(mine: Merchant, at: str) -> None:
    async with guest(at, mine, "暗号乙") as one, client(application()) as browser:
        token = one.visitor.client.cookies[VISITOR_COOKIE]
        for place in range(0, len(token), 7):
            other = "A" if token[place] != "A" else "B"
            cookie = f"{VISITOR_COOKIE}={token[:place]}{other}{token[place + 1 :]}"
            answer = await browser.get(f"{one.visitor.place}/messages", headers={"Cookie": cookie})
            assert answer.status_code == 401, place


async def test_another_tenants_visitor_is_a_stranger_here(mine: Merchant, theirs: Merchant, at: str) -> None:
    async with guest(at, theirs, "邻家暗号") as other, client(application()) as browser:
        for name, answer in await asked(browser, mine.ids["code"], Cookie=other.visitor.cookie):
            if name == ARRIVES:
                assert answer.json()["messages"] == []
            else:
                assert answer.status_code == 401, name
            assert "邻家暗号" not in answer.text


async def test_one_visitor_reads_nothing_of_another(mine: Merchant, at: str) -> None:
    async with guest(at, mine, "我的话") as one, guest(at, mine, "别人的话") as other:
        assert one.chat_id != other.chat_id
        told = (await one.visitor.client.get(f"{one.visitor.place}/messages", params={"after": 0})).text
        told += json.dumps(await one.visitor.visits(), ensure_ascii=False)
        assert "我的话" in told
        assert "别人的话" not in told


async def test_a_visitor_is_told_nothing_of_the_shops_side(mine: Merchant, at: str) -> None:
    """Names of colleagues, who follows whom, other conversations, ids of accounts."""
    async with guest(at, mine, "暗号丁") as one:
        await mine.owner.post(f"/api/conversations/{one.chat_id}/take")
        told = json.dumps(await one.visitor.visits(), ensure_ascii=False)
        desk = mine.desk
        inside = {str(desk.context.tenant_id), str(one.visitor.page.account_id), str(desk.owner.id), desk.owner.name}
        inside |= {mine.ids["conversation_id"], mine.ids["customer_id"], desk.shop.corp_id}
        assert [word for word in inside if word in told] == []


async def test_a_visitors_cookie_opens_no_console_and_no_operators_area(mine: Merchant, at: str) -> None:
    async with guest(at, mine, "暗号戊") as one, client(application()) as browser:
        token = one.visitor.client.cookies[VISITOR_COOKIE]
        for path in ("/api/conversations", "/api/session", "/api/hosted-page", "/operator/api/tenants"):
            for name in (VISITOR_COOKIE, "huitouke_session", "huitouke_operator"):
                answer = await browser.get(path, headers={"Cookie": f"{name}={token}"})
                assert answer.status_code == 401, (path, name)


async def test_a_consoles_session_is_no_visitors_under_its_cookies_name(mine: Merchant) -> None:
    session = mine.owner.cookies["huitouke_session"]
    async with client(application()) as browser:
        answer = await browser.get(
            f"{PAGES}/{mine.ids['code']}/messages", headers={"Cookie": f"{VISITOR_COOKIE}={session}"}
        )
    assert answer.status_code == 401


async def test_foreign_pages_change_nothing(mine: Merchant, at: str) -> None:
    async with guest(at, mine, "暗号己") as one:
        for operation in operations("visitor"):
            if operation.method in UNSAFE:
                for headers in ({"X-Requested-With": ""}, {"Origin": "https://evil.test"}, {"Origin": "null"}):
                    answer = await operation.ask({"code": mine.ids["code"]}).send(one.visitor.client, **headers)
                    assert answer.json()["type"] == "/problems/csrf_refused", (operation.id, headers)


async def test_the_cookie_goes_to_its_own_page_and_to_no_script(mine: Merchant) -> None:
    async with client(application()) as browser:
        answer = await browser.post(f"{PAGES}/{mine.ids['code']}/visit")
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in (f"path={PAGES}/{mine.ids['code']}", "httponly", "samesite=lax"))


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("code", ["thereisnone", "a" * 40, "0000000000"])
async def test_an_address_that_leads_nowhere_is_told_apart_from_nothing(code: str) -> None:
    async with client(application()) as stranger:
        for name, answer in await asked(stranger, code):
            assert answer.status_code in NOBODY, name


async def test_a_suspended_shops_page_is_not_open(theirs: Merchant, at: str) -> None:
    async with guest(at, theirs, "暗号庚") as one:
        for state, status in (("suspended", 403), ("active", 200)):
            async with platform_transaction() as session:
                tenant = await session.get(Tenant, theirs.desk.context.tenant_id)
                assert tenant is not None
                tenant.state = state
            forget_public_links()
            for name, answer in await asked(one.visitor.client, theirs.ids["code"]):
                if name != "visitor_write":
                    assert answer.status_code == status, (name, answer.text)
                if status == 403:
                    assert answer.json()["type"] == "/problems/visitors.page_not_open"


@pytest.mark.parametrize("cookie", [None, f"{VISITOR_COOKIE}=x", f'{VISITOR_COOKIE}="', "a=b"])
async def test_a_strangers_socket_hears_nothing_and_is_shown_out(mine: Merchant, at: str, cookie: str | None) -> None:
    async with guest(at, mine, "暗号辛") as one, live(one.visitor, cookie) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await say(socket, type="open", stream="chat", streams={one.chat_id: 0})
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == limits.SIGNED_OUT


async def test_a_console_session_opens_no_visitors_socket_and_a_visitor_no_consoles(mine: Merchant, at: str) -> None:
    async with guest(at, mine, "暗号壬") as one:
        session = mine.owner.cookies["huitouke_session"]
        token = one.visitor.client.cookies[VISITOR_COOKIE]
        for cookie in (f"huitouke_session={session}", f"{VISITOR_COOKIE}={session}"):
            async with live(one.visitor, cookie) as socket:
                with pytest.raises(ConnectionClosed):
                    await socket.recv()
        one.visitor.place = ""  # the console's socket
        for cookie in (f"huitouke_session={token}", f"{VISITOR_COOKIE}={token}"):
            async with live(one.visitor, cookie) as socket:
                with pytest.raises(ConnectionClosed):
                    await socket.recv()


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://127.0.0.1:1"])
async def test_a_foreign_page_gets_no_socket(mine: Merchant, at: str, origin: str) -> None:
    async with guest(at, mine, "暗号癸") as one:
        with pytest.raises(InvalidStatus) as refused:
            async with live(one.visitor, one.visitor.cookie, origin):
                pass
    assert refused.value.response.status_code == 403


async def test_a_visitors_socket_opens_the_own_chat_and_nothing_else(mine: Merchant, theirs: Merchant, at: str) -> None:
    async with (
        guest(at, mine, "自己的") as one,
        guest(at, mine, "别人的") as other,
        live(one.visitor, one.visitor.cookie) as socket,
    ):
        await heard(socket)
        wrong = [other.chat_id, mine.ids["conversation_id"], theirs.ids["conversation_id"], str(NO_SUCH_ID)]
        for stream, ids in (("chat", wrong), ("conversation", [*wrong, one.chat_id])):
            for id in ids:
                await say(socket, type="open", stream=stream, streams={id: 0}, since="1970-01-01T00:00:00Z")
                frames = await heard(socket)
                assert {"type": "error", "code": "not_found", "stream": stream, "id": id} in frames
                assert [frame for frame in frames if frame["type"] == "frame"] == []
                assert [frame["ids"] for frame in frames if frame["type"] == "changed"] == [[]]
        await say(socket, type="open", stream="chat", streams={one.chat_id: 0})
        told = json.dumps(await heard(socket), ensure_ascii=False)
        assert "自己的" in told
        assert "别人的" not in told


async def test_a_visitor_hears_no_hints_and_the_console_opens_no_chats(mine: Merchant, at: str) -> None:
    async with guest(at, mine, "暗号子") as one, live(one.visitor, one.visitor.cookie) as socket:
        await say(socket, type="open", stream="chat", streams={one.chat_id: 0})
        await heard(socket)
        async with guest(at, mine, "另一位"):
            await mine.owner.patch(f"/api/customers/{mine.ids['customer_id']}", json={"remark": "改了备注"})
            frames = await heard(socket, 2 * QUIET_SECONDS)
            assert [frame for frame in frames if frame["type"] != "heartbeat"] == []
        session = f"huitouke_session={mine.owner.cookies['huitouke_session']}"
        one.visitor.place = ""
        async with live(one.visitor, session) as staff:
            await heard(staff)
            await say(staff, type="open", stream="chat", streams={one.chat_id: 0})
            assert await heard(staff) == [{"type": "error", "code": "not_found", "stream": "chat", "id": one.chat_id}]
