"""Signing in with WeCom: the door, the way there, who comes back, and who stays outside."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import func, select, update

from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.settings import get_settings
from huitouke.kernel.tenancy import Tenant
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.models import Staff
from tests.modules.conversations.desk import Desk
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import Account, application, client, forget_guesses, signed_in
from tests.support.second_step import turn_on
from tests.support.world import World


@pytest.fixture
async def sandbox(running: tuple[Sandbox, str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    """The sandbox, which is also where people are recognised."""
    sandbox, _ = running
    monkeypatch.setenv("HUITOUKE_WECOM_OAUTH_URL", sandbox.address)
    monkeypatch.setenv("HUITOUKE_WECOM_SSO_URL", sandbox.address)
    get_settings.cache_clear()
    yield sandbox
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
async def door(desk: Desk, sandbox: Sandbox) -> str:
    async with transaction(desk.context) as ctx:
        await organization.open_door(ctx, desk.app_id)
        (address,) = (await organization.door_addresses(ctx)).values()
    return f"/api/wecom-doors/{address.rsplit('/', 1)[1]}"


@pytest.fixture
async def browser() -> AsyncIterator[httpx2.AsyncClient]:
    async with client(application()) as opened:
        yield opened
    await forget_guesses()


async def recognised(browser: httpx2.AsyncClient, door: str, userid: str, *, inside: bool = False) -> dict[str, str]:
    """Goes to WeCom as that person; what WeCom sends the browser back with."""
    way = (await browser.post(f"{door}/way", json={"inside": inside})).json()["url"]
    async with httpx2.AsyncClient(trust_env=False) as outside:
        answer = await outside.get(f"{way.removesuffix('#wechat_redirect')}&as={userid}")
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    assert back.path == f"/in/{door.rsplit('/', 1)[1]}/back"
    return {name: values[0] for name, values in parse_qs(back.query).items()}


def told(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


@pytest.mark.parametrize("inside", [True, False])
async def test_a_colleague_comes_in_without_a_password(
    desk: Desk, door: str, browser: httpx2.AsyncClient, inside: bool
) -> None:
    back = await recognised(browser, door, "LIN", inside=inside)
    answer = await browser.post(f"{door}/sign-in", json=back)

    assert answer.status_code == 200, answer.text
    assert answer.json()["staff"]["name"] == "小雨"
    assert (await browser.get("/api/session")).json()["tenant"]["id"] == str(desk.context.tenant_id)


async def test_the_door_says_whose_it_is_and_nothing_else(door: str, desk: Desk, browser: httpx2.AsyncClient) -> None:
    answer = (await browser.get(door)).json()
    assert list(answer) == ["tenant_name"]
    assert told(await browser.get("/api/wecom-doors/nonsense")) == (410, "organization.door_gone")


async def test_what_wecom_proves_is_proven_once_and_to_the_browser_that_asked(
    door: str, browser: httpx2.AsyncClient
) -> None:
    back = await recognised(browser, door, "lin")
    async with client(application()) as another:
        stolen = await another.post(f"{door}/sign-in", json=back)
    mixed = await browser.post(f"{door}/sign-in", json={**back, "state": "x" * 32})
    first = await browser.post(f"{door}/sign-in", json=back)
    again = await recognised(browser, door, "lin")
    used = await browser.post(f"{door}/sign-in", json={**again, "code": back["code"]})
    made_up = await browser.post(f"{door}/sign-in", json={**again, "code": "0" * 40})

    assert told(stolen) == told(mixed) == told(used) == told(made_up) == (410, "organization.scan_again")
    assert first.status_code == 200


async def test_who_is_no_staff_learns_what_the_administrator_has_to_enter(
    desk: Desk, sandbox: Sandbox, door: str, browser: httpx2.AsyncClient
) -> None:
    await sandbox.post("employees", {"userid": "NewGirl", "name": "新同事"}, corp_id=desk.shop.corp_id)
    unknown = await browser.post(f"{door}/sign-in", json=await recognised(browser, door, "newgirl"))
    outsider = await browser.post(f"{door}/sign-in", json=await recognised(browser, door, ""))
    async with transaction(desk.context) as ctx:
        await ctx.session.execute(update(Staff).where(Staff.id == desk.xiaoyu.id).values(state="disabled"))
    disabled = await browser.post(f"{door}/sign-in", json=await recognised(browser, door, "lin"))

    assert told(unknown) == told(outsider) == told(disabled) == (403, "organization.not_our_staff")
    assert "NewGirl" in unknown.json()["detail"]
    assert (await browser.get("/api/session")).status_code == 401


async def test_who_is_known_from_the_address_book_alone_is_to_be_invited_first(
    desk: Desk, door: str, browser: httpx2.AsyncClient
) -> None:
    async with transaction(desk.context) as ctx:
        await ctx.session.execute(update(Staff).where(Staff.id == desk.xiaoyu.id).values(user_id=None))
    answer = await browser.post(f"{door}/sign-in", json=await recognised(browser, door, "lin"))
    assert told(answer) == (403, "organization.not_invited")
    assert "小雨" in answer.json()["detail"]


async def test_the_second_step_is_asked_for_as_after_a_password(
    desk: Desk, door: str, browser: httpx2.AsyncClient
) -> None:
    async with transaction(desk.context) as ctx:
        user_id = await ctx.session.scalar(select(Staff.user_id).where(Staff.id == desk.xiaoyu.id))
    assert user_id is not None
    world = World(desk.context.tenant_id, desk.context)
    phone = await turn_on(world, Account(user_id, desk.xiaoyu.sign_in_name))
    asked = await browser.post(f"{door}/sign-in", json=await recognised(browser, door, "lin"))
    assert asked.status_code == 202
    assert (await browser.get("/api/session")).status_code == 401
    given = {"challenge": asked.json()["challenge"], "code": phone.code().reveal()}
    assert (await browser.post("/api/session/second-step", json=given)).status_code == 200


async def test_a_suspended_merchants_door_is_shut(desk: Desk, door: str, browser: httpx2.AsyncClient) -> None:
    back = await recognised(browser, door, "lin")
    async with platform_transaction() as session:
        await session.execute(update(Tenant).where(Tenant.id == desk.context.tenant_id).values(state="suspended"))
    assert told(await browser.post(f"{door}/sign-in", json=back)) == (403, "tenant_suspended")
    assert told(await browser.get(door)) == (403, "tenant_suspended")


async def test_what_wecom_refuses_is_said_with_its_cure(
    desk: Desk, sandbox: Sandbox, door: str, browser: httpx2.AsyncClient
) -> None:
    back = await recognised(browser, door, "lin")
    await sandbox.patch(f"apps/{desk.shop.agentid}", {"trusted_ips": ["10.9.8.7"]}, corp_id=desk.shop.corp_id)
    answer = await browser.post(f"{door}/sign-in", json=back)
    assert told(answer) == (502, "outside_failed")
    assert "127.0.0.1" in answer.json()["detail"]


async def test_guessing_codes_is_slowed_down(door: str, browser: httpx2.AsyncClient) -> None:
    back = await recognised(browser, door, "lin")
    answers = [await browser.post(f"{door}/sign-in", json={**back, "code": str(number)}) for number in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {410}
    assert told(answers[60]) == (429, "access.sign_in_throttled")


async def test_the_owner_turns_it_on_and_off_and_the_log_says_so(desk: Desk, sandbox: Sandbox) -> None:
    path = f"/api/wecom-apps/{desk.app_id}"
    async with signed_in(application(), desk.owner.sign_in_name) as owner, client(application()) as browser:
        assert (await owner.get(path)).json()["sign_in_url"] is None
        first = (await owner.put(f"{path}/sign-in")).json()["sign_in_url"]
        assert (await owner.put(f"{path}/sign-in")).json()["sign_in_url"] == first
        door = f"/api/wecom-doors/{first.rsplit('/', 1)[1]}"
        assert (await browser.get(door)).status_code == 200
        assert (await owner.delete(f"{path}/sign-in")).json()["sign_in_url"] is None
        assert (await browser.get(door)).status_code == 410
        assert (await owner.put(f"{path}/sign-in")).json()["sign_in_url"] != first
    assert await actions(desk, "organization.wecom_sign_in_on") == 2
    assert await actions(desk, "organization.wecom_sign_in_off") == 1


async def actions(desk: Desk, action: str) -> int:
    async with transaction(desk.context) as ctx:
        found: Any = await ctx.session.scalar(select(func.count()).where(AuditEntry.action == action))
    return int(found)
