from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.wechat.kf_messages import (
    BusinessCardMessage,
    ChannelsMessage,
    ContentlessMessage,
    EnterSessionEvent,
    EventMessage,
    FileMessage,
    ImageMessage,
    KfItem,
    LinkMessage,
    LocationMessage,
    MergedMessage,
    MiniprogramMessage,
    MsgMenuMessage,
    MsgSendFailEvent,
    Origin,
    RejectSwitchEvent,
    SendFailType,
    ServicerRecallEvent,
    ServicerStatusEvent,
    SessionChange,
    SessionStatusEvent,
    ShopOrderMessage,
    ShopProductMessage,
    TextMessage,
    UnknownMessage,
    UserRecallEvent,
    VideoMessage,
    VoiceMessage,
    parse_items,
)


def item(msgtype: str, **payload: Any) -> dict[str, Any]:
    """A customer's message as the page of sync_msg shows it."""
    return {
        "msgid": "from_msgid_4622416642169452483",
        "open_kfid": "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q",
        "external_userid": "wmAJ2GCAAAme1XQRC-NI-q0_ZM9ukoAw",
        "send_time": 1615478585,
        "origin": 3,
        "msgtype": msgtype,
        **payload,
    }


def event(event_type: str, **fields: Any) -> dict[str, Any]:
    """A system event: the ids stand inside `event`."""
    return {
        "msgid": "e1",
        "send_time": 1615478585,
        "origin": 4,
        "msgtype": "event",
        "event": {"event_type": event_type, "open_kfid": "wk1", "external_userid": "wm1", **fields},
    }


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (item("text", text={"content": "有大一点的吗", "menu_id": "101"}), TextMessage),
        (item("image", image={"media_id": "m"}), ImageMessage),
        (item("voice", voice={"media_id": "m"}), VoiceMessage),
        (item("video", video={"media_id": "m"}), VideoMessage),
        (item("file", file={"media_id": "m"}), FileMessage),
        (item("location", location={"latitude": 23.1, "longitude": 113.3, "name": ""}), LocationMessage),
        (item("link", link={"title": "t", "desc": "d", "url": "u", "pic_url": "p"}), LinkMessage),
        (item("business_card", business_card={"userid": "u"}), BusinessCardMessage),
        (item("miniprogram", miniprogram={"title": "t", "appid": "a", "pagepath": "p", "thumb_media_id": "m"}),
         MiniprogramMessage),
        (item("msgmenu", msgmenu={"head_content": "h", "list": [{"type": "click", "click": {"id": "1"}}]}),
         MsgMenuMessage),
        (item("channels_shop_product", channels_shop_product={"product_id": 1, "sales_price": "100"}),
         ShopProductMessage),
        (item("channels_shop_order", channels_shop_order={"order_id": "1", "state": "待付款"}), ShopOrderMessage),
        (item("merged_msg", merged_msg={"title": "t", "item": [{"send_time": 1, "msgtype": "text",
              "sender_name": "n", "msg_content": "{}"}]}), MergedMessage),
        (item("channels", channels={"sub_type": 1, "nickname": "n", "title": "t"}), ChannelsMessage),
        (item("meeting"), ContentlessMessage),
        (item("calendar"), ContentlessMessage),
        (item("note"), ContentlessMessage),
    ],
)  # fmt: skip
def test_every_kind_of_message_has_its_model(raw: dict[str, Any], expected: type[KfItem]) -> None:
    (parsed,) = parse_items([raw])

    assert type(parsed.message) is expected
    assert parsed.message.origin == Origin.CUSTOMER
    assert parsed.message.external_userid == raw["external_userid"]
    assert parsed.message.send_time == 1615478585
    assert parsed.raw is raw


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (event("enter_session", scene="123", welcome_code="code", wechat_channels={"nickname": "n", "scene": 1}),
         EnterSessionEvent),
        (event("msg_send_fail", fail_msgid="m", fail_type=10), MsgSendFailEvent),
        (event("servicer_status_change", servicer_userid="u", status=2, stop_type=1), ServicerStatusEvent),
        (event("session_status_change", change_type=3, old_servicer_userid="u", msg_code="c"), SessionStatusEvent),
        (event("user_recall_msg", recall_msgid="m"), UserRecallEvent),
        (event("servicer_recall_msg", recall_msgid="m", servicer_userid="u"), ServicerRecallEvent),
        (event("reject_customer_msg_switch_change", servicer_userid="u", reject_switch=1), RejectSwitchEvent),
    ],
)  # fmt: skip
def test_every_event_has_its_model_and_its_ids_are_found(raw: dict[str, Any], expected: type[Any]) -> None:
    (parsed,) = parse_items([raw])

    assert isinstance(parsed.message, EventMessage)
    assert type(parsed.message.event) is expected
    assert (parsed.message.open_kfid, parsed.message.external_userid) == ("wk1", "wm1")


def test_why_a_message_did_not_arrive_has_a_name() -> None:
    (parsed,) = parse_items([event("msg_send_fail", fail_msgid="m", fail_type=6)])

    assert isinstance(parsed.message, EventMessage)
    assert isinstance(parsed.message.event, MsgSendFailEvent)
    assert SendFailType(parsed.message.event.fail_type) is SendFailType.MORE_THAN_FIVE
    assert SessionChange(3) is SessionChange.END


def test_one_new_or_broken_item_does_not_lose_the_page() -> None:
    page = [
        item("text", text={"content": "1"}),
        item("hologram", hologram={"depth": 3}),
        event("moon_phase", phase="full"),
        item("text", text="not an object"),
        "not an item",
        {},
        item("text", text={"content": "2"}),
    ]

    parsed = parse_items(page)

    assert [type(one.message) for one in parsed] == [
        TextMessage,
        *[UnknownMessage] * 5,
        TextMessage,
    ]
    hologram, moon, broken = (one.message for one in parsed[1:4])
    assert isinstance(hologram, UnknownMessage)
    assert (hologram.msgtype, hologram.external_userid) == ("hologram", page[1]["external_userid"])  # type: ignore[index]  # a dict
    assert isinstance(moon, UnknownMessage)
    assert (moon.event_type, moon.open_kfid) == ("moon_phase", "wk1")
    assert isinstance(broken, UnknownMessage)
    assert "text" in broken.problem
    assert parsed[1].raw["hologram"] == {"depth": 3}


def test_a_problem_names_fields_and_never_what_the_customer_wrote() -> None:
    (parsed,) = parse_items([item("text", text={"content": ["my phone is 13800000000"]})])

    assert isinstance(parsed.message, UnknownMessage)
    assert "13800000000" not in parsed.message.problem


def test_null_counts_as_absent() -> None:
    raw = item("text", text={"content": "x", "menu_id": None}, servicer_userid=None)

    assert isinstance(parse_items([raw])[0].message, TextMessage)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["msgid", "open_kfid", "msgtype", "event", "event_type", "send_time", "origin", "text", "image"])
kinds = st.sampled_from(["text", "image", "event", "enter_session", "merged_msg", "new"])


@given(page=st.lists(st.dictionaries(keys, json_values | kinds, max_size=7) | json_values, max_size=5))
def test_whatever_comes_each_item_stays_in_its_place(page: list[Any]) -> None:
    parsed = parse_items(page)

    assert len(parsed) == len(page)
    for one, raw in zip(parsed, page, strict=True):
        assert one.raw == raw or one.raw == {"value": raw}
