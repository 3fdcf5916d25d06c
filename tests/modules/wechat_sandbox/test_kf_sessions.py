"""Session states by API and by hand, servicers, accounts, links."""

import pytest

from tests.modules.wechat_sandbox.shop import Sandbox, Shop
from tests.modules.wechat_sandbox.test_kf_sending import picture

ALLOWED = {(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)}


async def bring_to(shop: Shop, state: int) -> None:
    await shop.serves()
    await shop.writes()
    if state:
        assert (await shop.move(state, "lin"))["errcode"] == 0


@pytest.mark.parametrize("start", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("target", [0, 1, 2, 3, 4])
async def test_only_the_published_transitions_are_allowed(shop: Shop, start: int, target: int) -> None:
    await bring_to(shop, start)
    code = (await shop.move(target, "lin"))["errcode"]
    expected = 0 if (start, target) in ALLOWED else 95013 if start == 4 else 95016
    assert (code, await shop.state()) == (expected, target if expected == 0 else start)


async def test_a_session_with_an_employee_can_go_to_another_who_receives(shop: Shop, sandbox: Sandbox) -> None:
    await bring_to(shop, 3)
    assert (await shop.move(3, "wang"))["errcode"] == 95014
    await shop.serves("wang")
    await sandbox.put("employees/wang/status", {"receiving": False}, corp_id=shop.corp_id)
    assert (await shop.move(3, "wang"))["errcode"] == 95019
    await sandbox.put("employees/wang/status", {"receiving": True}, corp_id=shop.corp_id)
    assert (await shop.move(3, "wang"))["errcode"] == 0
    changes = [(one["servicer_userid"], one["status"]) for one in await shop.events("servicer_status_change")]
    assert changes == [("wang", 2), ("wang", 1)]
    assert await shop.events("session_status_change") == [], "no event for what the API did"


async def test_a_message_of_the_customer_opens_an_ended_session(shop: Shop) -> None:
    await bring_to(shop, 4)
    await shop.writes("又来了")
    assert await shop.state() == 0


async def test_an_employee_takes_replies_hands_on_and_ends(shop: Shop, sandbox: Sandbox) -> None:
    await shop.serves()
    await shop.serves("wang")
    await shop.writes()
    await shop.move(2)
    waiting = await sandbox.get("employees/lin/sessions", state=2, corp_id=shop.corp_id)
    assert [(one["external_userid"], one["unread"]) for one in waiting] == [(shop.customer, 1)]
    await sandbox.post(shop.desk("accept"))
    reply = {"msgtype": "text", "text": {"content": "我来处理"}}
    assert await sandbox.refused(sandbox.post(shop.desk("messages", "wang"), reply)) == 409
    await sandbox.post(shop.desk("messages"), reply)
    await sandbox.post(shop.desk("transfer"), {"userid": "wang"})
    await sandbox.post(shop.desk("end", "wang"))

    pulled = await shop.pull()
    assert [one["origin"] for one in pulled] == [3, 4, 5, 4, 4]
    by_hand = pulled[2]
    assert (by_hand["servicer_userid"], by_hand["text"]) == ("lin", {"content": "我来处理"})
    changes = await shop.events("session_status_change")
    assert [one["change_type"] for one in changes] == [1, 2, 3]
    assert (changes[1]["old_servicer_userid"], changes[1]["new_servicer_userid"]) == ("lin", "wang")
    assert "msg_code" in changes[2]
    assert [one["sender_name"] for one in await shop.chat()] == ["小店的顾客", "林"]


async def test_a_reply_by_hand_on_an_ended_session_opens_it_again(shop: Shop, sandbox: Sandbox) -> None:
    await bring_to(shop, 3)
    await sandbox.post(shop.desk("messages"), {"msgtype": "text", "text": {"content": "一"}})
    await sandbox.post(shop.desk("end"))
    ended = await sandbox.get("employees/lin/sessions", state=4, corp_id=shop.corp_id)
    assert len(ended) == 1
    await sandbox.post(shop.desk("messages"), {"msgtype": "text", "text": {"content": "二"}})
    assert await shop.state() == 3
    assert [one["change_type"] for one in await shop.events("session_status_change")] == [3, 4]


# ---- accounts, servicers, links


async def test_an_account_is_made_listed_changed_and_deleted(shop: Shop) -> None:
    media_id = await picture(shop)
    made = await shop.call("kf/account/add", name="售后", media_id=media_id)
    assert made["open_kfid"].startswith("wk")
    assert (await shop.call("kf/account/add", name="名" * 17, media_id=media_id))["errcode"] == 95006
    assert (await shop.call("kf/account/add", name="售前", media_id="unknown"))["errcode"] == 40007
    await shop.call("kf/account/update", open_kfid=made["open_kfid"], name="售后服务")
    pages = [(await shop.call("kf/account/list", offset=offset, limit=1))["account_list"] for offset in range(3)]
    assert [[one["name"] for one in page] for page in pages] == [["小店客服"], ["售后服务"], []]
    assert (await shop.call("kf/account/list", limit=101))["errcode"] == 40058
    assert (await shop.call("kf/account/del", open_kfid=made["open_kfid"]))["errcode"] == 0
    assert (await shop.call("kf/account/del", open_kfid=made["open_kfid"]))["errcode"] == 95000


async def test_servicers_have_a_result_each(shop: Shop) -> None:
    added = await shop.call("kf/servicer/add", open_kfid=shop.open_kfid, userid_list=["lin", "stranger"])
    assert [(one["userid"], one["errcode"]) for one in added["result_list"]] == [("lin", 0), ("stranger", 60030)]
    listed = await shop.fetch("kf/servicer/list", open_kfid=shop.open_kfid)
    assert listed["servicer_list"] == [{"userid": "lin", "status": 0}]
    removed = await shop.call("kf/servicer/del", open_kfid=shop.open_kfid, userid_list=["lin", "wang"])
    assert [one["errcode"] for one in removed["result_list"]] == [0, 95014]


async def test_a_link_brings_its_scene_and_parameter_into_the_event(shop: Shop, sandbox: Sandbox) -> None:
    url = (await shop.call("kf/add_contact_way", open_kfid=shop.open_kfid, scene="poster-1"))["url"]
    again = (await shop.call("kf/add_contact_way", open_kfid=shop.open_kfid, scene="poster-1"))["url"]
    assert url == again
    entered = await shop.enters(url=f"{url}&scene_param=%E4%B8%80%E6%A5%BC")
    assert (entered["open_kfid"], entered["scene"], entered["scene_param"]) == (shop.open_kfid, "poster-1", "一楼")
    event = (await shop.events("enter_session"))[-1]
    assert (event["scene"], event["scene_param"]) == ("poster-1", "一楼")
    assert (await shop.call("kf/add_contact_way", open_kfid=shop.open_kfid, scene="空 格"))["errcode"] == 40058
    assert await sandbox.refused(shop.enters(url="https://work.weixin.qq.com/kf/kfcunknown")) == 404
    opened = await sandbox.http.get(url)
    assert opened.status_code == 302
    assert "link=" in opened.headers["location"]


async def test_customers_are_told_about_while_active_within_48_hours(shop: Shop, sandbox: Sandbox) -> None:
    await shop.enters(open_kfid=shop.open_kfid, scene="s1")
    wanted = {"external_userid_list": [shop.customer, "wmunknown"], "need_enter_session_context": 1}
    answer = await shop.call("kf/customer/batchget", **wanted)
    assert answer["invalid_external_userid"] == [shop.customer, "wmunknown"]
    await shop.writes()
    answer = await shop.call("kf/customer/batchget", **wanted)
    assert answer["customer_list"][0]["nickname"] == "小店的顾客"
    assert answer["customer_list"][0]["enter_session_context"]["scene"] == "s1"
    await sandbox.advance(49 * 3_600)
    await shop.refresh_token()
    assert (await shop.call("kf/customer/batchget", **wanted))["customer_list"] == []
    assert (await shop.call("kf/customer/batchget", external_userid_list=["x"] * 101))["errcode"] == 40058
