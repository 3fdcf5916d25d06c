"""What the shop's people are told of accounts and of messages that didn't arrive."""

from collections import defaultdict
from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.scoping import NOBODYS
from huitouke.modules.conversations.models import ChannelAccount, Conversation, Message
from huitouke.modules.customers import service as customers
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.service import Holders, NoticeKind, People

MANAGE: Final = "conversations.manage"
REPLY: Final = "conversations.reply"

ACCOUNT_FAILING: Final = NoticeKind("conversations.account_failing", MANAGE, urgent=True)
ACCOUNT_RESTORED: Final = NoticeKind("conversations.account_restored", MANAGE)
SEND_FAILED: Final = NoticeKind("conversations.send_failed", REPLY, to_groups=False)
NOTICE_KINDS: Final = (ACCOUNT_FAILING, ACCOUNT_RESTORED, SEND_FAILED)


async def tell_failing(ctx: Context, account_id: UUID, code: str) -> bool:
    """Marks an account that worked as failing and tells who connects accounts; False when it failed before.

    One that fails and works by turns is told of once an hour.
    """
    name = await ctx.session.scalar(
        update(ChannelAccount)
        .where(ChannelAccount.id == account_id, ChannelAccount.state == "active")
        .values(state="failing", last_error_code=code, last_error_at=clock.now())
        .returning(ChannelAccount.name)
        .execution_options(synchronize_session=False)
    )
    if name is None:
        return False
    await _tell_account(ctx, ACCOUNT_FAILING, account_id, name)
    return True


async def tell_restored(ctx: Context, account_id: UUID, name: str) -> None:
    """What was wrong with the account is over."""
    await _tell_account(ctx, ACCOUNT_RESTORED, account_id, name)


async def tell_not_sent(ctx: Context, message_ids: Collection[UUID]) -> None:
    """Whoever wrote the messages, else who has the conversation, else everybody who could answer there.

    One notice per person for all of these messages, and one for those that are nobody's: at most as many as people
    wrote them. Of the same conversation nobody is told twice within an hour.
    """
    rows = await ctx.session.execute(
        select(Message.sender_kind, Message.sender_id, Conversation.id, Conversation.customer_id, Conversation.staff_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.id.in_(message_ids))
    )
    told: dict[UUID | None, dict[UUID, UUID]] = defaultdict(dict)
    for row in rows:
        writer = row.sender_id if row.sender_kind == "agent" else None
        told[writer or row.staff_id][row.id] = row.customer_id
    for staff_id, conversations in told.items():
        (conversation_id, customer_id), *more = conversations.items()
        link = f"/conversations/{conversation_id}" if not more else "/conversations"
        key = f"send_failed:{conversation_id}:{_hour()}"
        to: organization.Recipients
        if staff_id is not None:
            to = People((staff_id,))
        else:
            owners = NOBODYS if more else (await customers.owners(ctx, [customer_id])).get(customer_id, NOBODYS)
            to = Holders(REPLY, of=owners)
        await organization.tell(ctx, SEND_FAILED, to, dedupe_key=key, args={"count": len(conversations)}, link=link)


async def _tell_account(ctx: Context, kind: NoticeKind, account_id: UUID, name: str) -> None:
    await organization.tell(
        ctx,
        kind,
        Holders(MANAGE),
        dedupe_key=f"{kind.name}:{account_id}:{_hour()}",
        args={"account": name},
        link=f"/settings/channels/accounts/{account_id}",
    )


def _hour() -> str:
    return f"{clock.now():%Y%m%d%H}"
