"""kf/send_msg and send_msg_on_event: windows, states, codes, payloads, failures after acceptance."""

import asyncio
from typing import Any

import pytest

from tests.modules.wechat_sandbox.shop import Sandbox, Shop

HOUR = 3_600
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


async def picture(shop: Shop) -> str:
    answer = await shop.sandbox.http.post(
        "/cgi-bin/media/upload", params={"access_token": shop.token, "type": "image"}, files={"media": ("a.png", PNG)}
    )
    return str(answer.json()["media_id"])


async def test_five_messages_answer_each_message_of_the_customer(shop: Shop) -> None:
    assert (await shop.send())["errcode"] == 95031
    await shop.writes()
    codes = [(await shop.send(f"第{number}条"))["errcode"] for number in range(6)]
    assert codes == [0, 0, 0, 0, 0, 95001]
    await shop.writes("还在吗")
    assert (await shop.send())["errcode"] == 0
    assert [one["sender"] for one in await shop.chat()] == ["customer", *["account"] * 5, "customer", "account"]


async def test_after_48_hours_nothing_can_be_sent(shop: Shop, sandbox: Sandbox) -> None:
    await shop.writes()
    await sandbox.advance(48 * HOUR - 5)
    assert (await shop.send())["errcode"] == 0
    await sandbox.advance(10)
    assert (await shop.send())["errcode"] == 95002
    assert await shop.state() == 4


async def test_sending_moves_a_new_session_to_the_assistant(shop: Shop) -> None:
    assert await shop.state() == 4
    await shop.writes()
    assert await shop.state() == 0
    await shop.send()
    assert await shop.state() == 1


@pytest.mark.parametrize(("state", "code"), [(2, 95018), (3, 95018), (4, 95013)])
async def test_states_in_which_the_app_may_not_send(shop: Shop, state: int, code: int) -> None:
    await shop.serves()
    await shop.writes()
    assert (await shop.move(state, "lin"))["errcode"] == 0
    assert (await shop.send())["errcode"] == code


async def test_a_repeated_msgid_is_refused_even_when_nothing_more_may_be_sent(shop: Shop) -> None:
    await shop.writes()
    assert (await shop.send(msgid="m1"))["msgid"] == "m1"
    for _ in range(4):
        await shop.send()
    assert (await shop.send(msgid="m1"))["errcode"] == 95033
    assert (await shop.send(msgid="m2"))["errcode"] == 95001
    assert (await shop.send(msgid="with space"))["errcode"] == 40058
    assert (await shop.send(msgid="x" * 33))["errcode"] == 40058


async def test_texts_are_cut_at_2048_bytes_without_splitting_a_character(shop: Shop) -> None:
    await shop.writes()
    assert (await shop.send("长" * 1_000))["errcode"] == 0
    assert (await shop.chat())[-1]["text"] == "长" * 682


async def test_payloads_are_checked(shop: Shop) -> None:
    await shop.writes()

    async def code(msgtype: str, payload: Any) -> int:
        return int((await shop.send(msgtype=msgtype, **{msgtype: payload}))["errcode"])

    click = {"type": "click", "click": {"id": "1", "content": "尺码"}}
    assert await code("sticker", {}) == 40008
    assert await code("text", {"content": ""}) == 44004
    assert await code("image", {"media_id": "unknown"}) == 40007
    assert await code("msgmenu", {"head_content": "选", "list": [click] * 11}) == 95008
    assert await code("msgmenu", {"head_content": "选", "list": [{"type": "jump", "jump": {}}]}) == 95009
    assert await code("link", {"title": "题", "url": "https://example.com", "thumb_media_id": "unknown"}) == 40007
    assert await code("link", {"title": "题", "url": "example.com", "thumb_media_id": "x"}) == 40058
    program = {"appid": "wx0123456789abcdef", "thumb_media_id": await picture(shop)}
    assert await code("miniprogram", {**program, "pagepath": "pages/index?from=a.html"}) == 40058
    view = {"type": "view", "view": {"url": "javascript:alert(1)", "content": "看"}}
    assert await code("msgmenu", {"head_content": "选", "list": [view]}) == 40058
    assert await code("msgmenu", {"list": [{"type": "click", "click": {"content": "字" * 43}}]}) == 40058
    assert await code("location", {"latitude": 91, "longitude": 0}) == 40058
    assert await code("image", {"media_id": await picture(shop)}) == 0
    assert await code("msgmenu", {"head_content": "选", "list": [click] * 10}) == 0
    assert (await shop.chat())[-1]["menu"]["items"][0] == {
        "type": "click", "id": "1", "content": "尺码", "url": "", "appid": "", "pagepath": "", "no_newline": False,
    }  # fmt: skip


