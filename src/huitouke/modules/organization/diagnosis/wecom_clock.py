"""Does our clock agree with WeCom's? Tokens, callbacks and the 48 hours of a conversation are measured by it."""

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2

from huitouke.kernel import clock

ASK_SECONDS: Final = 5.0
TOLERATED: Final = timedelta(minutes=2)
"""Signatures of pages and of payments are refused from 5 minutes on."""


async def clock_difference(http: httpx2.AsyncClient, base_url: str) -> timedelta | None:
    """By how much our clock is ahead of WeCom's (negative: behind), from the Date header of an answer.

    None when WeCom gave no answer or no date: that says nothing about our clock.
    """
    try:
        # Asked without a token: it answers 41001, with its date.
        answer = await http.get(f"{base_url.rstrip('/')}/cgi-bin/getcallbackip", timeout=ASK_SECONDS)
        date = parsedate_to_datetime(answer.headers["date"])
    except (httpx2.HTTPError, KeyError, ValueError):
        return None
    return clock.now() - date if date.tzinfo is not None else None
