"""A visitor's token: who they are on one page of one tenant, signed by us, so that no row is needed until they write.

The token is the tenant, the page, the visitor's random id and the time at which it ends, with an HMAC by a key that is
derived for this purpose alone. It stands in an HttpOnly cookie and nowhere else: no script can read it, not even ours.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from huitouke.kernel import clock
from huitouke.kernel.keys import get_key_ring

VISITOR_COOKIE: Final = "huitouke_visitor"
LIFETIME: Final = timedelta(days=180)
"""From the last visit: each one gives a fresh token."""

MAX_TOKEN_CHARACTERS: Final = 200
_LABEL: Final = "visitors"
_BODY: Final = struct.Struct(">16s16s16sQ")
_SIGNATURE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody on a page."""

    tenant_id: UUID
    page_id: UUID
    id: UUID


@dataclass(frozen=True, slots=True)
class VisitorToken:
    """What the cookie holds."""

    value: str
    expires_at: datetime


def new_visitor(tenant_id: UUID, page_id: UUID) -> Visitor:
    """Somebody who was never there: 122 random bits."""
    return Visitor(tenant_id, page_id, uuid4())


def make_visitor_token(visitor: Visitor) -> VisitorToken:
    """A fresh token of the visitor."""
    expires_at = clock.now() + LIFETIME
    body = _BODY.pack(visitor.tenant_id.bytes, visitor.page_id.bytes, visitor.id.bytes, int(expires_at.timestamp()))
    signed = body + get_key_ring().sign(_LABEL, body)
    return VisitorToken(base64.urlsafe_b64encode(signed).rstrip(b"=").decode(), expires_at)


def open_visitor_token(token: str | None) -> Visitor | None:
    """Who holds the token; None when we didn't make it, or it is over."""
    if not token or len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _BODY.size + _SIGNATURE_BYTES:
        return None
    body, signature = raw[: _BODY.size], raw[_BODY.size :]
    if not get_key_ring().verify(_LABEL, body, signature):
        return None
    tenant, page, visitor, expires = _BODY.unpack(body)
    if datetime.fromtimestamp(expires, UTC) <= clock.now():
        return None
    return Visitor(UUID(bytes=tenant), UUID(bytes=page), UUID(bytes=visitor))
