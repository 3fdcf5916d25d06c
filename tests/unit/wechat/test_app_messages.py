import httpx2
import pytest
from pydantic import ValidationError

from huitouke.wechat.agent import AgentClient
from huitouke.wechat.app_messages import (
    AppMessageClient,
    ButtonInteractionCard,
    CardAction,
    CardButton,
    CardLine,
    CardTitle,
    DuplicateCheck,
    Receivers,
    TextCard,
    TextNoticeCard,
)
from huitouke.wechat.errors import NotPermitted, TransientError, WecomError
from tests.unit.wechat.support import ScriptedWecom, answer


@pytest.fixture
def wecom() -> ScriptedWecom:
    return ScriptedWecom()


@pytest.fixture
def messages(wecom: ScriptedWecom) -> AppMessageClient:
    return AppMessageClient(wecom.client(), agent_id=1000002)


async def test_a_text_reaches_the_named_people(wecom: ScriptedWecom, messages: AppMessageClient) -> None:
    wecom.script(answer(msgid="m1", invaliduser="li|zhao"))

    sent = await messages.send_text(Receivers(userids=["Zhang", "Li", "Zhao"], party_ids=[2]), "有客户在等")

    assert (sent.msgid, sent.invalid_userids) == ("m1", ("li", "zhao"))
    assert wecom.body() == {
        "touser": "Zhang|Li|Zhao",
        "toparty": "2",
        "msgtype": "text",
        "agentid": 1000002,
        "text": {"content": "有客户在等"},
    }


async def test_a_card_with_buttons_gives_the_code_that_updates_it_once(
    wecom: ScriptedWecom, messages: AppMessageClient
) -> None:
    wecom.script(answer(msgid="m1", response_code="RC"), answer(), answer())
    receivers = Receivers(userids=["zhang"])
    card = ButtonInteractionCard(
        task_id="conversation-1",
        main_title=CardTitle(title="客户在等您回复", desc="小王"),
        horizontal_content_list=(CardLine(keyname="原因", value="要求人工"),),
        card_action=CardAction(url="https://console.test/inbox/1"),
        button_list=(CardButton(text="我来接待", key="take"),),
    )

    sent = await messages.send_template_card(receivers, card)
    await messages.disable_buttons(receivers, sent.response_code, "已接待")
    await messages.replace_card(
        receivers,
        "RC2",
        TextNoticeCard(main_title=CardTitle(title="已由小李接待"), card_action=CardAction(url="https://console.test")),
    )

    assert wecom.body(0)["template_card"] == {
        "card_type": "button_interaction",
        "task_id": "conversation-1",
        "main_title": {"title": "客户在等您回复", "desc": "小王"},
        "horizontal_content_list": [{"keyname": "原因", "value": "要求人工", "type": 0}],
        "card_action": {"type": 1, "url": "https://console.test/inbox/1"},
        "button_list": [{"text": "我来接待", "style": 1, "type": 0, "key": "take"}],
    }
    assert wecom.body(1) == {
        "userids": ["zhang"],
        "agentid": 1000002,
        "response_code": "RC",
        "button": {"replace_name": "已接待"},
    }
    assert wecom.body(2)["template_card"] == {
        "card_type": "text_notice",
        "main_title": {"title": "已由小李接待"},
        "card_action": {"type": 1, "url": "https://console.test"},
    }


async def test_a_textcard_and_a_recall(wecom: ScriptedWecom, messages: AppMessageClient) -> None:
    wecom.script(answer(msgid="m1"), answer())

    await messages.send_textcard(Receivers(everybody=True), TextCard(title="t", description="d", url="https://x.test"))
    await messages.recall("m1")

    assert wecom.body(0)["touser"] == "@all"
    assert wecom.body(0)["textcard"] == {"title": "t", "description": "d", "url": "https://x.test"}
    assert wecom.body(1) == {"msgid": "m1"}


async def test_after_a_time_out_only_a_message_with_duplicate_check_is_repeated(
    wecom: ScriptedWecom, messages: AppMessageClient
) -> None:
    wecom.script(httpx2.ReadTimeout("slow"))
    with pytest.raises(TransientError) as caught:
        await messages.send_text(Receivers(userids=["a"]), "x")
    assert caught.value.may_have_happened

    wecom.script(httpx2.ReadTimeout("slow"), answer(msgid="m"))
    await messages.send_text(Receivers(userids=["a"]), "x", duplicate_check=DuplicateCheck(600))
    assert wecom.body()["enable_duplicate_check"] == 1
    assert wecom.body()["duplicate_check_interval"] == 600


async def test_when_nobody_can_be_reached_it_is_an_error(wecom: ScriptedWecom, messages: AppMessageClient) -> None:
    wecom.script(answer(81013, "user & party & tag all invalid"))

    with pytest.raises(WecomError) as caught:
        await messages.send_text(Receivers(userids=["nobody"]), "x")

    assert "可见范围" in caught.value.explain("zh-CN")


async def test_limits_are_kept_before_the_call(wecom: ScriptedWecom, messages: AppMessageClient) -> None:
    with pytest.raises(ValueError):
        Receivers()
    with pytest.raises(ValueError):
        Receivers(userids=["u"] * 1001)
    with pytest.raises(ValueError):
        DuplicateCheck(4 * 3600 + 1)
    with pytest.raises(ValueError):
        await messages.send_text(Receivers(userids=["u"]), "汉" * 683)
    with pytest.raises(ValidationError):
        ButtonInteractionCard(task_id="has space", main_title=CardTitle(title="t"), button_list=(CardButton(text="b"),))
    with pytest.raises(ValidationError):
        ButtonInteractionCard(task_id="t", main_title=CardTitle(title="t"), button_list=())
    assert not wecom.requests


async def test_an_app_tells_its_name_and_who_sees_it(wecom: ScriptedWecom) -> None:
    users = {"user": [{"userid": "zhangsan"}, {"userid": "lisi"}]}
    wecom.script(
        answer(agentid=1000005, name="HR助手", allow_userinfos=users, allow_partys={"partyid": [1]}, close=0),
        answer(301002, "not allow operate another agent"),
    )
    agents = AgentClient(wecom.client())

    agent = await agents.get(1000005)

    assert (agent.name, agent.visible_userids, agent.allow_partys.partyid) == ("HR助手", ("zhangsan", "lisi"), (1,))
    with pytest.raises(NotPermitted):
        await agents.get(1)


async def test_the_addresses_of_callbacks_are_listed(wecom: ScriptedWecom) -> None:
    wecom.script(answer(ip_list=["101.226.103.*", "140.207.54.*"]))

    assert await AgentClient(wecom.client()).callback_ips() == ("101.226.103.*", "140.207.54.*")
