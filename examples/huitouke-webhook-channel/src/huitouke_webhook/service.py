"""The plug-in's use cases."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import lowest_id, new_id, time_of
from huitouke.kernel.keys import Secret
from huitouke.kernel.outgoing import AddressRefused, checked_address
from huitouke.modules.conversations import service as conversations
from huitouke_webhook.callbacks import KIND, Delivered, Written
from huitouke_webhook.models import WebhookTarget

AT_ONCE: Final = 50
"""Requests of at most 20 messages: a thousand."""

LATE: Final = timedelta(minutes=1)
"""Two requests of the same moment may be stored in the other order: so far back is read again."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A new account: where to post to, and what to sign with."""

    account_id: UUID
    path: str
    secret: Secret = field(repr=False)


async def connect(ctx: Context, name: str, url: str) -> Connected:
    """An account whose answers go to `url`. Raises InvalidInput."""
    try:
        address = checked_address(url)
    except AddressRefused as refused:
        raise InvalidInput(field="url", reason=refused.word) from refused
    account = await conversations.add_account(ctx, KIND, new_id().hex, name)
    endpoint = await callbacks.create_endpoint(ctx, KIND, account.id, account.external_id)
    ctx.session.add(WebhookTarget(account_id=account.id, url=address.base_url))
    await ctx.session.flush()
    return Connected(account.id, f"/callbacks/{KIND}/{endpoint.callback_id}", endpoint.token)


async def target(ctx: Context, account_id: UUID) -> tuple[str, Secret]:
    """The address of the account's answers, and the key that signs them. Raises NotFound."""
    endpoint = await callbacks.endpoint_of(ctx, account_id)
    return (await _row(ctx, account_id)).url, endpoint.token


async def take_in_next(ctx: Context, account_id: UUID, *, again_from: bool) -> bool:
    """Takes in the next requests; False when there are no more. `again_from`: those that came late too.

    The messages and how far was read commit together; what is read twice is left out by its id. Raises NotFound when
    the account is disconnected.
    """
    row = await _row(ctx, account_id)
    after = row.read_until
    if after is not None and again_from:
        after = lowest_id(time_of(after) - LATE)
    bodies = await callbacks.bodies_after(ctx, KIND, str(account_id), after, limit=AT_ONCE)
    found = [(body, one) for body in bodies for one in Delivered.model_validate_json(body.body).messages]
    items = [_inbound(one, one.sent_at or body.received_at) for body, one in found]
    if items:
        await conversations.receive(ctx, account_id, items)
        row.read_until = bodies[-1].id
    return len(bodies) == AT_ONCE


def _inbound(one: Written, at: datetime) -> conversations.Inbound:
    """A message in the words of all channels."""
    return conversations.Inbound(
        msgid=one.id, address=one.customer, at=at, who="customer", msgtype="text", text=one.text, content={}
    )


async def _row(ctx: Context, account_id: UUID) -> WebhookTarget:
    row = await ctx.session.scalar(select(WebhookTarget).where(WebhookTarget.account_id == account_id))
    if row is None:
        raise NotFound(kind="channel_account")
    return row
