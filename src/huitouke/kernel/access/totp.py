"""Codes that an authenticator app shows: TOTP as RFC 6238 has it, with SHA-1, six digits and steps of 30 seconds.

These are the values that every app understands; some ignore the parameters that would say otherwise.
"""

from __future__ import annotations

import base64
import hmac
import os
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from huitouke.kernel.keys import Secret

STEP_SECONDS: Final = 30
DIGITS: Final = 6
STEPS_ASIDE: Final = 1
"""A code counts one step before and after its own: clocks differ, and people take a moment to type."""

SECRET_BYTES: Final = 20
"""As many as SHA-1 gives (RFC 4226, section 4); 32 characters of base32 without padding."""


def new_secret() -> Secret:
    """160 random bits in base32, which is what apps take."""
    return Secret(base64.b32encode(os.urandom(SECRET_BYTES)).decode())


def step_at(moment: datetime) -> int:
    """The number of the step that the moment falls into."""
    return int(moment.timestamp()) // STEP_SECONDS


def code_at(secret: Secret, step: int) -> str:
    """The six digits of that step (RFC 4226, section 5.3)."""
    digest = hmac.digest(base64.b32decode(secret.reveal()), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: Secret, code: str, moment: datetime, *, after: int) -> int | None:
    """The step whose code it is, of those around the moment that come after step `after`; None when it is none's.

    Whoever keeps the answer as the next `after` lets no code count twice. All steps are tried, so that time tells
    nothing; where two have the same code it is the later one, so that the code is used up for both.
    """
    now = step_at(moment)
    found: int | None = None
    for step in range(now - STEPS_ASIDE, now + STEPS_ASIDE + 1):
        right = hmac.compare_digest(code_at(secret, step).encode(), code.encode())
        if right:
            found = step
    return found if found is not None and found > after else None


def key_uri(secret: Secret, *, issuer: str, account: str) -> str:
    """What the QR code says to the app (the Key URI format that all of them read)."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    # Algorithm, digits and period are what every app takes where nothing is said: the picture stays coarse.
    facts = {"secret": secret.reveal(), "issuer": issuer}
    return f"otpauth://totp/{label}?{urlencode(facts, quote_via=quote)}"
