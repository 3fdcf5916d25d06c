"""Who says that they want no more offers is understood; who talks about a booking, an order or a parcel is not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.modules.customers.service.words import refuses_marketing


@pytest.mark.parametrize(
    "text",
    [
        "退订",
        "拒收",
        "TD",
        "td",
        "ＴＤ",
        "回复TD退订",
        "拒收，谢谢",
        "请退订！",
        "我要退订",
        "取消订阅",
        "不要再发广告",
        "不要再发广告了！！",
        "别发广告了",
        "别再给我发广告了，烦死了",
        "你好，不要再给我推送优惠信息了",
        "可以不要再给我发广告了吗",
        "能不能别老是发推广",
        "不想收到你们的促销短信",
        "不要天天给我发活动消息",
        "以后请勿发送营销短信",
        "别再给我发消息了",
        "别再用广告骚扰我",
        "退订短信",
        "拒收营销短信",
        "退订你们的推送",
        "别群发了，求你们了\n不要再发群发了",
        "unsubscribe",
        "Stop",
        "stop sending me ads",
        "Please don't send me any more promotions",
        "no more ads please",
        "有大码吗\nTD",
    ],
)
def test_a_wish_for_no_more_offers_is_understood(text: str) -> None:
    assert refuses_marketing(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "怎么退订",
        "可以退订吗",
        "退订？",
        "退订要扣钱吗",
        "我要退订昨天订的房间",
        "退订订单",
        "蛋糕能退订吗",
        "明天的位子帮我退订一下",
        "拒收快递",
        "包裹我拒收了，钱什么时候退",
        "快递员说我拒收",
        "TD是什么意思",
        "TD-20 这款有货吗",
        "不要广告里那款",
        "广告上说满200减30",
        "不要发错货了",
        "别发货",
        "先不要发货，我改地址",
        "不要再发错了",
        "别发顺丰，发中通",
        "不要推荐了，就要这个",
        "不用发短信通知我取货",
        "收不到验证短信",
        "没收到活动消息",
        "有优惠信息发我一下",
        "什么时候有活动，发消息给我",
        "你们微信发不出消息",
        "bus stop near you?",
        "don't stop",
        "please stop my order",
        "does the cake come with any ads on it",
        "不要" * 40 + "再发广告",
    ],
)
def test_ordinary_messages_are_none(text: str) -> None:
    assert not refuses_marketing(text)


THINGS = st.sampled_from(
    ["订单", "房间", "酒店", "蛋糕", "位子", "包厢", "快递", "包裹", "昨天订的桌", "会员", "课程", "押金"]
)
BEGINS = st.sampled_from(["", "请问", "我想问下", "你好，", "老板", "帮我看看", "昨天"])
VERBS = st.sampled_from(["退订", "拒收", "取消", "不要", "别发", "不想要"])
ENDS = st.sampled_from(["", "吗", "？", "可以吗", "怎么弄", "要扣钱吗", "多久退款", "了", "，谢谢", "来得及吗"])


@given(BEGINS, VERBS, THINGS, ENDS, st.booleans())
def test_no_sentence_about_an_order_is_one(begins: str, verb: str, thing: str, ends: str, thing_first: bool) -> None:
    said = f"{thing}{verb}" if thing_first else f"{verb}{thing}"
    assert not refuses_marketing(begins + said + ends)


NOISE = st.text(st.sampled_from(" 　，。,.!！~～…、"), max_size=4)


@given(NOISE, st.sampled_from(["退订", "拒收", "TD", "td", "不要再发广告", "别再给我发广告了"]), NOISE)
def test_punctuation_and_blanks_around_it_change_nothing(before: str, wish: str, after: str) -> None:
    assert refuses_marketing(before + wish + after)


@given(st.text(st.sampled_from("我要不别再发的你们这些消息退订广告回复给td "), max_size=60))
def test_no_text_takes_long(text: str) -> None:
    started = time.monotonic()
    refuses_marketing(text)
    assert time.monotonic() - started < 0.05
