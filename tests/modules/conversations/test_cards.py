"""Links, mini programs, menus and places: on the phone as they were made, refused in time where WeChat would not.

Limits: path/94677.
"""

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from pydantic import TypeAdapter

from huitouke.kernel import clock
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound, Problem
from huitouke.kernel.files import service as files
from huitouke.modules.conversations import queries
from huitouke.modules.conversations import service as conversations
from huitouke.modules.conversations.models import ChannelMedia, Message
from huitouke.modules.conversations.schemas import Card
from huitouke.modules.conversations.service import problems
from huitouke.modules.conversations.service.cards import card_body
from tests.modules.conversations.desk import Desk
from tests.modules.conversations.pages import page

APPID = "wx0123456789abcdef"
NOBODYS_FILE = UUID(int=1)
card_of: TypeAdapter[Card] = TypeAdapter(Card)

LINK: dict[str, Any] = {
    "msgtype": "link",
    "title": "秋季新款",
    "desc": "四色可选",
    "url": "https://shop.example/goods/1001",
}
PROGRAM: dict[str, Any] = {
    "msgtype": "miniprogram",
    "title": "商城",
    "appid": APPID,
    "pagepath": "pages/goods/index?id=1001",
}
PLACE: dict[str, Any] = {
    "msgtype": "location",
    "name": "湖滨银泰",
    "address": "东坡路 7 号",
    "latitude": 30.25,
    "longitude": 120.16,
}
SIZES: dict[str, Any] = {"type": "click", "content": "尺码表"}
MENU: dict[str, Any] = {
    "msgtype": "msgmenu",
    "head_content": "想了解什么？",
    "entries": [
        SIZES,
        {"type": "text", "content": "或", "no_newline": True},
        {"type": "view", "content": "看新款", "url": "https://shop.example/new"},
        {"type": "miniprogram", "content": "进商城", "appid": APPID, "pagepath": "/pages/index.html"},
    ],
    "tail_content": "点一下就行",
}


@pytest.fixture
async def served(desk: Desk) -> Desk:
    """The customer has written, 小雨 has taken the conversation."""
    await desk.customer_writes("在吗")
    await desk.takes(desk.xiaoyu)
    return desk


async def picture(desk: Desk, purpose: str = "message_image") -> UUID:
    drawn = io.BytesIO()
    Image.new("RGB", (65, 52), "teal").save(drawn, "JPEG")
    return await files.store_bytes(desk.context, purpose, "封面.jpg", drawn.getvalue(), "image/jpeg")


async def sends(desk: Desk, card: dict[str, Any], **more: Any) -> Message:
    row = await desk.conversation()
    async with transaction(desk.xiaoyu.context) as ctx:
        request = conversations.SendRequest(purpose="service", card=card_of.validate_python(card), **more)
        return await conversations.send_message(ctx, row.id, request)


async def last_on_the_phone(desk: Desk) -> dict[str, Any]:
    await desk.work()
    assert (await desk.messages())[-1].state == "sent"
    return (await desk.phone())[-1]


async def test_a_link_arrives_with_its_picture_and_counts_as_one_message(served: Desk) -> None:
    picture_id = await picture(served)
    message = await sends(served, {**LINK, "picture_id": picture_id})
    shown = await last_on_the_phone(served)

    assert (shown["link"]["title"], shown["link"]["desc"], shown["link"]["url"]) == (
        "秋季新款", "四色可选", "https://shop.example/goods/1001",
    )  # fmt: skip
    assert shown["link"]["pic_url"].startswith("/sandbox/media/")
    row = await served.conversation()
    assert (row.window_left, row.last_msgtype, row.last_preview) == (4, "link", "秋季新款")
    async with transaction(served.xiaoyu.context) as ctx:
        out = await queries.message_out(ctx, message)
    assert out.file is not None
    assert (out.file.id, out.content) == (picture_id, {name: LINK[name] for name in ("title", "desc", "url")})


