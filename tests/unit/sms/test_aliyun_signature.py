"""Aliyun's V3 signature, against its own parts computed by hand from the documented recipe."""

import hashlib
import hmac
from datetime import UTC, datetime

from huitouke.sms.aliyun import canonical_query, signed_headers
from huitouke.sms.port import explain

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_names_are_sorted_and_everything_but_the_unreserved_is_encoded() -> None:
    assert canonical_query({"b": "a b+c/~*", "A": "店"}) == "A=%E5%BA%97&b=a%20b%2Bc%2F~%2A"


def test_the_signature_covers_address_headers_and_body() -> None:
    now = datetime(2026, 11, 22, 4, 5, 6, tzinfo=UTC)
    headers = signed_headers("dysmsapi.aliyuncs.com", "SendSms", "A=1", now, "key", "secret", nonce="n0nce")
    names = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
    request = (
        "POST\n/\nA=1\nhost:dysmsapi.aliyuncs.com\nx-acs-action:SendSms\n"
        f"x-acs-content-sha256:{EMPTY}\nx-acs-date:2026-11-22T04:05:06Z\n"
        f"x-acs-signature-nonce:n0nce\nx-acs-version:2017-05-25\n\n{names}\n{EMPTY}"
    )
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(request.encode()).hexdigest()
    right = hmac.new(b"secret", to_sign.encode(), hashlib.sha256).hexdigest()
    assert headers["Authorization"] == f"ACS3-HMAC-SHA256 Credential=key,SignedHeaders={names},Signature={right}"


def test_every_code_has_a_sentence_in_both_languages() -> None:
    assert explain("isv.AMOUNT_NOT_ENOUGH") == "短信账户余额不足，请充值。"
    assert "credit" in explain("isv.AMOUNT_NOT_ENOUGH", "en")
    assert "isv.NEW_ONE" in explain("isv.NEW_ONE")
