"""The operator's surface from outside: strangers, tenants' people and foreign pages are refused; and the other way."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from huitouke.kernel.database import Database
from tests.isolation.neighbours import Merchant
from tests.support.http import PASSWORD, application, client, forget_guesses
from tests.support.operations import UNSAFE, Operation, operations
from tests.support.operators import make_operator, operator_client

OF_THEIR_OWN = {"operator_sign_in": 401, "operator_sign_out": 204}
"""What strangers are answered where it isn't 401 for the session: a wrong password, and leaving twice."""


@pytest.fixture(autouse=True)
async def forgotten(database: Database) -> AsyncIterator[None]:
    """These tests guess passwords, and all share an address."""
    yield
    await forget_guesses()


@pytest.fixture
async def operator(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    async with operator_client(application(), await make_operator()) as opened:
        yield opened


def ids_of(one: Merchant) -> dict[str, str]:
    plan = "01920000-0000-7000-8000-00000000dead"
    return {**one.ids, "tenant_id": str(one.desk.context.tenant_id), "plan_id": plan, "sign_up_plan_id": plan}


def refused(operation: Operation, answer: httpx2.Response) -> bool:
    return answer.status_code == OF_THEIR_OWN.get(operation.id, 401)


async def test_strangers_and_every_tenants_people_are_refused(mine: Merchant) -> None:
    async with client(application()) as stranger:
        for operation in operations("operator"):
            for who in (stranger, mine.owner, mine.agent):
                answer = await operation.ask(ids_of(mine)).send(who)
                assert refused(operation, answer), (operation.id, answer.status_code, answer.text)


@pytest.mark.parametrize("cookie", ["x", "' OR 1=1", "a" * 200])
async def test_a_made_up_cookie_is_none(mine: Merchant, cookie: str) -> None:
    async with client(application()) as stranger:
        for operation in operations("operator"):
            answer = await operation.ask(ids_of(mine)).send(stranger, Cookie=f"huitouke_operator={cookie}")
            assert refused(operation, answer), operation.id


async def test_a_tenants_session_is_no_operators_under_its_cookies_name(mine: Merchant) -> None:
    """The sessions stand in tables of their own: a token of one opens nothing of the other."""
    token = mine.owner.cookies["huitouke_session"]
    async with client(application()) as browser:
        answer = await browser.get("/operator/api/tenants", headers={"Cookie": f"huitouke_operator={token}"})
    assert answer.status_code == 401


async def test_an_operators_session_opens_no_console(mine: Merchant, operator: httpx2.AsyncClient) -> None:
    token = operator.cookies["huitouke_operator"]
    public = {"session_sign_out", "session_look_at_link", "session_use_link", "session_second_step"}
    public |= {"session_sign_up_open", "session_sign_up", "session_sign_in"}
    public |= {"session_forgotten_open", "session_forgotten"}
    public |= {"wecom_door", "wecom_door_way", "wecom_door_sign_in"}
    public |= {"organization_look_at_handed", "organization_answer_handed"}
    for cookie in ("huitouke_operator", "huitouke_session"):
        async with client(application()) as browser:
            for operation in operations():
                if operation.id not in public:
                    answer = await operation.ask(mine.ids).send(browser, Cookie=f"{cookie}={token}")
                    assert answer.status_code == 401, (cookie, operation.id)


async def test_foreign_pages_change_nothing(mine: Merchant, operator: httpx2.AsyncClient) -> None:
    for operation in operations("operator"):
        if operation.method in UNSAFE:
            for headers in ({"X-Requested-With": ""}, {"Origin": "https://evil.test"}, {"Origin": "null"}):
                answer = await operation.ask(ids_of(mine)).send(operator, **headers)
                assert answer.json()["type"] == "/problems/csrf_refused", (operation.id, headers)
    assert (await operator.get("/operator/api/session")).status_code == 200


async def test_the_cookie_goes_nowhere_else(operator: httpx2.AsyncClient) -> None:
    async with client(application()) as browser:
        body = {"sign_in_name": await make_operator(), "password": PASSWORD}
        answer = await browser.post("/operator/api/session", json=body)
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("path=/operator", "httponly", "samesite=strict"))


async def test_what_operators_read_holds_no_tenants_words(mine: Merchant, operator: httpx2.AsyncClient) -> None:
    """Names of tenants and reasons that operators wrote themselves aside: nothing of customers, messages, knowledge."""
    desk = mine.desk
    secrets = {desk.shop.corp_id, desk.shop.open_kfid, desk.shop.customer, desk.shop.secret}
    for operation in operations("operator"):
        if operation.method == "GET":
            answer = await operation.ask(ids_of(mine)).send(operator)
            assert answer.status_code == 200, (operation.id, answer.text)
            assert not [secret for secret in secrets if secret in answer.text]