async def test_a_mini_program_opens_its_page_although_html_was_left_out(served: Desk) -> None:
    await sends(served, {**PROGRAM, "picture_id": await picture(served)})
    shown = (await last_on_the_phone(served))["miniprogram"]

    assert (shown["appid"], shown["title"], shown["pagepath"]) == (APPID, "商城", "pages/goods/index.html?id=1001")
    assert shown["thumb_url"].startswith("/sandbox/media/")


async def test_a_place_arrives(served: Desk) -> None:
    await sends(served, PLACE)

    assert (await last_on_the_phone(served))["location"] == {name: PLACE[name] for name in PLACE if name != "msgtype"}


async def test_a_menu_arrives_and_what_is_tapped_comes_back_as_the_words_chosen(served: Desk) -> None:
    message = await sends(served, MENU)
    shown = (await last_on_the_phone(served))["menu"]
    assert (shown["head_content"], shown["tail_content"]) == ("想了解什么？", "点一下就行")
    assert [(item["type"], item["content"], item["no_newline"]) for item in shown["items"]] == [
        ("click", "尺码表", False), ("text", "或", True), ("view", "看新款", False), ("miniprogram", "进商城", False),
    ]  # fmt: skip
    assert shown["items"][3]["pagepath"] == "pages/index.html"

    choice = shown["items"][0]
    await served.shop.writes(choice["content"], menu_id=choice["id"])

    async def chosen() -> Message | None:
        last = (await served.messages())[-1]
        return last if last.direction == "in" and last.text == "尺码表" else None

    arrived = await served.eventually(chosen)
    assert arrived is not None
    assert arrived.content == {"menu_id": f"{message.id.hex}.0"}, "the menu and the entry are known by it"
    async with transaction(served.context) as ctx:
        views = await conversations.assistant_views(ctx, [message.conversation_id])
    view = views[message.conversation_id]
    assert (view.last_messages[-1].msgtype, view.last_messages[-1].text) == ("text", "尺码表")


async def test_the_same_key_sends_a_card_once_also_after_a_lost_answer(served: Desk) -> None:
    await served.shop.sandbox.faults(api_answer_lost_probability=1.0, api_paths=["kf/send_msg"])
    first = await sends(served, MENU, client_id="key-12345678")
    again = await sends(served, MENU, client_id="key-12345678")
    await served.work()
    await served.shop.sandbox.faults()
    async with served.later(5):
        await served.work()

    assert first.id == again.id
    assert [one["msgtype"] for one in await served.phone()] == ["text", "msgmenu"]


async def test_a_picture_that_wecom_no_longer_has_is_uploaded_again(served: Desk) -> None:
    picture_id = await picture(served)
    async with transaction(served.context) as ctx:
        later = clock.now() + timedelta(days=1)
        ctx.session.add(
            ChannelMedia(channel_account_id=served.account.id, file_id=picture_id, media_id="gone", expires_at=later)
        )
    await sends(served, {**LINK, "picture_id": picture_id})

    assert (await last_on_the_phone(served))["link"]["pic_url"].startswith("/sandbox/media/")


