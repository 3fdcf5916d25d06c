"""The published test vector of the callback encryption, and round trips."""

import pytest

from wechat_sandbox.callbacks import RawXml, xml
from wechat_sandbox.crypto import BadEncodingAesKey, aes_key, decrypt, encrypt, signature

TOKEN, AES_KEY, CORP_ID = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"
VECTOR = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TU"
    "UkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff"
    "0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVM"
    "NS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2p"
    "DBS8R07+qN+E7Q=="
)


def test_the_published_vector_has_its_signature_and_message() -> None:
    assert signature(TOKEN, "1409659813", "1372623149", VECTOR) == "477715d11cdb4164915debcba66cb864d751f3e6"
    message, receive_id = decrypt(VECTOR, AES_KEY)
    assert receive_id == CORP_ID
    assert "<Content><![CDATA[hello]]></Content>" in message.decode()


@pytest.mark.parametrize("length", range(70))
def test_messages_of_every_length_come_back(length: int) -> None:
    message = "字".encode() * length
    assert decrypt(encrypt(message, AES_KEY, CORP_ID), AES_KEY) == (message, CORP_ID)


@pytest.mark.parametrize("key", ["", "short", AES_KEY[:-1]])
def test_a_key_of_another_length_is_refused(key: str) -> None:
    with pytest.raises(BadEncodingAesKey):
        aes_key(key)


def test_texts_cannot_break_out_of_their_element() -> None:
    made = xml({"EventKey": "a]]><Event>forged</Event>", "Number": 1, "Raw": RawXml("<Inner/>")})
    assert "<Event>" not in made
    assert "<Number>1</Number>" in made
    assert "<Raw><Inner/></Raw>" in made
