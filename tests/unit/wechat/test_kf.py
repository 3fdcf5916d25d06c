from collections.abc import Awaitable, Callable

import httpx2
import pytest

from huitouke.wechat.errors import (
    DuplicateMsgid,
    KfSendRefused,
    SyncTokenInvalid,
    TransientError,
    TransitionRefused,
    UnexpectedAnswer,
)
from huitouke.wechat.kf import (
    ALLOWED_TRANSITIONS,
    KfClient,
    ServiceState,
    TransitionNotAllowed,
    check_transition,
    with_scene_param,
)
from huitouke.wechat.kf_content import MenuClick, MsgMenu, Text
from huitouke.wechat.kf_messages import TextMessage
from tests.unit.wechat.support import ScriptedWecom, answer

MSGID = "0192f0c1b2a37c4d8e9f00112233aabb"


@pytest.fixture
def wecom() -> ScriptedWecom:
    return ScriptedWecom()


@pytest.fixture
def kf(wecom: ScriptedWecom) -> KfClient:
    return KfClient(wecom.client())


async def test_all_pages_of_accounts_are_fetched(wecom: ScriptedWecom, kf: KfClient) -> None:
    accounts = [{"open_kfid": f"wk{number}", "name": "店", "manage_privilege": True} for number in range(230)]
    wecom.script(*(answer(account_list=accounts[start : start + 100]) for start in (0, 100, 200)))

    listed = await kf.list_accounts()

    assert [account.open_kfid for account in listed] == [account["open_kfid"] for account in accounts]
    assert [wecom.body(index) for index in range(3)] == [
        {"offset": 0, "limit": 100},
        {"offset": 100, "limit": 100},
        {"offset": 200, "limit": 100},
    ]


