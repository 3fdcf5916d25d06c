"""Names and pictures of customers, asked for in batches after their messages are in."""

from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from huitouke.kernel import realtime
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.work import RetryLater, job
from huitouke.modules.conversations.channels import ChannelError, TellsProfiles, channel, issuer_of
from huitouke.modules.conversations.models import Conversation
from huitouke.modules.conversations.service.accounts import account_failed, channel_account, reference
from huitouke.modules.conversations.service.problems import AccountDisconnected
from huitouke.modules.customers import service as customers

BATCH: Final = 100
"""kf/customer/batchget takes at most 100 (path/95159)."""

MAX_HINTS: Final = 50
RETRY_SECONDS: Final = 30.0


class FetchProfiles(BaseModel):
    """Customers of one account whose names are unknown or old."""

    account_id: UUID
    customer_ids: list[UUID]


@job("conversations.fetch_profiles")
async def fetch_profiles(context: Context, args: FetchProfiles) -> None:
    """Asks in hundreds and stores what is told. Who is not told (no message within 48 hours, so far) is asked again

    with the next page in which they appear: somebody who has just entered has no name yet and writes a moment later.
    """
    async with transaction(context) as ctx:
        try:
            account = reference(await channel_account(ctx, args.account_id))
        except AccountDisconnected:
            return
        offered = channel(account.kind)
        if not isinstance(offered, TellsProfiles):
            return
        issuer = await issuer_of(ctx, account)
        rows = await ctx.session.execute(
            select(Conversation.customer_address, Conversation.customer_id, Conversation.id).where(
                Conversation.channel_account_id == account.id, Conversation.customer_id.in_(args.customer_ids)
            )
        )
        known = {row.customer_address: (row.customer_id, row.id) for row in rows}
    for addresses in _hundreds(list(known)):
        try:
            told = await offered.profiles(context, account, addresses)
        except ChannelError as error:
            if not error.final:
                raise RetryLater(error.code, after_seconds=error.retry_after_seconds or RETRY_SECONDS) from error
            if error.account_at_fault:
                async with transaction(context) as ctx:
                    await account_failed(ctx, account.id, error.code)
            return
        updates = [
            customers.ProfileUpdate(
                customer_id=known[profile.address][0],
                name=profile.name,
                avatar_url=profile.avatar_url,
                gender=profile.gender,
                unionid=profile.unionid,
            )
            for profile in told
            if profile.address in known
        ]
        async with transaction(context) as ctx:
            await customers.update_profiles(ctx, issuer, updates)
            _hint(ctx, [known[address][1] for address in addresses])


def _hint(ctx: Context, conversation_ids: list[UUID]) -> None:
    """Lists show the new names; beyond fifty one hint for the whole inbox is cheaper for everybody."""
    if len(conversation_ids) > MAX_HINTS:
        realtime.hint(ctx, kind="inbox")
        return
    for conversation_id in conversation_ids:
        realtime.hint(ctx, kind="inbox", id=conversation_id)


def _hundreds(addresses: list[str]) -> list[list[str]]:
    return [addresses[start : start + BATCH] for start in range(0, len(addresses), BATCH)]
