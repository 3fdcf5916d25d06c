"""Robots of internal groups."""

from typing import Any

from tests.modules.wechat_sandbox.shop import Sandbox, Shop


async def say(shop: Shop, key: str, text: str) -> int:
    body: Any = {"msgtype": "text", "text": {"content": text}}
    return int((await shop.raw("POST", "webhook/send", body, key=key))["errcode"])


async def test_whoever_has_the_key_speaks_in_the_group(shop: Shop, sandbox: Sandbox) -> None:
    robot = await sandbox.post("robots", {"name": "店长群"}, corp_id=shop.corp_id)
    assert robot["webhook"].endswith(f"/cgi-bin/webhook/send?key={robot['key']}")

    assert await say(shop, robot["key"], "有新通知") == 0
    assert [one["content"] for one in await sandbox.get(f"robots/{robot['key']}/messages")] == ["有新通知"]
    assert await say(shop, "no-such-robot", "有新通知") == 93000

    await sandbox.patch(f"robots/{robot['key']}", {"enabled": False})
    assert await say(shop, robot["key"], "关了") == 93004


async def test_more_than_twenty_a_minute_are_refused(shop: Shop, sandbox: Sandbox) -> None:
    robot = await sandbox.post("robots", {"name": "店长群"}, corp_id=shop.corp_id)
    assert [await say(shop, robot["key"], str(number)) for number in range(21)] == [0] * 20 + [45009]
    await sandbox.advance(61)
    assert await say(shop, robot["key"], "later") == 0