async def test_an_account_is_made_changed_and_deleted(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(answer(open_kfid="wk1"), answer(), answer())

    assert await kf.add_account("小店客服", "media") == "wk1"
    await kf.update_account("wk1", name="大店客服")
    await kf.delete_account("wk1")

    assert wecom.body(0) == {"name": "小店客服", "media_id": "media"}
    assert wecom.body(1) == {"open_kfid": "wk1", "name": "大店客服"}
    assert wecom.body(2) == {"open_kfid": "wk1"}


async def test_a_link_carries_scene_and_our_parameter(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(answer(url="https://work.weixin.qq.com/kf/kfcbf8f?enc_scene=ENCx"))

    url = await kf.add_contact_way("wk1", "poster_1")

    assert wecom.body() == {"open_kfid": "wk1", "scene": "poster_1"}
    assert with_scene_param(url, "a&b 店") == f"{url}&scene_param=a%26b%20%E5%BA%97"
    with pytest.raises(ValueError):
        with_scene_param(url, "店" * 15)
    with pytest.raises(ValueError):
        with_scene_param("https://work.weixin.qq.com/kf/kfcbf8f", "x")


async def test_servicers_are_added_with_one_result_each(wecom: ScriptedWecom, kf: KfClient) -> None:
    results = [
        {"userid": "a", "errcode": 0, "errmsg": "success"},
        {"userid": "b", "errcode": 0, "errmsg": "ignored"},
        {"department_id": 2, "errcode": 60030, "errmsg": "no right"},
    ]
    wecom.script(answer(result_list=results))

    added = await kf.add_servicers("wk1", ["a", "b"], [2])

    assert [(one.userid, one.department_id, one.errcode) for one in added] == [
        ("a", None, 0),
        ("b", None, 0),
        ("", 2, 60030),
    ]
    assert wecom.body() == {"open_kfid": "wk1", "userid_list": ["a", "b"], "department_id_list": [2]}


async def test_servicers_are_listed_and_taken_away(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(
        answer(servicer_list=[{"userid": "a", "status": 0}, {"department_id": 3}]),
        answer(result_list=[{"userid": "a", "errcode": 0, "errmsg": ""}]),
    )

    assert [(one.userid, one.department_id) for one in await kf.list_servicers("wk1")] == [("a", None), ("", 3)]
    assert wecom.requests[0].url.params["open_kfid"] == "wk1"
    assert (await kf.delete_servicers("wk1", ["a"]))[0].errcode == 0


async def test_the_state_of_a_session_is_read_and_changed(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(answer(service_state=3, servicer_userid="zhang"), answer(msg_code="MSGCODE"), answer())

    state = await kf.service_state("wk1", "wm1")

    assert (state.service_state, state.servicer_userid) == (ServiceState.SERVICER, "zhang")
    assert await kf.change_service_state("wk1", "wm1", ServiceState.SERVICER, "li") == "MSGCODE"
    assert wecom.body() == {
        "open_kfid": "wk1",
        "external_userid": "wm1",
        "service_state": 3,
        "servicer_userid": "li",
    }
    assert await kf.change_service_state("wk1", "wm1", ServiceState.ENDED) == ""
    with pytest.raises(ValueError):
        await kf.change_service_state("wk1", "wm1", ServiceState.SERVICER)


async def test_a_state_that_is_newer_than_this_code_is_an_unexpected_answer(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(answer(service_state=9))

    with pytest.raises(UnexpectedAnswer):
        await kf.service_state("wk1", "wm1")


async def test_a_refused_change_of_state_is_said_so(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(answer(95016, "not allowed"))

    with pytest.raises(TransitionRefused):
        await kf.change_service_state("wk1", "wm1", ServiceState.ASSISTANT)


@pytest.mark.parametrize(
    ("current", "allowed"),
    [(0, {1, 2, 3, 4}), (1, {2, 3, 4}), (2, {3, 4}), (3, {3, 4}), (4, set())],
)
def test_the_transitions_are_those_of_the_page(current: int, allowed: set[int]) -> None:
    for wanted in ServiceState:
        if wanted in allowed:
            check_transition(ServiceState(current), wanted)
        else:
            with pytest.raises(TransitionNotAllowed):
                check_transition(ServiceState(current), wanted)
    assert set(ALLOWED_TRANSITIONS) == set(ServiceState)


async def test_a_page_of_messages_comes_with_its_cursor(wecom: ScriptedWecom, kf: KfClient) -> None:
    message = {"msgid": "m1", "external_userid": "wm1", "origin": 3, "msgtype": "text", "text": {"content": "在吗"}}
    wecom.script(answer(next_cursor="c2", has_more=1, msg_list=[message]))

    page = await kf.sync_msg("wk1", cursor="c1", token="ENC")

    assert (page.next_cursor, page.has_more) == ("c2", True)
    assert isinstance(page.items[0].message, TextMessage)
    assert page.items[0].raw == message
    assert wecom.body() == {"open_kfid": "wk1", "limit": 1000, "voice_format": 0, "cursor": "c1", "token": "ENC"}


async def test_an_empty_page_may_have_more_and_a_missing_cursor_keeps_ours(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(answer(next_cursor="c2", has_more=1, msg_list=[]), answer(has_more=0))

    first = await kf.sync_msg("wk1", cursor="c1")
    second = await kf.sync_msg("wk1", cursor="c2")

    assert (first.items, first.has_more) == ((), True)
    assert (second.next_cursor, second.has_more) == ("c2", False)
    assert "token" not in wecom.body()


async def test_an_old_callback_token_is_said_so(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(answer(95007, "invalid msg token"))

    with pytest.raises(SyncTokenInvalid):
        await kf.sync_msg("wk1", token="old")


async def test_a_message_is_sent_with_our_msgid(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(answer(msgid=MSGID))

    assert await kf.send_msg("wk1", "wm1", Text(content="好的"), msgid=MSGID) == MSGID
    assert wecom.body() == {
        "touser": "wm1",
        "open_kfid": "wk1",
        "msgid": MSGID,
        "msgtype": "text",
        "text": {"content": "好的"},
    }


async def test_a_send_that_timed_out_is_repeated_with_the_same_msgid_and_a_duplicate_means_accepted(
    wecom: ScriptedWecom, kf: KfClient
) -> None:
    wecom.script(httpx2.ReadTimeout("slow"), answer(95033, "duplicate msgid"))

    assert await kf.send_msg("wk1", "wm1", Text(content="好的"), msgid=MSGID) == MSGID
    assert wecom.body(0) == wecom.body(1)


async def test_a_duplicate_on_the_first_try_is_told_to_the_caller(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(answer(95033, "duplicate msgid"))

    with pytest.raises(DuplicateMsgid):
        await kf.send_msg("wk1", "wm1", Text(content="好的"), msgid=MSGID)


async def test_a_send_without_msgid_is_never_repeated_after_a_time_out(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(httpx2.ReadTimeout("slow"))

    with pytest.raises(TransientError):
        await kf.send_msg("wk1", "wm1", Text(content="好的"))
    assert len(wecom.requests) == 1


@pytest.mark.parametrize("errcode", [95001, 95002, 95013, 95018, 95031])
async def test_a_send_that_can_not_work_is_refused_for_good(wecom: ScriptedWecom, kf: KfClient, errcode: int) -> None:
    wecom.script(answer(errcode, "limit"))

    with pytest.raises(KfSendRefused) as caught:
        await kf.send_msg("wk1", "wm1", Text(content="好的"), msgid=MSGID)

    assert caught.value.errcode == errcode
    assert len(wecom.requests) == 1


async def test_a_code_is_answered_once(wecom: ScriptedWecom, kf: KfClient) -> None:
    wecom.script(answer(msgid="m9"))

    menu = MsgMenu(head_content="你好", entries=(MenuClick(id="1", content="查订单"),))

    assert await kf.send_msg_on_event("CODE", menu) == "m9"
    assert wecom.body() == {
        "code": "CODE",
        "msgtype": "msgmenu",
        "msgmenu": {"head_content": "你好", "list": [{"type": "click", "click": {"id": "1", "content": "查订单"}}]},
    }


async def test_customers_come_with_their_link_and_the_inactive_are_named(wecom: ScriptedWecom, kf: KfClient) -> None:
    customer = {
        "external_userid": "wm1",
        "nickname": "小王",
        "avatar": "https://a",
        "gender": 2,
        "enter_session_context": {"scene": "poster", "scene_param": "p", "wechat_channels": {}},
    }
    wecom.script(answer(customer_list=[customer], invalid_external_userid=["wm2"]))

    batch = await kf.customers(["wm1", "wm2"], with_enter_session=True)

    assert batch.customers[0].nickname == "小王"
    assert batch.customers[0].enter_session_context is not None
    assert batch.customers[0].enter_session_context.scene == "poster"
    assert batch.invalid == ("wm2",)
    assert wecom.body() == {"external_userid_list": ["wm1", "wm2"], "need_enter_session_context": 1}


@pytest.mark.parametrize(
    "call",
    [
        lambda kf: kf.add_account("", "m"),
        lambda kf: kf.add_account("十七个字的名字一二三四五六七八九十", "m"),
        lambda kf: kf.add_contact_way("wk", "not allowed"),
        lambda kf: kf.add_contact_way("wk", "x" * 33),
        lambda kf: kf.add_servicers("wk", []),
        lambda kf: kf.add_servicers("wk", ["u"] * 101),
        lambda kf: kf.sync_msg("wk", limit=1001),
        lambda kf: kf.send_msg("wk", "wm", Text(content="x"), msgid="has space"),
        lambda kf: kf.send_msg("wk", "wm", Text(content="x"), msgid="x" * 33),
        lambda kf: kf.customers([]),
        lambda kf: kf.customers(["wm"] * 101),
    ],
)
async def test_beyond_a_limit_of_the_page_nothing_is_called(
    wecom: ScriptedWecom, kf: KfClient, call: Callable[[KfClient], Awaitable[object]]
) -> None:
    with pytest.raises(ValueError):
        await call(kf)
    assert not wecom.requests
