import base64
import struct

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given
from hypothesis import strategies as st

from huitouke.wechat.crypto import (
    BODY_LIMIT_BYTES,
    BadCiphertext,
    BadReceiveId,
    BadSignature,
    BadXml,
    BodyTooLarge,
    CallbackCrypto,
    CallbackError,
    signature,
)
from huitouke.wechat.xml import build_xml, parse_xml
from tests.unit.wechat.vectors import (
    AES_KEY,
    BODY,
    ENCRYPTED,
    NONCE,
    RECEIVE_ID,
    SIGNATURE,
    TIMESTAMP,
    TOKEN,
)

crypto = CallbackCrypto(TOKEN, AES_KEY, RECEIVE_ID)


def envelope(encrypted: str) -> bytes:
    return build_xml({"ToUserName": RECEIVE_ID, "Encrypt": encrypted})


def signed(encrypted: str) -> tuple[str, str, str, bytes]:
    """(msg_signature, timestamp, nonce, body) of somebody who knows the Token."""
    return signature(TOKEN, TIMESTAMP, NONCE, encrypted), TIMESTAMP, NONCE, envelope(encrypted)


def encrypt_raw(padded: bytes) -> str:
    """Encrypted with the right key, whatever the plain bytes are."""
    key = base64.b64decode(AES_KEY + "=")
    encryptor = Cipher(AES256(key), CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def test_the_published_example_has_the_published_signature() -> None:
    assert signature(TOKEN, TIMESTAMP, NONCE, ENCRYPTED) == SIGNATURE


def test_the_published_example_decrypts_to_the_published_message() -> None:
    message = parse_xml(crypto.decrypt(SIGNATURE, TIMESTAMP, NONCE, BODY))

    assert message["MsgType"] == "text"
    assert message["Content"] == "hello"
    assert message["MsgId"] == "4561255354251345929"
    assert message["AgentID"] == "218"


@given(plain=st.binary(max_size=3000), nonce=st.text(max_size=20), timestamp=st.integers(0, 2**33))
def test_what_was_encrypted_for_a_reply_comes_back_unchanged(plain: bytes, nonce: str, timestamp: int) -> None:
    encrypted = crypto.encrypt(plain)
    parts = (signature(TOKEN, str(timestamp), nonce, encrypted), str(timestamp), nonce)

    assert crypto.decrypt(*parts, envelope(encrypted)) == plain


@given(plain=st.binary(max_size=200))
def test_the_ciphertext_is_padded_to_32_and_never_the_same_twice(plain: bytes) -> None:
    first, second = crypto.encrypt(plain), crypto.encrypt(plain)

    assert len(base64.b64decode(first)) % 32 == 0
    assert first != second


def test_a_passive_reply_has_the_four_parts_in_the_order_of_the_page() -> None:
    reply = crypto.encrypt_reply(b"<xml><Content>hi</Content></xml>", TIMESTAMP, NONCE)

    fields = parse_xml(reply)
    assert list(fields) == ["Encrypt", "MsgSignature", "TimeStamp", "Nonce"]
    assert fields["MsgSignature"] == signature(TOKEN, TIMESTAMP, NONCE, str(fields["Encrypt"]))
    assert f"<TimeStamp><![CDATA[{TIMESTAMP}]]></TimeStamp>".encode() in reply


def test_url_verification_gives_the_bare_text() -> None:
    echostr = crypto.encrypt(b"1616140317555161061")

    assert crypto.verify_url(signature(TOKEN, TIMESTAMP, NONCE, echostr), TIMESTAMP, NONCE, echostr) == (
        "1616140317555161061"
    )


def test_an_empty_receive_id_is_what_personal_suites_have() -> None:
    personal = CallbackCrypto(TOKEN, AES_KEY, "")
    encrypted = personal.encrypt(b"<xml/>")

    assert personal.decrypt(*signed(encrypted)) == b"<xml/>"


@pytest.mark.parametrize(
    ("msg_signature", "timestamp", "nonce"),
    [
        ("0" * 40, TIMESTAMP, NONCE),
        ("", TIMESTAMP, NONCE),
        (SIGNATURE.upper(), TIMESTAMP, NONCE),
        ("签名不对", TIMESTAMP, NONCE),
        ("\ud800", TIMESTAMP, "\udfff"),
        (SIGNATURE, "1409659814", NONCE),
        (SIGNATURE, TIMESTAMP, ""),
    ],
)
def test_a_wrong_signature_is_refused(msg_signature: str, timestamp: str, nonce: str) -> None:
    with pytest.raises(BadSignature):
        crypto.decrypt(msg_signature, timestamp, nonce, BODY)


def test_another_endpoints_token_is_refused() -> None:
    with pytest.raises(BadSignature):
        CallbackCrypto("other", AES_KEY, RECEIVE_ID).decrypt(SIGNATURE, TIMESTAMP, NONCE, BODY)


def test_a_body_for_another_corp_is_refused() -> None:
    encrypted = CallbackCrypto(TOKEN, AES_KEY, "wwother").encrypt(b"<xml/>")

    with pytest.raises(BadReceiveId):
        crypto.decrypt(*signed(encrypted))


@given(position=st.integers(0, len(ENCRYPTED) - 1), replacement=st.sampled_from("ABCxyz019+/="))
def test_one_changed_character_is_refused_by_the_signature(position: int, replacement: str) -> None:
    if ENCRYPTED[position] == replacement:
        return
    tampered = ENCRYPTED[:position] + replacement + ENCRYPTED[position + 1 :]

    with pytest.raises(BadSignature):
        crypto.decrypt(SIGNATURE, TIMESTAMP, NONCE, envelope(tampered))


@given(cut=st.integers(0, len(BODY) - 1))
def test_a_truncated_body_is_refused_whatever_is_left(cut: int) -> None:
    with pytest.raises(CallbackError):
        crypto.decrypt(SIGNATURE, TIMESTAMP, NONCE, BODY[:cut])


@given(noise=st.binary(max_size=400))
def test_noise_is_refused_and_never_crashes(noise: bytes) -> None:
    with pytest.raises(CallbackError):
        crypto.decrypt(SIGNATURE, TIMESTAMP, NONCE, noise)


@given(blocks=st.binary(min_size=0, max_size=160))
def test_signed_noise_is_refused_and_never_crashes(blocks: bytes) -> None:
    with pytest.raises((BadCiphertext, BadReceiveId, BadXml)):
        crypto.decrypt(*signed(base64.b64encode(blocks).decode()))


@pytest.mark.parametrize("encrypted", ["not base64!", "QUJD", "QUJDRA==", "签名"])
def test_signed_text_that_is_no_ciphertext_is_refused(encrypted: str) -> None:
    with pytest.raises(BadCiphertext):
        crypto.decrypt(*signed(encrypted))


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param(b"\x00" * 64, id="pad 0"),
        pytest.param(b"\x21" * 64, id="pad 33"),
        pytest.param(b"n" * 31 + b"\x02", id="pad bytes differ"),
        pytest.param(b"\x20" * 32, id="nothing but padding"),
        pytest.param(b"n" * 16 + struct.pack(">I", 2**31) + b"x" * 11 + b"\x01", id="length beyond the end"),
    ],
)
def test_wrong_padding_and_lengths_are_refused(plain: bytes) -> None:
    with pytest.raises(BadCiphertext):
        crypto.decrypt(*signed(encrypt_raw(plain)))


