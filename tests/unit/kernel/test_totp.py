"""Codes of an authenticator app: the vectors of RFC 6238, and that none counts twice."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitouke.kernel.access import totp
from huitouke.kernel.keys import Secret

OF_THE_RFC = Secret(base64.b32encode(b"12345678901234567890").decode())
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))
SECRETS = st.binary(min_size=20, max_size=20).map(lambda key: Secret(base64.b32encode(key).decode()))


@pytest.mark.parametrize(
    ("seconds", "eight_digits"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_of_rfc_6238_appendix_b(seconds: int, eight_digits: str) -> None:
    """The RFC writes eight digits; six are the last of them."""
    moment = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_at(OF_THE_RFC, totp.step_at(moment)) == eight_digits[-6:]


@given(SECRETS, MOMENTS, st.integers(-1, 1))
def test_a_code_counts_a_step_before_and_after_its_own(secret: Secret, moment: datetime, aside: int) -> None:
    code = totp.code_at(secret, totp.step_at(moment) + aside)
    assert totp.matching_step(secret, code, moment, after=0) is not None


@given(SECRETS, MOMENTS, st.integers(-1, 1), st.integers(0, 120))
def test_a_code_that_counted_never_counts_again(secret: Secret, moment: datetime, aside: int, later: int) -> None:
    code = totp.code_at(secret, totp.step_at(moment) + aside)
    used = totp.matching_step(secret, code, moment, after=0)
    assert used is not None
    again = totp.matching_step(secret, code, moment + timedelta(seconds=later), after=used)
    # Once in a few hundred thousand cases a later step has the same six digits, which are then a new code.
    assert again is None or (again > used and totp.code_at(secret, again) == code)


@given(SECRETS, MOMENTS, st.lists(st.tuples(st.integers(0, 90), st.integers(-3, 3)), max_size=12))
def test_however_codes_are_tried_no_step_counts_twice(
    secret: Secret, moment: datetime, tries: list[tuple[int, int]]
) -> None:
    last, counted = 0, []
    for seconds, aside in tries:
        moment += timedelta(seconds=seconds)
        step = totp.matching_step(secret, totp.code_at(secret, totp.step_at(moment) + aside), moment, after=last)
        if step is not None:
            counted.append(step)
            last = step
    assert counted == sorted(set(counted))


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "\0" * 6])
def test_what_is_no_code_is_nobodys(code: str) -> None:
    assert totp.matching_step(OF_THE_RFC, code, datetime(2026, 1, 1, tzinfo=UTC), after=0) is None


def test_secrets_are_160_random_bits() -> None:
    first, second = totp.new_secret(), totp.new_secret()
    assert len(base64.b32decode(first.reveal())) == 20
    assert first != second


def test_the_qr_code_names_issuer_account_and_secret() -> None:
    address = urlsplit(totp.key_uri(OF_THE_RFC, issuer="回头客", account="林 店长@shop"))
    assert (address.scheme, address.netloc, unquote(address.path)) == ("otpauth", "totp", "/回头客:林 店长@shop")
    assert parse_qs(address.query) == {"secret": [OF_THE_RFC.reveal()], "issuer": ["回头客"]}
