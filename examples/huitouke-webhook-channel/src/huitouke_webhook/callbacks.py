"""The callback kind `webhook`: what a merchant's system posts, verified, with the runner that it wakes."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from huitouke.kernel import clock
from huitouke.kernel.callbacks import BadCallback, Endpoint, Opened
from huitouke.kernel.keys import Secret

KIND: Final = "webhook"
INBOX_RUNNER: Final = "webhook.inbox"
"""Takes in what came for an account; key: account id."""

REPLAY_SECONDS: Final = 300
"""A request that is older, or from later than this, is refused, whoever signed it."""


class Written(BaseModel):
    """A customer's message. `id` and `customer` are the merchant's own; the same `id` again does nothing."""

    id: Annotated[str, Field(min_length=1, max_length=100)]
    customer: Annotated[str, Field(min_length=1, max_length=100)]
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    sent_at: AwareDatetime | None = None


class Delivered(BaseModel):
    """The body of one request."""

    messages: Annotated[list[Written], Field(min_length=1, max_length=20)]


def sign(key: Secret, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over the time in Unix seconds, a dot and the body, in hexadecimal; the same in both directions."""
    return hmac.new(key.reveal().encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class WebhookCallbacks:
    """One address per account; the wake-up's key is the account, so that a flood of callbacks is one run."""

    name = KIND

    def verify(self, endpoint: Endpoint, query: Mapping[str, str]) -> bytes:
        """There is no check of the address in this protocol. Raises BadCallback."""
        raise BadCallback("no_address_check")

    def open(self, endpoint: Endpoint, query: Mapping[str, str], body: bytes) -> Opened:
        """The body, once its signature, its time and its shape are right. Raises BadCallback."""
        timestamp, signature = query.get("timestamp", ""), query.get("signature", "")
        if not hmac.compare_digest(sign(endpoint.token, timestamp, body).encode(), signature.encode()):
            raise BadCallback("bad_signature")
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
            raise BadCallback("bad_timestamp")
        if abs(clock.now().timestamp() - int(timestamp)) > REPLAY_SECONDS:
            raise BadCallback("too_old")
        try:
            Delivered.model_validate_json(body)
        except ValidationError as error:
            raise BadCallback("unreadable") from error
        account_id = str(endpoint.reference_id)
        return Opened(account_id, body, (INBOX_RUNNER, account_id), "messages")