def of_bytes(size: int) -> str:
    """That many bytes, Chinese as far as they go."""
    return "字" * (size // 3) + "a" * (size % 3)


def menu_of(count: int, entry: dict[str, Any] = SIZES, **more: Any) -> dict[str, Any]:
    return {"msgtype": "msgmenu", "entries": [entry] * count, **more}


AT_THE_LIMIT: list[dict[str, Any]] = [
    {**LINK, "title": of_bytes(128), "desc": of_bytes(512), "url": "https://a.cn/" + "b" * 2035},
    {**PROGRAM, "title": of_bytes(64), "pagepath": "p" * 1019},
    {**PLACE, "name": of_bytes(512), "address": of_bytes(512)},
    menu_of(10, {"type": "click", "content": of_bytes(128)}, head_content=of_bytes(1024), tail_content=of_bytes(1024)),
    menu_of(1, {"type": "view", "content": of_bytes(1024), "url": "https://a.cn/" + "b" * 2035}),
    {"msgtype": "msgmenu", "entries": [SIZES] * 10 + [{"type": "text", "content": of_bytes(256)}] * 40},
]


async def test_at_its_limits_a_card_is_taken_by_wecom_whole(served: Desk) -> None:
    for card in AT_THE_LIMIT:
        with_picture = {"picture_id": await picture(served)} if card["msgtype"] in ("link", "miniprogram") else {}
        await sends(served, {**card, **with_picture})
        shown = await last_on_the_phone(served)
        if card["msgtype"] == "link":
            assert (shown["link"]["title"], shown["link"]["desc"]) == (card["title"], card["desc"])
        if card["msgtype"] == "miniprogram":
            assert shown["miniprogram"]["title"] == card["title"]
        if card["msgtype"] == "msgmenu":
            assert len(shown["menu"]["items"]) == len(card["entries"])
        if (await served.conversation()).window_left == 0:
            await served.customer_writes("还有吗")


REFUSED: list[tuple[dict[str, Any], type[Problem], str]] = [
    ({**LINK, "title": of_bytes(129)}, problems.CardTextTooLong, "card.title"),
    ({**LINK, "title": " \n"}, problems.CardTextMissing, "card.title"),
    ({**LINK, "desc": of_bytes(513)}, problems.CardTextTooLong, "card.desc"),
    ({**LINK, "url": "https://a.cn/" + "字" * 679}, problems.CardTextTooLong, "card.url"),
    ({**LINK, "url": ""}, problems.CardTextMissing, "card.url"),
    ({**LINK, "url": "shop.example/goods"}, problems.CardAddressInvalid, "card.url"),
    ({**LINK, "url": "javascript:alert(1)"}, problems.CardAddressInvalid, "card.url"),
    ({**LINK, "url": "https://[broken"}, problems.CardAddressInvalid, "card.url"),
    ({**LINK, "url": "https://a.cn/有 空格"}, problems.CardAddressInvalid, "card.url"),
    ({**LINK, "picture_id": NOBODYS_FILE}, NotFound, "card.picture_id"),
    ({**PROGRAM, "title": of_bytes(65)}, problems.CardTextTooLong, "card.title"),
    ({**PROGRAM, "appid": "gh_0123456789ab"}, problems.CardAppidInvalid, "card.appid"),
    ({**PROGRAM, "pagepath": ""}, problems.CardTextMissing, "card.pagepath"),
    ({**PROGRAM, "pagepath": "p" * 1020}, problems.CardTextTooLong, "card.pagepath"),
    ({**PLACE, "name": of_bytes(513)}, problems.CardTextTooLong, "card.name"),
    ({**PLACE, "address": of_bytes(513)}, problems.CardTextTooLong, "card.address"),
    (menu_of(0, head_content="选"), problems.MenuWithoutChoice, "card.entries"),
    (menu_of(3, {"type": "text", "content": "一行字"}), problems.MenuWithoutChoice, "card.entries"),
    (menu_of(11), problems.MenuTooLong, "card.entries"),
    ({**MENU, "entries": [SIZES] + [{"type": "text", "content": "行"}] * 50}, problems.MenuTooLong, "card.entries"),
    (menu_of(1, head_content=of_bytes(1025)), problems.CardTextTooLong, "card.head_content"),
    (menu_of(1, tail_content=of_bytes(1025)), problems.CardTextTooLong, "card.tail_content"),
    (menu_of(2, {"type": "click", "content": of_bytes(129)}), problems.CardTextTooLong, "card.entries.0.content"),
    (menu_of(1, {"type": "click", "content": ""}), problems.CardTextMissing, "card.entries.0.content"),
    (menu_of(1, {"type": "view", "content": "看", "url": "x"}), problems.CardAddressInvalid, "card.entries.0.url"),
    (menu_of(1, {"type": "view", "content": of_bytes(1025), "url": "https://a.cn"}), problems.CardTextTooLong,
     "card.entries.0.content"),
    (menu_of(1, {"type": "miniprogram", "content": "看", "appid": "x", "pagepath": "p"}), problems.CardAppidInvalid,
     "card.entries.0.appid"),
    ({"msgtype": "msgmenu", "entries": [SIZES, {"type": "text", "content": of_bytes(257)}]}, problems.CardTextTooLong,
     "card.entries.1.content"),
]  # fmt: skip


async def test_what_wechat_would_cut_or_not_open_is_refused_with_its_field_and_costs_nothing(served: Desk) -> None:
    picture_id = await picture(served)
    for card, problem, field in REFUSED:
        with_picture = {"picture_id": picture_id} if card["msgtype"] in ("link", "miniprogram") else {}
        with pytest.raises(problem) as refused:
            await sends(served, {**with_picture, **card})
        assert refused.value.field == field, card

    row = await served.conversation()
    assert (row.window_left, len(await served.messages())) == (5, 1)


async def test_only_an_uploaded_picture_can_be_the_picture_of_a_card(served: Desk) -> None:
    document = await files.store_bytes(served.context, "message_file", "价目.txt", b"price list", "text/plain")
    for file_id in (document, await picture(served, "message_received")):
        with pytest.raises(problems.CardPictureInvalid):
            await sends(served, {**LINK, "picture_id": file_id})


async def test_a_channel_without_a_kind_of_card_refuses_it(served: Desk) -> None:
    rules = replace(conversations.channel("wecom_kf").rules, card_limits_bytes={})
    async with transaction(served.xiaoyu.context) as ctx:
        with pytest.raises(problems.CardNotSendable):
            await card_body(ctx, card_of.validate_python(PLACE), rules, UUID(int=2))


@pytest.mark.parametrize("other", [{"text": "你好"}, {"file_id": NOBODYS_FILE}])
async def test_one_message_is_one_thing(served: Desk, other: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refused:
        await sends(served, PLACE, **other)
    assert refused.value.type == "conversations.one_at_a_time"


INCOMING: list[dict[str, Any]] = [
    {"msgtype": "location", "location": {"latitude": 30.2, "longitude": 120.1, "name": "银泰", "address": "东坡路"}},
    {"msgtype": "link", "link": {"title": "新品", "desc": "满减", "url": "https://a.cn", "pic_url": "https://a.cn/p"}},
    {"msgtype": "business_card", "business_card": {"userid": "XiaoYu"}},
    {"msgtype": "miniprogram", "miniprogram": {"title": "商城", "appid": APPID, "pagepath": "p.html"}},
    {"msgtype": "msgmenu", "msgmenu": {"head_content": "选", "list": [{"type": "click", "click": {"content": "查"}}]}},
    {"msgtype": "channels_shop_product", "channels_shop_product": {"product_id": "1", "title": "衬衫"}},
    {"msgtype": "channels_shop_order", "channels_shop_order": {"order_id": "1", "product_titles": "衬衫"}},
    {"msgtype": "merged_msg", "merged_msg": {"title": "聊天记录", "item": []}},
    {"msgtype": "channels", "channels": {"sub_type": 1, "nickname": "拾光", "title": "直播"}},
    {"msgtype": "meeting"},
    {"msgtype": "calendar"},
    {"msgtype": "note"},
]  # fmt: skip


async def test_every_kind_of_message_that_wecom_lists_is_kept_as_it_came(desk: Desk) -> None:
    """path/94670; what has media is fetched and has tests of its own."""
    items = [
        {**one, "msgid": f"kind-{place}", "open_kfid": desk.shop.open_kfid, "external_userid": desk.shop.customer,
         "send_time": 1_700_000_000 + place, "origin": 3}
        for place, one in enumerate(INCOMING)
    ]  # fmt: skip
    await page(desk, items, "c-kinds")

    kept = await desk.messages()
    assert [one.msgtype for one in kept] == [one["msgtype"] for one in INCOMING]
    for message, one in zip(kept, INCOMING, strict=True):
        assert message.content == one.get(one["msgtype"], {})
        assert (message.direction, message.state) == ("in", "received")
