"""Numbers of people are hidden wherever they stand in a text; others stay; what was hidden comes back unharmed."""

import time
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.ids import new_id
from huitouke.kernel.masking import CONTACTS, mask, mask_value, masked_unless, reading, unmasked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("13800138000", "138****8000"),
        ("电话13800138000，谢谢", "电话138****8000，谢谢"),
        ("138 0013 8000", "138****8000"),
        ("138-0013-8000", "138****8000"),
        ("+8613800138000", "+86 138****8000"),
        ("+86 138 0013 8000", "+86 138****8000"),
        ("8613800138000", "86 138****8000"),
        ("008613800138000", "0086 138****8000"),
        ("１３８００１３８０００", "138****8000"),
        ("tel13800138000x", "tel138****8000x"),
        ("13800138000/13900139000", "138****8000/139****9000"),
        ("+85291234567", "+852****567"),
        ("0755-86013388", "0755****388"),
        ("010 62781234", "0106****234"),
        ("zhou.ting@example.com", "z***@example.com"),
        ("邮箱a@b.cn", "邮箱a***@b.cn"),
        ("11010519491231002X", "110***********002X"),
        ("身份证110105199003078515。", "身份证110***********8515。"),
        ("6222021234567890128", "**** 0128"),
        ("6222 0212 3456 7890 128", "**** 0128"),
        ("4111-1111-1111-1111", "**** 1111"),
    ],
)
def test_what_reaches_or_identifies_somebody_is_hidden(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "有大一点的吗",
        "订单 20261122",
        "订单号 202611221380013800012345",
        "12345678901",
        "¥1380.00",
        "满 200 减 30",
        "2026-11-22 13:00",
        "4111-1111-1111-1112",
        "@小雨 在吗",
        "145 到 165 斤",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask(text) == text


MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
AROUND = st.text(st.sampled_from("您好abc，。 \n（）:电话/"), max_size=20)


@given(AROUND, MOBILES, AROUND)
def test_no_mobile_number_survives(before: str, number: str, after: str) -> None:
    assert number not in mask(before + number + after)


@given(AROUND, MOBILES, AROUND)
def test_hiding_twice_is_hiding_once(before: str, number: str, after: str) -> None:
    once = mask(before + number + after)
    assert mask(once) == once


@given(AROUND, MOBILES, AROUND, MOBILES, AROUND)
def test_what_was_left_hidden_in_a_form_is_saved_as_it_was(a: str, one: str, b: str, two: str, c: str) -> None:
    before = f"{a}{one}{b}，{two}{c}"

    assert unmasked(mask(before), before) == before
    assert unmasked(f"老顾客 {mask(before)}！", before) == f"老顾客 {before}！"
    assert unmasked("换了一个", before) == "换了一个"


def test_values_are_hidden_to_their_depth() -> None:
    value: Any = {"a": ["13800138000", {"b": "x@y.cn"}], "n": 13, "none": None}

    assert mask_value(value) == {"a": ["138****8000", {"b": "x***@y.cn"}], "n": 13, "none": None}


class Card(BaseModel):
    name: str
    remark: Annotated[str, masked_unless(CONTACTS)] | None
    said: Annotated[str, masked_unless(CONTACTS, "conversations.reply")]


def seen_by(*permissions: str) -> dict[str, Any]:
    card = Card(name="13800138000", remark="13800138000", said="13800138000")
    with reading(Context(new_id(), Actor(ActorKind.STAFF), frozenset(permissions))):
        return card.model_dump(mode="json")


def test_a_field_is_hidden_from_readers_without_the_permission() -> None:
    hidden = "138****8000"

    assert seen_by() == {"name": "13800138000", "remark": hidden, "said": hidden}
    assert seen_by("conversations.reply") == {"name": "13800138000", "remark": hidden, "said": "13800138000"}
    assert seen_by(CONTACTS) == dict.fromkeys(("name", "remark", "said"), "13800138000")
    assert Card(name="", remark="13800138000", said="").model_dump()["remark"] == "13800138000"


def test_a_page_of_fifty_messages_takes_less_than_a_millisecond() -> None:
    texts = [f"您好，想问下这件有大码吗，我 165 斤，电话 1380013{n:04}，下午 3 点后联系" for n in range(50)]
    best = 1.0
    for _ in range(20):
        started = time.perf_counter()
        for text in texts:
            mask(text)
        best = min(best, time.perf_counter() - started)
    assert best < 0.001


@given(st.text(st.sampled_from("0123456789 -+@.aX"), max_size=300))
def test_no_text_takes_long(text: str) -> None:
    started = time.monotonic()
    mask(text)
    assert time.monotonic() - started < 0.1
