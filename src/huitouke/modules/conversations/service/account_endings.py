"""The end of an account here: disconnected, or deleted at WeCom as well. Its conversations stay readable."""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from huitouke.kernel import audit, clock, realtime
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.events import emit_many
from huitouke.kernel.ids import new_id
from huitouke.kernel.work import wake_many
from huitouke.modules.conversations.channels import channel
from huitouke.modules.conversations.events import Closed
from huitouke.modules.conversations.models import ChannelAccount, Conversation, Message
from huitouke.modules.conversations.service.accounts import connected_account, kf_client, refused
from huitouke.modules.conversations.service.announce import announce
from huitouke.modules.conversations.service.handling import CARD_RUNNER
from huitouke.modules.conversations.sql.account_endings import CLOSE_CONVERSATIONS
from huitouke.wechat.errors import WecomError

GONE: Final = 95000
"""WeCom's code: there is no such account (any more)."""

MAX_ANNOUNCED: Final = 50
"""Beyond this, one hint for the whole inbox is cheaper for everybody."""


async def open_conversations(ctx: Context, account_id: UUID) -> int:
    """How many conversations the end of the account would close."""
    counted = select(func.count(Conversation.id)).where(
        Conversation.channel_account_id == account_id, Conversation.state == "open"
    )
    return await ctx.session.scalar(counted) or 0


async def disconnect_account(context: Context, account_id: UUID, *, delete_at_wecom: bool) -> None:
    """Ends the account: nothing comes in or goes out any more, open conversations are closed, all can be read.

    `delete_at_wecom` deletes the 客服账号 there first (path/94663), which nobody can undo. Raises NotFound,
    WecomRefused.
    """
    if delete_at_wecom:
        await _delete_at_wecom(context, account_id)
    async with transaction(context) as ctx:
        account = await ctx.session.scalar(
            select(ChannelAccount)
            .where(ChannelAccount.id == account_id, ChannelAccount.state != "disconnected")
            .with_for_update(key_share=True)
        )
        if account is None:
            raise NotFound(kind="channel_account")
        account.state, account.wecom_app_id, account.last_error_code = "disconnected", None, None
        if delete_at_wecom:
            account.link_url = None
        await ctx.session.flush()
        closed = await _close_conversations(ctx, account)
        await audit.record(
            ctx,
            "conversations.account_deleted" if delete_at_wecom else "conversations.account_disconnected",
            "channel_account",
            account_id,
            before={"name": account.name},
            after={"closed_conversations": closed},
        )
        realtime.hint(ctx, kind="channel_account", id=account_id)


async def _delete_at_wecom(context: Context, account_id: UUID) -> None:
    async with transaction(context) as ctx:
        account = await connected_account(ctx, account_id)
    kf = await kf_client(context, account)
    try:
        await kf.delete_account(account.external_id)
    except WecomError as error:
        if error.errcode != GONE:
            raise refused(context, error) from error


async def _close_conversations(ctx: Context, account: ChannelAccount) -> int:
    """Closes all that is open, with a line in each that says why; gives their number."""
    raw = await connection(ctx)
    now = clock.now()
    ended = channel(account.kind).rules.sessions.ended
    rows = await raw.fetch(CLOSE_CONVERSATIONS, ctx.tenant_id, account.id, now, ended)
    ctx.session.add_all(
        Message(
            id=new_id(),
            conversation_id=row["id"],
            seq=row["seq"] - 1,
            changed_seq=row["seq"] - 1,
            direction="in",
            sender_kind="system",
            msgtype="event",
            content={"event_type": "account_disconnected"},
            ai=False,
            state="received",
            sent_at=now,
            created_at=now,
        )
        for row in rows
    )
    await ctx.session.flush()
    if rows:
        await emit_many(ctx, [Closed(customer_id=row["customer_id"], conversation_id=row["id"]) for row in rows])
        await wake_many(ctx, CARD_RUNNER, {str(row["handover_id"]) for row in rows if row["handover_id"] is not None})
        _tell(ctx, {row["id"]: row["seq"] for row in rows})
    return len(rows)


def _tell(ctx: Context, heads: dict[UUID, int]) -> None:
    if len(heads) > MAX_ANNOUNCED:
        realtime.hint(ctx, kind="inbox")
    else:
        for conversation_id, seq in heads.items():
            announce(ctx, conversation_id, seq)
    realtime.hint(ctx, kind="counts")
