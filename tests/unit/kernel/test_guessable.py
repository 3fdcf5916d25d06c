"""Passwords that everybody tries first, and those that nobody does."""

import pytest

from huitouke.kernel.access.guessable import is_guessable
from huitouke.kernel.access.passwords import WeakPassword, check_new_password
from huitouke.kernel.keys import Secret

WORDS = """
password password1 12345678 123456789 1234567890 abcd1234 a1234567 a12345678 qwertyui qwerty123 iloveyou admin123
admin888 woaini1314 5201314520 huitouke baseball football superman 1qaz2wsx sunshine princess starwars computer michelle
jennifer trustno1 11111111 88888888 00000000 147258369 123123123 987654321 qwertyuiop 1q2w3e4r zxcvbnm123 asdfghjkl
p@ssw0rd Passw0rd! passw0rd1 liverpool1 charlie1 dragon123 monkey123 shadow12 letmein1 welcome123 abc12345 aa123456
123456aa 123456abc qq123456 woaini520 zhangwei123 wang123456 19900101 01011990 12121212 11223344 112233445566 123321123
wangwei1990 q1w2e3r4 babygirl1 samantha jordan23 michael1 corvette blink182 whatever rockyou1 lovelove monkeymonkey
drowssap 12345qwert 123456789a asdf1234 zxcv1234 7758521 789456123 asd123456 a1b2c3d4 123abc456 testtest google123
samsung1 pokemon1 manchester 888888888 66668888 wobuzhidao Weixin2024 回头客回头客 微信12345678
"""
TRIED_FIRST = WORDS.split()

NOBODY_TRIES = [
    "a long enough pass phrase",
    "correct horse battery staple",
    "correcthorsebatterystaple",
    "xk7#mQ2pv",
    "73910482",
    "7Gh2kLp9",
    "kettle-orbit",
    "我家的猫叫豆豆和花花",
    "ﬁﬂﬃ☕☕☕☕☕é",
    "????;;;;,,,,!!!!" + "vq",
]


@pytest.mark.parametrize("password", TRIED_FIRST)
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert is_guessable(password)


@pytest.mark.parametrize("password", NOBODY_TRIES)
def test_no_kind_of_character_is_asked_for_or_forbidden(password: str) -> None:
    assert not is_guessable(password)
    check_new_password(Secret(password), sign_in_name="lin")


@pytest.mark.parametrize(
    "password",
    ["sunflowerbakery", "SunflowerBakery2026!", "bakery-1234567", "linxiaoyu88", "uyoaixnil2020", "林晓雨12345"],
)
def test_names_of_the_shop_and_the_person_are_refused(password: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        check_new_password(Secret(password), sign_in_name="linxiaoyu", near=("Sunflower Bakery", "林晓雨"))
    assert refused.value.params["reason"] == "too_common"


@pytest.mark.parametrize(("length", "fits"), [(7, False), (8, True), (64, True), (128, True), (129, False)])
def test_eight_to_a_hundred_and_twenty_eight_characters(length: int, fits: bool) -> None:
    password = Secret(("vq9#Zt7!mK" * 13)[:length])
    if fits:
        check_new_password(password, sign_in_name="lin")
    else:
        with pytest.raises(WeakPassword):
            check_new_password(password, sign_in_name="lin")


def test_a_short_name_counts_alone_and_not_as_a_part() -> None:
    assert is_guessable("demo-2026", ("demo",))
    assert not is_guessable("huitouke-demo", ("demo",))


def test_looking_at_the_longest_password_takes_no_time_to_speak_of() -> None:
    """Nobody keeps a core busy with words that almost fit: the longest ones end."""
    assert not is_guessable(("wang" * 32)[:127] + "#x")
