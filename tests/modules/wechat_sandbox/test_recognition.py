"""Who somebody is: the pages that send people back with a code, and the call that tells whose it was (§1.18)."""

from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.modules.wechat_sandbox.shop import Sandbox, Shop, open_shop

BACK = "https://shop.test/in/door/back?keep=1"


async def page(sandbox: Sandbox, path: str, **query: str) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=sandbox.address, trust_env=False) as browser:
        return await browser.get(path, params=query)


async def scan(sandbox: Sandbox, shop: Shop, **more: str) -> httpx2.Response:
    query = {
        "login_type": "CorpApp",
        "appid": shop.corp_id,
        "agentid": str(shop.agentid),
        "redirect_uri": BACK,
        "state": "abc",
    }
    return await page(sandbox, "/wwlogin/sso/login", **{**query, **more})


async def code_of(sandbox: Sandbox, shop: Shop, userid: str) -> str:
    answer = await scan(sandbox, shop, **{"as": userid})
    assert answer.status_code == 302
    back = urlsplit(answer.headers["location"])
    query = parse_qs(back.query)
    assert (back.netloc, query["state"], query["keep"]) == ("shop.test", ["abc"], ["1"])
    return query["code"][0]


async def test_the_page_asks_who_it_is_and_names_the_corps_people(sandbox: Sandbox, shop: Shop) -> None:
    answer = await scan(sandbox, shop)
    assert answer.status_code == 200
    assert "lin" in answer.text


async def test_a_code_tells_the_userid_once(sandbox: Sandbox, shop: Shop) -> None:
    code = await code_of(sandbox, shop, "LIN")
    first = await shop.fetch("auth/getuserinfo", code=code)
    again = await shop.fetch("auth/getuserinfo", code=code)
    assert (first["errcode"], first["userid"]) == (0, "lin")
    assert again["errcode"] == 42022


async def test_codes_end_after_five_minutes_and_belong_to_their_corp(sandbox: Sandbox, shop: Shop) -> None:
    code = await code_of(sandbox, shop, "lin")
    other = await open_shop(sandbox, "别家")
    assert (await other.fetch("auth/getuserinfo", code=code))["errcode"] == 40029
    assert (await shop.fetch("auth/getuserinfo", code="0" * 40))["errcode"] == 40029
    await sandbox.advance(301)
    assert (await shop.fetch("auth/getuserinfo", code=code))["errcode"] == 42003


async def test_people_from_outside_have_no_userid(sandbox: Sandbox, shop: Shop) -> None:
    answer = await shop.fetch("auth/getuserinfo", code=await code_of(sandbox, shop, ""))
    assert "userid" not in answer
    assert answer["openid"]


async def test_nobody_is_sent_to_a_foreign_domain(sandbox: Sandbox, shop: Shop) -> None:
    await sandbox.patch(f"apps/{shop.agentid}", {"trusted_domain": "shop.test"}, corp_id=shop.corp_id)
    assert (await scan(sandbox, shop, **{"as": "lin"})).status_code == 302
    refused = await scan(sandbox, shop, redirect_uri="https://evil.test/back", **{"as": "lin"})
    assert refused.status_code == 400
    assert "50001" in refused.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"appid": "wwnobody"},
        {"agentid": "x"},
        {"agentid": "9"},
        {"redirect_uri": "javascript:alert(1)"},
        {"login_type": "x"},
        {"state": "a" * 129},
        {"as": "nobody"},
    ],
)
async def test_what_can_not_be_right_goes_nowhere(sandbox: Sandbox, shop: Shop, wrong: dict[str, str]) -> None:
    assert (await scan(sandbox, shop, **{"as": "lin", **wrong})).status_code == 400


async def test_within_the_app_the_older_page_does_the_same(sandbox: Sandbox, shop: Shop) -> None:
    query = {"appid": shop.corp_id, "agentid": str(shop.agentid), "redirect_uri": BACK, "state": "s", "as": "lin"}
    right = {"response_type": "code", "scope": "snsapi_base"}
    assert (await page(sandbox, "/connect/oauth2/authorize", **query, **right)).status_code == 302
    assert (await page(sandbox, "/connect/oauth2/authorize", **query)).status_code == 400
