"""What needs no knowledge: a person asked for, anger, and small talk."""

import pytest

from huitouke.modules.assistant.reply.wishes import handover_reason, small_talk, small_talk_reply


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("我要投诉，找人工", "asked_for_person"),
        ("转人工", "asked_for_person"),
        ("人工！！", "asked_for_person"),
        ("能不能找个客服跟我说", "asked_for_person"),
        ("叫你们老板来", "asked_for_person"),
        ("I want to talk to a human", "asked_for_person"),
        ("你们就是骗子", "angry"),
        ("再不处理我打12315了", "angry"),
        ("穿了你们衣服皮肤过敏，要赔偿", "sensitive"),
    ],
)
def test_a_person_is_called(text: str, reason: str) -> None:
    assert handover_reason(text, []) == reason


@pytest.mark.parametrize(
    "text",
    [
        "不用转人工了，谢谢",
        "不需要人工",
        "有大一点的吗",
        "能用滚筒洗衣机洗吗",
        "有USB接口吗",
        "你们老板叫什么名字",
        "怎么联系你们",
    ],
)
def test_a_person_is_not_called(text: str) -> None:
    assert handover_reason(text, []) is None


def test_the_merchants_own_words_call_a_person_too() -> None:
    assert handover_reason("我想预约私人造型", ["私人造型"]) == "asked_for_person"
    assert handover_reason("我想预约", ["私人造型", "  "]) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("你好", "greeting"),
        ("在吗？", "greeting"),
        ("您好呀", "greeting"),
        ("谢谢啦", "thanks"),
        ("好的，谢谢您", "thanks"),
        ("嗯嗯好的", "acknowledged"),
        ("没事了，再见", "goodbye"),
        ("Hello", "greeting"),
        ("thank you so much", "thanks"),
        ("👍", "acknowledged"),
    ],
)
def test_small_talk_is_recognised(text: str, kind: str) -> None:
    assert small_talk(text) == kind


@pytest.mark.parametrize(
    "text", ["你好，有大码吗", "谢谢，那多少钱", "好的那我要一件", "在哪", "早餐几点", "可以退吗", ""]
)
def test_what_holds_a_wish_is_no_small_talk(text: str) -> None:
    assert small_talk(text) is None


def test_small_talk_is_answered_in_the_customers_language() -> None:
    assert "小客" in small_talk_reply("greeting", "小客", "你好")
    assert small_talk_reply("thanks", "小客", "thanks").startswith("You're welcome")
