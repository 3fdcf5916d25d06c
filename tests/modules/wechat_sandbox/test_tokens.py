"""Access tokens: life, refusal, addresses, methods."""

import pytest

from tests.modules.wechat_sandbox.shop import Sandbox, Shop, open_shop


async def test_gettoken_gives_the_same_token_until_it_expires(shop: Shop, sandbox: Sandbox) -> None:
    first = shop.token
    await sandbox.advance(3_600)
    answer = await shop.raw("GET", "gettoken", corpid=shop.corp_id, corpsecret=shop.secret)
    assert answer["access_token"] == first
    assert 3_590 <= answer["expires_in"] <= 3_600
    await sandbox.advance(3_601)
    assert (await shop.fetch("getcallbackip"))["errcode"] == 42001
    assert await shop.refresh_token() != first
    assert (await shop.fetch("getcallbackip"))["errcode"] == 0


async def test_gettoken_names_what_is_wrong(shop: Shop, sandbox: Sandbox) -> None:
    other = await open_shop(sandbox, "别家")

    async def code(**query: str) -> int:
        return int((await shop.raw("GET", "gettoken", **query))["errcode"])

    assert await code(corpsecret=shop.secret) == 41002
    assert await code(corpid=shop.corp_id) == 41004
    assert await code(corpid="wwunknown", corpsecret=shop.secret) == 40013
    assert await code(corpid=shop.corp_id, corpsecret="wrong") == 40001
    assert await code(corpid=shop.corp_id, corpsecret=other.secret) == 40091


async def test_calls_without_a_good_token_are_refused(shop: Shop, sandbox: Sandbox) -> None:
    assert (await shop.raw("GET", "getcallbackip"))["errcode"] == 41001
    assert (await shop.raw("GET", "getcallbackip", access_token="x"))["errcode"] == 40014
    expired = await sandbox.post("faults/expire-tokens")
    assert expired == {"expired": 1}
    assert (await shop.fetch("getcallbackip"))["errcode"] == 40014
    await shop.refresh_token()
    assert (await shop.fetch("getcallbackip"))["errcode"] == 0


async def test_a_token_dies_after_so_many_calls(shop: Shop, sandbox: Sandbox) -> None:
    await sandbox.faults(token_calls=3)
    codes = [(await shop.fetch("getcallbackip"))["errcode"] for _ in range(4)]
    assert codes == [0, 0, 0, 40014]


async def test_a_new_secret_ends_the_tokens_of_the_old_one(shop: Shop, sandbox: Sandbox) -> None:
    await sandbox.patch(f"apps/{shop.agentid}", {"secret": "another-secret"}, corp_id=shop.corp_id)
    assert (await shop.fetch("getcallbackip"))["errcode"] == 40014
    answer = await shop.raw("GET", "gettoken", corpid=shop.corp_id, corpsecret=shop.secret)
    assert answer["errcode"] == 40001


async def test_a_caller_outside_the_trusted_addresses_is_told_its_address(shop: Shop, sandbox: Sandbox) -> None:
    await sandbox.patch(f"apps/{shop.agentid}", {"trusted_ips": ["10.0.0.1"]}, corp_id=shop.corp_id)
    answer = await shop.fetch("getcallbackip")
    assert answer["errcode"] == 60020
    assert "from ip: 127.0.0.1," in answer["errmsg"]
    assert answer["errmsg"].endswith("https://open.work.weixin.qq.com/devtool/query?e=60020")
    await sandbox.patch(f"apps/{shop.agentid}", {"trusted_ips": ["127.0.0.1"]}, corp_id=shop.corp_id)
    assert (await shop.fetch("getcallbackip"))["errcode"] == 0


async def test_an_app_without_kf_permission_or_switched_off_is_refused(shop: Shop, sandbox: Sandbox) -> None:
    await sandbox.patch(f"apps/{shop.agentid}", {"kf_permission": False}, corp_id=shop.corp_id)
    assert (await shop.call("kf/account/list"))["errcode"] == 48002
    await sandbox.patch(f"apps/{shop.agentid}", {"enabled": False}, corp_id=shop.corp_id)
    assert (await shop.fetch("getcallbackip"))["errcode"] == 50003


async def test_wrong_methods_and_bodies_have_their_codes(shop: Shop, sandbox: Sandbox) -> None:
    assert (await shop.raw("POST", "user/get", {}, access_token=shop.token))["errcode"] == 43001
    assert (await shop.fetch("kf/send_msg"))["errcode"] == 43002
    path = f"/cgi-bin/kf/send_msg?access_token={shop.token}"
    assert (await sandbox.http.post(path, content=b"{no json")).json()["errcode"] == 47001


@pytest.mark.parametrize("path", ["externalcontact/send_msg", "message/receive", "kf/nothing"])
async def test_paths_that_do_not_exist_are_404(shop: Shop, sandbox: Sandbox, path: str) -> None:
    answer = await sandbox.http.post(f"/cgi-bin/{path}", params={"access_token": shop.token}, json={})
    assert answer.status_code == 404


async def test_contacts_and_the_app_can_be_read(shop: Shop) -> None:
    assert (await shop.fetch("user/get", userid="LIN"))["name"] == "林"
    assert (await shop.fetch("user/get", userid="nobody"))["errcode"] == 60111
    users = (await shop.fetch("user/simplelist", department_id=1))["userlist"]
    assert {one["userid"] for one in users} == {"lin", "wang"}
    assert (await shop.fetch("department/list"))["department"][0]["id"] == 1
    assert (await shop.fetch("agent/get", agentid=shop.agentid))["name"] == "客服"
    assert (await shop.fetch("agent/get", agentid=1))["errcode"] == 301002
