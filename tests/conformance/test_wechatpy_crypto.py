"""wechatpy, written by others, and we must read what the other wrote."""

import random
import secrets
import string

import pytest
from wechatpy.crypto import WeChatCrypto
from wechatpy.enterprise.crypto import WeChatCrypto as EnterpriseCrypto
from wechatpy.exceptions import InvalidSignatureException

from huitouke.wechat.crypto import BadSignature, CallbackCrypto
from huitouke.wechat.xml import parse_xml

BODIES = 3000
ALPHANUMERIC = string.ascii_letters + string.digits
TEXTS = string.printable.replace("\r", "") + "有大一点的吗？🧥\u00e9\u4e00\u9fff😀]]>&<"


def random_keys(dice: random.Random) -> tuple[str, str, str]:
    """(token, encoding_aes_key, receive_id) as WeCom makes them; the last character carries four bits."""
    token = "".join(dice.choices(ALPHANUMERIC, k=dice.randint(3, 32)))
    key = "".join(dice.choices(ALPHANUMERIC, k=42)) + dice.choice("AEIMQUYcgkosw048")
    receive_id = "ww" + "".join(dice.choices("0123456789abcdef", k=16))
    return token, key, receive_id


def random_text(dice: random.Random) -> str:
    return "".join(dice.choices(TEXTS, k=int(dice.paretovariate(0.7)) % 2000))


@pytest.mark.parametrize("foreign_class", [WeChatCrypto, EnterpriseCrypto])
def test_each_side_reads_thousands_of_bodies_of_the_other(foreign_class: type) -> None:
    seed = secrets.randbits(32)
    dice = random.Random(seed)
    for _ in range(BODIES):
        keys = random_keys(dice)
        text, nonce, timestamp = random_text(dice), str(dice.randint(0, 10**9)), str(dice.randint(0, 2**31))
        ours, theirs = CallbackCrypto(*keys), foreign_class(*keys)

        from_them = parse_xml(theirs.encrypt_message(text, nonce, timestamp).encode())
        from_us = ours.encrypt_reply(text.encode(), timestamp, nonce)
        us = parse_xml(from_us)

        body = f"<xml><Encrypt>{from_them['Encrypt']}</Encrypt></xml>".encode()
        assert ours.decrypt(str(from_them["MsgSignature"]), timestamp, nonce, body).decode() == text, seed
        assert theirs.decrypt_message(from_us.decode(), us["MsgSignature"], timestamp, nonce) == text, seed


def test_the_echo_of_url_verification_is_read_alike() -> None:
    keys = random_keys(random.Random(7))
    ours, theirs = CallbackCrypto(*keys), EnterpriseCrypto(*keys)
    sealed = parse_xml(ours.encrypt_reply(b"5927782489442352469", "1409735669", "1320562132"))
    signature, echostr = str(sealed["MsgSignature"]), str(sealed["Encrypt"])

    echo = theirs.check_signature(signature, "1409735669", "1320562132", echostr)

    assert echo == ours.verify_url(signature, "1409735669", "1320562132", echostr) == "5927782489442352469"


def test_both_refuse_the_same_forgery() -> None:
    keys = random_keys(random.Random(8))
    ours, theirs = CallbackCrypto(*keys), EnterpriseCrypto(*keys)
    sealed = ours.encrypt_reply(b"<xml/>", "1", "2")

    with pytest.raises(InvalidSignatureException):
        theirs.decrypt_message(sealed.decode(), "0" * 40, "1", "2")
    with pytest.raises(BadSignature):
        ours.decrypt("0" * 40, "1", "2", sealed)