def test_a_body_beyond_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(BodyTooLarge):
        crypto.decrypt(SIGNATURE, TIMESTAMP, NONCE, b"<xml>" + b"x" * BODY_LIMIT_BYTES)
    with pytest.raises(BodyTooLarge):
        crypto.verify_url(SIGNATURE, TIMESTAMP, NONCE, "A" * (BODY_LIMIT_BYTES + 1))


@pytest.mark.parametrize(
    "body", [b"", b"<xml></xml>", b"<xml><Encrypt/></xml>", b"<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>"]
)
def test_a_body_without_exactly_one_encrypt_is_refused(body: bytes) -> None:
    with pytest.raises(BadXml):
        crypto.decrypt(SIGNATURE, TIMESTAMP, NONCE, body)


def test_an_echo_that_is_no_text_is_refused() -> None:
    echostr = crypto.encrypt(b"\xff\xfe")

    with pytest.raises(BadCiphertext):
        crypto.verify_url(signature(TOKEN, TIMESTAMP, NONCE, echostr), TIMESTAMP, NONCE, echostr)


@pytest.mark.parametrize("key", ["", "short", AES_KEY + "A", AES_KEY[:-1] + "!", "汉" * 43])
def test_a_key_that_is_none_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError):
        CallbackCrypto(TOKEN, key, RECEIVE_ID)


def test_neither_token_nor_key_is_printed() -> None:
    assert TOKEN not in repr(crypto)
    assert AES_KEY not in repr(crypto)
