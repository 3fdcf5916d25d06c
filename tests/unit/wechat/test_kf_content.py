from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from huitouke.wechat.kf_content import (
    CaLink,
    Content,
    File,
    Image,
    Link,
    Location,
    MenuClick,
    MenuMiniprogram,
    MenuText,
    MenuView,
    Miniprogram,
    MsgMenu,
    Text,
    Video,
    Voice,
    outgoing_content,
    split_text,
)

EXAMPLES = [
    (Text(content="好的"), {"content": "好的"}),
    (Image(media_id="m"), {"media_id": "m"}),
    (Voice(media_id="m"), {"media_id": "m"}),
    (Video(media_id="m"), {"media_id": "m"}),
    (File(media_id="m"), {"media_id": "m"}),
    (Link(title="t", url="https://shop.test", thumb_media_id="m"),
     {"title": "t", "url": "https://shop.test", "thumb_media_id": "m"}),
    (Miniprogram(appid="a", thumb_media_id="m", pagepath="index.html"),
     {"appid": "a", "thumb_media_id": "m", "pagepath": "index.html"}),
    (Location(name="店", latitude=23.1, longitude=113.3), {"name": "店", "latitude": 23.1, "longitude": 113.3}),
    (CaLink(link_url="https://work.weixin.qq.com/ca/c"), {"link_url": "https://work.weixin.qq.com/ca/c"}),
    (MsgMenu(head_content="满意吗？",
             entries=(MenuClick(id="101", content="满意"), MenuText(content="或", no_newline=1),
                      MenuView(url="https://x.test", content="看"),
                      MenuMiniprogram(appid="a", pagepath="p", content="开"))),
     {"head_content": "满意吗？", "list": [
         {"type": "click", "click": {"id": "101", "content": "满意"}},
         {"type": "text", "text": {"content": "或", "no_newline": 1}},
         {"type": "view", "view": {"url": "https://x.test", "content": "看"}},
         {"type": "miniprogram", "miniprogram": {"appid": "a", "pagepath": "p", "content": "开"}},
     ]}),
]  # fmt: skip


@pytest.mark.parametrize(("content", "payload"), EXAMPLES)
def test_content_becomes_the_fields_of_the_page(content: Content, payload: dict[str, Any]) -> None:
    assert content.fields() == {"msgtype": content.msgtype, content.msgtype: payload}


@pytest.mark.parametrize(("content", "_payload"), EXAMPLES)
def test_stored_content_is_read_back(content: Content, _payload: dict[str, Any]) -> None:
    assert outgoing_content.validate_json(content.model_dump_json()) == content


def test_text_is_measured_in_bytes() -> None:
    assert Text(content="汉" * 682)
    with pytest.raises(ValidationError) as caught:
        Text(content="汉" * 683)

    (problem,) = caught.value.errors()
    assert problem["type"] == "too_long_bytes"
    assert problem["ctx"] == {"actual_bytes": 2049, "limit_bytes": 2048}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Text(content=""),
        lambda: Image(media_id=""),
        lambda: Link(title="汉" * 43, url="u", thumb_media_id="m"),
        lambda: Link(title="t", desc="d" * 513, url="u", thumb_media_id="m"),
        lambda: Link(title="t", url="u" * 2049, thumb_media_id="m"),
        lambda: Miniprogram(appid="a", title="t" * 65, thumb_media_id="m", pagepath="p"),
        lambda: Location(latitude=91, longitude=0),
        lambda: MenuClick(content="c" * 129),
        lambda: MenuText(content="c" * 257),
        lambda: MsgMenu(),
        lambda: MsgMenu(head_content="h" * 1025),
        lambda: MsgMenu(entries=(MenuClick(content="c"),) * 11),
        lambda: MsgMenu(entries=(MenuText(content="c"),) * 51),
    ],
)
def test_beyond_a_limit_nothing_is_made(make: Any) -> None:
    with pytest.raises(ValidationError):
        make()


def test_ten_buttons_and_forty_lines_are_allowed() -> None:
    menu = MsgMenu(entries=(*(MenuClick(content="c"),) * 10, *(MenuText(content="t"),) * 40))

    assert len(menu.fields()["msgmenu"]["list"]) == 50


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=400), limit=st.integers(4, 60))
def test_pieces_fit_and_join_to_the_whole(text: str, limit: int) -> None:
    pieces = split_text(text, limit)

    assert "".join(pieces) == text
    assert all(0 < len(piece.encode()) <= limit for piece in pieces)


def test_a_break_is_put_where_a_reader_expects_it() -> None:
    text = "第一句话在这里。第二句话在那里，还有一段。第三句"

    assert split_text(text, 36) == ["第一句话在这里。", "第二句话在那里，", "还有一段。第三句"]
    assert split_text("line one\nline two", 12) == ["line one\n", "line two"]


def test_a_text_that_fits_stays_whole_and_an_empty_one_is_none() -> None:
    assert split_text("好") == ["好"]
    assert split_text("") == []
    with pytest.raises(ValueError):
        split_text("好", 3)
