"""A phone number stands wherever one can stand: who may not see numbers finds it in no answer, export, frame or log."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from structlog.testing import capture_logs

from huitouke.kernel.ids import new_id
from huitouke.kernel.masking import CONTACTS
from huitouke.kernel.modules import load_modules
from tests.isolation.neighbours import Merchant, merchant
from tests.isolation.test_http import READ_AND_NOTED
from tests.isolation.test_sockets_and_files import heard, say, socket
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import PASSWORD, application, signed_in
from tests.support.operations import operations
from tests.support.time import later, today

NUMBER = "13800138000"
HIDDEN = "138****8000"
REPLY = "conversations.reply"

SHOWN_TO_THE_OWNER = {
    "audit_list",
    "audit_export",
    "assistant_list_traces",
    "conversations_list",
    "conversations_get",
    "conversations_messages",
    "customers_list",
    "customers_get",
}
"""Where the number was put: else it would be missing everywhere, and nothing would be proved."""


@dataclass
class Planted:
    """A merchant in whose data the number stands, and somebody who may do everything but see it."""

    one: Merchant
    reader: httpx2.AsyncClient
    agent: httpx2.AsyncClient
    """Somebody who answers customers as well."""
    logged: str


@pytest.fixture(scope="module")
async def planted(running: tuple[Sandbox, str]) -> AsyncIterator[Planted]:
    async with merchant(*running) as one:
        with capture_logs() as logged:
            await _plant(one)
        reader, agent = await _person(one, {CONTACTS, REPLY}), await _person(one, {CONTACTS})
        async with signed_in(application(), reader) as reading, signed_in(application(), agent) as answering:
            yield Planted(one, reading, answering, str(logged))


async def _plant(one: Merchant) -> None:
    """In names, remarks, notes, words on both sides, names of files, summaries, what the log keeps of all that."""
    owner, conversation = one.owner, f"/api/conversations/{one.ids['conversation_id']}"
    card = f"/api/customers/{one.ids['customer_id']}"
    answers = [
        await owner.patch(card, json={"name": f"周 {NUMBER}", "remark": f"老客 {NUMBER}"}),
        await owner.put(f"{card}/phone", json={"phone": NUMBER}),
        await owner.post(f"{card}/marketing/refusals", json={"note": f"{NUMBER} 打来说的"}),
        await owner.post(f"{conversation}/messages", json={"text": f"是 {NUMBER} 吗"}),
    ]
    stored = await owner.post(
        "/api/files", params={"purpose": "message_file"}, files={"file": (f"{NUMBER}.txt", b"words")}
    )
    answers.append(await owner.post(f"{conversation}/messages", json={"file_id": stored.json()["id"]}))
    answers.append(await owner.post(f"{conversation}/hand-back"))
    await one.desk.customer_writes(f"有大一点的吗，我电话 {NUMBER}")
    await later(3)
    await one.desk.work()
    await today()
    answers.append(await owner.post(f"{conversation}/hand-over", json={"to": "console", "note": f"回电 {NUMBER}"}))
    assert all(answer.status_code < 300 for answer in answers), [answer.text for answer in answers]
    await one.desk.work()


async def _person(one: Merchant, lacking: set[str]) -> str:
    permissions = sorted(load_modules().permissions() - lacking)
    role = await one.owner.post("/api/roles", json={"name": f"半{new_id().hex[-8:]}", "permissions": permissions})
    name = f"masked-{new_id().hex}"
    person = {"name": "小满", "sign_in_name": name, "password": PASSWORD, "role": role.json()["key"]}
    assert (await one.owner.post("/api/staff", json=person)).status_code == 201
    return name


async def _showing(planted: Planted, client: httpx2.AsyncClient) -> set[str]:
    """The operations that only read whose answer holds the number, asked in every way they can be."""
    found = set()
    for operation in operations():
        if operation.method != "GET" and operation.id not in READ_AND_NOTED:
            continue
        asked = [operation.ask(planted.one.ids)]
        for place in operation.places:
            if place.where == "query" and place.name in ("view", "sort"):
                asked += [operation.ask_with(planted.one.ids, place, each) for each in place.schema["enum"]]
            elif place.where == "query" and place.name == "q":
                asked += [operation.ask_with(planted.one.ids, place, each) for each in ("老客", NUMBER)]
        for one in asked:
            answer = await one.send(client)
            assert answer.status_code < 500, (operation.id, answer.text)
            if NUMBER in answer.text or NUMBER in str(answer.headers):
                found.add(operation.id)
    return found


async def test_who_may_see_it_sees_it(planted: Planted) -> None:
    assert await _showing(planted, planted.one.owner) >= SHOWN_TO_THE_OWNER


async def test_who_may_not_finds_it_in_no_answer(planted: Planted) -> None:
    assert await _showing(planted, planted.reader) == set()


async def test_who_answers_reads_words_as_they_are_and_no_cards(planted: Planted) -> None:
    shown = await _showing(planted, planted.agent)

    assert "conversations_messages" in shown
    assert not shown & {"customers_list", "customers_get", "audit_list", "audit_export"}


async def test_a_whole_number_finds_the_customer_without_showing_it(planted: Planted) -> None:
    found = (await planted.reader.get("/api/customers", params={"q": NUMBER})).json()["items"]
    assert [one["id"] for one in found] == [planted.one.ids["customer_id"]]
    assert HIDDEN in found[0]["remark"]

    for part in ("1380013", "8000", "380"):
        assert (await planted.reader.get("/api/customers", params={"q": part})).json()["items"] == []
        assert (await planted.reader.get("/api/conversations", params={"q": part})).json()["items"] == []


async def test_nobody_reveals_it_without_the_permission(planted: Planted) -> None:
    path = f"/api/customers/{planted.one.ids['customer_id']}/phone/reveal"

    assert (await planted.reader.post(path)).status_code == 403
    assert (await planted.agent.post(path)).status_code == 403
    assert (await planted.one.owner.post(path)).json() == {"phone": NUMBER}


async def test_it_goes_over_no_socket_of_who_may_not_see_it(planted: Planted, running: tuple[Sandbox, str]) -> None:
    async def frames(client: httpx2.AsyncClient) -> str:
        async with socket(running[1], cookie=f"huitouke_session={client.cookies['huitouke_session']}") as opened:
            await say(opened, type="open", streams={planted.one.ids["conversation_id"]: 0})
            before = await heard(opened)
            await planted.one.desk.customer_writes(f"再说一遍，{NUMBER}")
            return str(before + await heard(opened))

    assert NUMBER in await frames(planted.one.owner)
    assert NUMBER in await frames(planted.agent)
    seen = await frames(planted.reader)
    assert HIDDEN in seen
    assert NUMBER not in seen


def test_no_line_of_the_log_holds_it(planted: Planted) -> None:
    assert planted.logged
    assert NUMBER not in planted.logged
