"""The same thing asked for several times at the same moment: once done, the rest told so in words; never a crash."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from huitouke.kernel.access.service import MAX_ATTEMPTS_PER_NAME
from huitouke.kernel.database import Database, transaction
from huitouke.kernel.ids import new_id
from huitouke.modules.assistant.models import KnowledgeEntry
from huitouke.modules.conversations.models import Message
from tests.isolation.neighbours import Merchant, merchant
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import PASSWORD, application, client, failed_outside, forget_guesses, signed_in
from tests.support.operations import operations

OWN_TESTS = {"session_sign_out", "session_sign_in", "session_change_password"}
"""What would sign the others out, or is about signing in."""

AT_ONCE = 5


@pytest.fixture(autouse=True)
async def others_are_not_locked_out(database: Database) -> AsyncIterator[None]:
    yield
    await forget_guesses()


@pytest.fixture
async def shop(running: tuple[Sandbox, str]) -> AsyncIterator[Merchant]:
    async with merchant(*running) as one:
        yield one


async def at_once(*calls: Any) -> list[httpx2.Response]:
    return list(await asyncio.gather(*calls))


async def test_every_operation_may_be_asked_for_several_times_at_once(shop: Merchant) -> None:
    wrong = []
    for operation in operations():
        if operation.id in OWN_TESTS:
            continue
        answers = await at_once(*(operation.ask(shop.ids).send(shop.owner) for _ in range(AT_ONCE)))
        for answer in answers:
            if answer.status_code >= 500 and not failed_outside(answer):
                wrong.append(f"{operation.method} {operation.path}: {answer.text}")
    assert wrong == []


async def test_one_key_at_once_is_one_message(shop: Merchant) -> None:
    path = f"/api/conversations/{shop.ids['conversation_id']}/messages"
    headers = {"Idempotency-Key": new_id().hex}
    answers = await at_once(*(shop.owner.post(path, json={"text": "一次"}, headers=headers) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    async with transaction(shop.desk.context) as ctx:
        assert await ctx.session.scalar(select(func.count()).select_from(Message).where(Message.text == "一次")) == 1
    await shop.desk.work()
    assert [message["text"] for message in await shop.desk.phone()].count("一次") == 1


async def test_of_many_who_take_at_once_one_has_it_and_the_others_learn_who(shop: Merchant) -> None:
    base = f"/api/conversations/{shop.ids['conversation_id']}"
    await shop.owner.post(f"{base}/hand-back")
    async with AsyncExitStack() as stack:
        app = application()
        people = [
            await stack.enter_async_context(signed_in(app, name))
            for name in (shop.desk.xiaoyu.sign_in_name, shop.desk.aning.sign_in_name)
        ]
        answers = await at_once(*(person.post(f"{base}/take") for person in people * 3))
        won = [answer for answer in answers if answer.status_code == HTTPStatus.OK]
        lost = [answer for answer in answers if answer.status_code != HTTPStatus.OK]
        (winner,) = {answer.json()["staff"]["name"] for answer in won}
    assert len(lost) == 3
    assert {answer.json()["type"] for answer in lost} == {"/problems/conversations.already_taken"}
    assert all(winner in answer.json()["detail"] for answer in lost)


async def test_an_import_that_is_applied_twice_at_once_is_applied_once(shop: Merchant) -> None:
    path = f"/api/knowledge/imports/{shop.ids['import_id']}"
    answers = await at_once(*(shop.owner.post(f"{path}/apply", json={"mode": "add"}) for _ in range(AT_ONCE)))
    assert answers[0].status_code < 500
    assert Counter(answer.status_code for answer in answers)[200] >= 1
    await shop.desk.work()
    shown = (await shop.owner.get(path)).json()
    assert (shown["state"], shown["added"], shown["rows_done"]) == ("done", 1, 1)
    async with transaction(shop.desk.context) as ctx:
        stored = await ctx.session.scalar(
            select(func.count()).select_from(KnowledgeEntry).where(KnowledgeEntry.question == shop.word)
        )
    assert stored == 1


async def test_one_file_is_part_of_one_message(shop: Merchant) -> None:
    path = f"/api/conversations/{shop.ids['conversation_id']}/messages"
    answers = await at_once(*(shop.owner.post(path, json={"file_id": shop.ids["file_id"]}) for _ in range(AT_ONCE)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: AT_ONCE - 1}


async def test_a_name_is_given_once(shop: Merchant) -> None:
    staff = {"name": "小新", "sign_in_name": f"new-{new_id().hex}", "password": PASSWORD}
    answers = await at_once(*(shop.owner.post("/api/staff", json=staff) for _ in range(AT_ONCE)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: AT_ONCE - 1}
    entry = {"question": "现在几点", "answer": "看表。"}
    answers = await at_once(*(shop.owner.post("/api/knowledge/entries", json=entry) for _ in range(AT_ONCE)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: AT_ONCE - 1}


@pytest.fixture
async def stranger() -> AsyncIterator[httpx2.AsyncClient]:
    async with client(application()) as opened:
        yield opened


async def sign_in(browser: httpx2.AsyncClient, name: str, password: str) -> httpx2.Response:
    return await browser.post("/api/session", json={"sign_in_name": name, "password": password})


async def test_guesses_that_come_at_once_are_counted_like_those_in_a_row(
    shop: Merchant, stranger: httpx2.AsyncClient
) -> None:
    name = shop.desk.aning.sign_in_name
    written = [name, name.upper(), f" {name} ", f"\t{name.title()}\n"]
    answers = await at_once(*(sign_in(stranger, written[n % 4], f"guess number {n}") for n in range(30)))
    assert Counter(answer.status_code for answer in answers) == {
        401: MAX_ATTEMPTS_PER_NAME,
        429: 30 - MAX_ATTEMPTS_PER_NAME,
    }
    locked = await sign_in(stranger, name, PASSWORD)
    assert (locked.status_code, locked.json()["type"]) == (429, "/problems/access.sign_in_throttled")
    assert 0 < int(locked.headers["Retry-After"]) <= 900
    assert "set-cookie" not in locked.headers
    other = await sign_in(stranger, shop.desk.xiaoyu.sign_in_name, PASSWORD)
    assert other.status_code == HTTPStatus.OK


async def test_a_cookie_that_somebody_planted_is_not_taken_for_a_session(shop: Merchant) -> None:
    planted = "planted-by-somebody-who-waits-for-a-sign-in"
    async with client(application()) as browser:
        browser.cookies.set("huitouke_session", planted)
        answer = await sign_in(browser, shop.desk.xiaoyu.sign_in_name, PASSWORD)
        given = answer.cookies["huitouke_session"]
    assert given != planted
    async with client(application()) as attacker:
        for cookie, status in ((planted, 401), (given, 200)):
            answer = await attacker.get("/api/session", headers={"Cookie": f"huitouke_session={cookie}"})
            assert answer.status_code == status


async def test_every_sign_in_is_a_session_of_its_own(shop: Merchant) -> None:
    tokens = set()
    async with client(application()) as browser:
        for _ in range(3):
            answer = await sign_in(browser, shop.desk.xiaoyu.sign_in_name, PASSWORD)
            tokens.add(answer.cookies["huitouke_session"])
    assert len(tokens) == 3
    assert min(map(len, tokens)) >= 43


async def test_a_new_password_signs_out_everywhere_else_at_once(shop: Merchant) -> None:
    name = shop.desk.xiaoyu.sign_in_name
    async with AsyncExitStack() as stack:
        app = application()
        here, phone, office = [await stack.enter_async_context(signed_in(app, name)) for _ in range(3)]
        change = {"old_password": PASSWORD, "new_password": "another long pass phrase"}
        assert (await here.post("/api/session/password", json=change)).status_code == 204
        statuses = [(await browser.get("/api/session")).status_code for browser in (here, phone, office)]
        assert statuses == [200, 401, 401]
        assert (await sign_in(phone, name, PASSWORD)).status_code == 401
        assert (await sign_in(phone, name, "another long pass phrase")).status_code == 200


async def test_of_password_changes_at_once_the_last_one_counts_and_nothing_breaks(shop: Merchant) -> None:
    name = shop.desk.xiaoyu.sign_in_name
    async with signed_in(application(), name) as browser:
        wishes = [{"old_password": PASSWORD, "new_password": f"pass phrase number {n}"} for n in range(3)]
        answers = await at_once(*(browser.post("/api/session/password", json=wish) for wish in wishes))
        assert {answer.status_code for answer in answers} <= {204, 401}
        tried = [(await sign_in(browser, name, wish["new_password"])).status_code for wish in wishes]
    assert Counter(tried)[200] == 1


async def test_who_is_made_an_agent_may_no_longer_do_what_owners_do(shop: Merchant) -> None:
    person = {"name": "副手", "sign_in_name": f"deputy-{new_id().hex}", "password": PASSWORD, "role": "administrator"}
    made = (await shop.owner.post("/api/staff", json=person)).json()
    async with signed_in(application(), person["sign_in_name"]) as deputy:
        assert (await deputy.get("/api/wecom-apps")).status_code == HTTPStatus.OK
        await shop.owner.patch(f"/api/staff/{made['id']}", json={"role": "agent"})
        assert (await deputy.get("/api/wecom-apps")).status_code == HTTPStatus.FORBIDDEN
        await shop.owner.patch(f"/api/staff/{made['id']}", json={"state": "disabled"})
        assert (await deputy.get("/api/session")).status_code == HTTPStatus.UNAUTHORIZED
