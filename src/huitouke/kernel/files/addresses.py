"""Signed addresses of files: whoever has one may read that file until it expires, at most an hour later.

The permission is checked when the address is made. The time is rounded to half hours, so that a picture keeps its
address, and the browser its copy, while one looks at a conversation.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.errors import Problem
from huitouke.kernel.keys import get_key_ring
from huitouke.kernel.settings import get_settings

STEP_SECONDS: Final = 1800
_LABEL: Final = "files"
_BODY: Final = struct.Struct(">16sQ")
_SIGNATURE_BYTES: Final = 32


class TokenInvalid(Problem):
    """The address is wrong or has expired; a fresh one is on the page it came from."""

    status = 403
    type = "files.token_invalid"


def signed_url(ctx: Context, file_id: UUID, purpose: str = "view") -> str:
    """An address for this file, valid for 30 to 60 minutes. `purpose` is `view` or `download`.

    Needs no database; the caller has checked that the actor may see what the file is attached to.
    """
    expires = (math.floor(clock.now().timestamp() / STEP_SECONDS) + 2) * STEP_SECONDS
    body = _BODY.pack(ctx.tenant_id.bytes, expires)
    signature = get_key_ring().sign(_LABEL, _message(body, file_id, purpose))
    token = base64.urlsafe_b64encode(body + signature).rstrip(b"=").decode()
    host = get_settings().files_host or ""
    return f"{host}/files/{file_id}?token={token}" + ("&download=1" if purpose == "download" else "")


def open_token(token: str, file_id: UUID, purpose: str) -> tuple[UUID, datetime]:
    """The tenant, and when the address expires.

    Raises:
        TokenInvalid: it wasn't made by us for this file and purpose, or has expired.
    """
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError) as error:
        raise TokenInvalid from error
    if len(raw) != _BODY.size + _SIGNATURE_BYTES:
        raise TokenInvalid
    body, signature = raw[: _BODY.size], raw[_BODY.size :]
    if not get_key_ring().verify(_LABEL, _message(body, file_id, purpose), signature):
        raise TokenInvalid
    tenant, expires = _BODY.unpack(body)
    expires_at = datetime.fromtimestamp(expires, UTC)
    if expires_at <= clock.now():
        raise TokenInvalid
    return UUID(bytes=tenant), expires_at


def _message(body: bytes, file_id: UUID, purpose: str) -> bytes:
    return body + file_id.bytes + purpose.encode()