async def test_titles_and_descriptions_of_cards_are_cut_as_wechat_does(shop: Shop) -> None:
    await shop.writes()
    thumb = await picture(shop)
    link = {"title": "题" * 43, "desc": "述" * 171, "url": "https://example.com", "thumb_media_id": thumb}
    program = {"appid": "wx0123456789abcdef", "title": "题" * 22, "pagepath": "p.html?a=1", "thumb_media_id": thumb}
    assert (await shop.send(msgtype="link", link=link))["errcode"] == 0
    assert (await shop.send(msgtype="miniprogram", miniprogram=program))["errcode"] == 0
    shown = await shop.chat()
    assert (shown[-2]["link"]["title"], shown[-2]["link"]["desc"]) == ("题" * 42, "述" * 170)
    assert shown[-1]["miniprogram"]["title"] == "题" * 21


async def test_unknown_accounts_customers_and_foreign_accounts_are_refused(shop: Shop, sandbox: Sandbox) -> None:
    await shop.writes()
    assert (await shop.send(open_kfid="wkunknown"))["errcode"] == 95000
    assert (await shop.send(touser="wmunknown"))["errcode"] == 40096
    await sandbox.patch(f"kf-accounts/{shop.open_kfid}", {"managed_by": []})
    assert (await shop.send())["errcode"] == 48007
    listed = (await shop.call("kf/account/list"))["account_list"]
    assert [one["manage_privilege"] for one in listed] == [False]


async def test_a_customer_who_rejects_never_sees_the_message_and_the_app_learns_it(
    shop: Shop, sandbox: Sandbox
) -> None:
    await sandbox.faults(send_fail_delay_ms=20)
    await shop.writes()
    await sandbox.patch(f"customers/{shop.customer}", {"rejects": True})
    sent = await shop.send()
    assert sent["errcode"] == 0
    await asyncio.sleep(0.1)
    failed = await shop.events("msg_send_fail")
    assert [(one["fail_msgid"], one["fail_type"]) for one in failed] == [(sent["msgid"], 10)]
    assert [one["sender"] for one in await shop.chat()] == ["customer"]
    records = await sandbox.get("records", source="api")
    assert [(one["state"], one["fail_type"]) for one in records["items"]] == [("failed", 10)]


async def test_a_switched_on_failure_has_its_reason(shop: Shop, sandbox: Sandbox) -> None:
    await sandbox.faults(send_fail_probability=1.0, send_fail_type=13, send_fail_delay_ms=10)
    await shop.writes()
    await shop.send()
    await asyncio.sleep(0.1)
    assert [one["fail_type"] for one in await shop.events("msg_send_fail")] == [13]


# ---- codes


async def welcome_code(shop: Shop) -> str | None:
    return (await shop.events("enter_session"))[-1].get("welcome_code")


async def on_event(shop: Shop, code: str | None, msgtype: str = "text") -> int:
    payload = {"text": {"content": "欢迎"}, "msgmenu": {"head_content": "欢迎"}, "image": {"media_id": "x"}}[msgtype]
    answer = await shop.call("kf/send_msg_on_event", code=code, msgtype=msgtype, **{msgtype: payload})
    return int(answer["errcode"])


async def test_a_welcome_code_is_good_once_and_for_20_seconds(shop: Shop, sandbox: Sandbox) -> None:
    await shop.enters()
    code = await welcome_code(shop)
    assert await on_event(shop, code, "image") == 40008
    assert await on_event(shop, code) == 0
    assert await on_event(shop, code) == 40058
    assert [one["text"] for one in await shop.chat()] == ["欢迎"]
    await sandbox.advance(49 * HOUR)
    await shop.enters()
    late = await welcome_code(shop)
    await sandbox.advance(21)
    assert await on_event(shop, late, "msgmenu") == 40058


async def test_no_welcome_is_due_after_a_welcome_or_a_message_in_48_hours(shop: Shop, sandbox: Sandbox) -> None:
    await shop.enters()
    assert await on_event(shop, await welcome_code(shop)) == 0
    assert (await shop.enters())["welcome_expected"] is False
    await sandbox.advance(49 * HOUR)
    await shop.writes()
    await shop.enters()
    assert await welcome_code(shop) is None


async def test_the_first_move_to_the_pool_gives_a_code_that_holds_while_it_waits(shop: Shop) -> None:
    await shop.serves()
    await shop.writes()
    pool = (await shop.move(2))["msg_code"]
    assert await on_event(shop, pool, "msgmenu") == 40008
    assert "msg_code" not in await shop.move(3, "lin")
    assert await on_event(shop, pool) == 95018
    ended = (await shop.move(4))["msg_code"]
    assert await on_event(shop, ended, "msgmenu") == 0


async def test_the_closing_code_lives_20_seconds_and_only_while_the_session_is_ended(
    shop: Shop, sandbox: Sandbox
) -> None:
    await shop.writes()
    first = (await shop.move(4))["msg_code"]
    await shop.writes("再问一下")
    assert await on_event(shop, first) == 95018
    second = (await shop.move(4))["msg_code"]
    await sandbox.advance(21)
    assert await on_event(shop, second) == 40058
