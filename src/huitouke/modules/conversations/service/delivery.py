"""Delivery of queued messages: the step to `sending` commits before the call, the result after it.

The conversation's row is locked before anything else, as everywhere, so that nobody waits for each other in a circle.
The sender of a conversation is one runner, so messages leave in the order of their numbers. A message found in
`sending` was interrupted (or its answer lost): it is repeated with the same msgid, and "known already" (95033) then
means that it had arrived.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.events import Event, emit
from huitouke.kernel.work import enqueue
from huitouke.modules.conversations.channels import AccountRef, ChannelError, Outgoing, channel
from huitouke.modules.conversations.events import MessageFailed, MessageSent
from huitouke.modules.conversations.models import (
    ChannelAccount,
    ChannelMedia,
    Conversation,
    Message,
    OutboundMessage,
)
from huitouke.modules.conversations.service.accounts import reference
from huitouke.modules.conversations.service.announce import announce
from huitouke.modules.conversations.service.sending import locked

RETRY_SECONDS: Final = (2, 5, 15, 30, 60, 120, 300, 600)
"""Pauses between attempts; WeCom's own (45009: 60 s) where that is longer."""

MEDIA_LIFETIME: Final = timedelta(days=3) - timedelta(hours=1)
"""WeCom keeps uploaded media for three days (path/90253); an hour early is safe."""

EXPIRED: Final = "event_code_expired"
"""Failure code: the time in which an event may be answered was over (path/95122)."""
DISCONNECTED: Final = "account_disconnected"
"""Failure code: the account was disconnected before the message could leave."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way: what the call needs, read before it."""

    message_id: UUID
    conversation_id: UUID
    account: AccountRef
    outgoing: Outgoing
    file_id: UUID | None
    attempts: int
    expired: bool


@dataclass(frozen=True, slots=True)
class Later:
    """The next message may only be tried again at this moment."""

    at: datetime


async def begin_next(ctx: Context, conversation_id: UUID) -> Delivery | Later | None:
    """Takes the first message that has not left, counts the attempt and sets it to `sending`; None: nothing is left.

    What answers an event goes before the rest: its code is soon over.
    """
    row, account = await locked(ctx, conversation_id)
    if account.state == "disconnected":
        await _can_not_leave(ctx, row)
        return None
    outbound = await ctx.session.scalar(
        select(OutboundMessage)
        .where(OutboundMessage.conversation_id == conversation_id, OutboundMessage.state.in_(("queued", "sending")))
        .order_by(OutboundMessage.event_code.is_(None), OutboundMessage.seq)
        .limit(1)
    )
    if outbound is None:
        return None
    now = clock.now()
    if outbound.next_attempt_at > now:
        return Later(outbound.next_attempt_at)
    message = await _message(ctx, outbound.id)
    if message.state != "sending":
        row.seq += 1
        message.state, message.changed_seq = "sending", row.seq
        announce(ctx, row.id, row.seq)
    outbound.state = "sending"
    outbound.attempts += 1
    await ctx.session.flush()
    return Delivery(
        message_id=message.id,
        conversation_id=row.id,
        account=reference(account),
        outgoing=Outgoing(
            address=row.customer_address,
            msgtype=message.msgtype,
            text=message.text,
            content=message.content,
            media_id=await _known_media(ctx, account.id, message.file_id, now),
            msgid=outbound.msgid,
            ai_label=outbound.ai_label,
            event_code=outbound.event_code,
        ),
        file_id=message.file_id,
        attempts=outbound.attempts,
        expired=outbound.expires_at is not None and outbound.expires_at <= now,
    )


async def pending(ctx: Context, conversation_id: UUID) -> bool:
    """Whether something of the conversation is queued and may be sent at once."""
    found = await ctx.session.scalar(
        select(OutboundMessage.id)
        .where(
            OutboundMessage.conversation_id == conversation_id,
            OutboundMessage.state.in_(("queued", "sending")),
            OutboundMessage.next_attempt_at <= clock.now(),
        )
        .limit(1)
    )
    return found is not None


async def accepted(ctx: Context, delivery: Delivery, external_msgid: str) -> None:
    """The channel took it: `sent`, with the channel's id on file, so that a later report of failure finds it."""
    now = clock.now()
    row, account = await locked(ctx, delivery.conversation_id)
    outbound = await _outbound(ctx, delivery)
    if outbound is None:
        return
    message = await _message(ctx, outbound.id)
    rules = channel(account.kind).rules
    row.seq += 2
    row.state_seq, row.changed_at = row.seq, now
    if outbound.event_code is None:
        row.session_state = rules.sessions.after_send.get(row.session_state, row.session_state)
    message.state, message.changed_seq, message.sent_at = "sent", row.seq - 1, now
    message.external_msgid, message.failure_code = external_msgid, None
    outbound.state, outbound.accepted_at, outbound.error_code = "sent", now, None
    await ctx.session.flush()
    raw = await connection(ctx)
    await raw.execute(
        "INSERT INTO message_receipts (tenant_id, channel_account_id, external_msgid, message_id)"
        " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        ctx.tenant_id,
        account.id,
        external_msgid,
        message.id,
    )
    await _tell(
        ctx,
        row,
        MessageSent(
            message_id=message.id,
            seq=message.seq,
            msgtype=message.msgtype,
            sender_kind=message.sender_kind,
            ai=message.ai,
        ),
    )


async def refused(ctx: Context, delivery: Delivery, error: ChannelError) -> Later | None:
    """The channel did not take it. Gives when to try again; None when it is decided: failed, or unknown.

    What never left gives its place in the window back; what the channel says of the window or the session is noted.
    """
    now = clock.now()
    row, account = await locked(ctx, delivery.conversation_id)
    outbound = await _outbound(ctx, delivery)
    if outbound is None:
        return None
    again = not error.final or (error.media_gone and delivery.file_id is not None and outbound.attempts == 1)
    if again and outbound.attempts <= len(RETRY_SECONDS):
        pause = RETRY_SECONDS[outbound.attempts - 1] if not error.media_gone else 0
        at = now + timedelta(seconds=max(pause, error.retry_after_seconds or 0))
        outbound.next_attempt_at, outbound.error_code = at, error.code
        if error.media_gone:
            await _forget_media(ctx, delivery)
        await ctx.session.flush()
        return Later(at)
    message = await _message(ctx, outbound.id)
    state = "unknown" if error.may_have_happened else "failed"
    row.seq += 2
    row.state_seq, row.changed_at = row.seq, now
    code = EXPIRED if outbound.event_code is not None and error.news == "code_over" else error.code
    message.state, message.failure_code, message.changed_seq = state, code, row.seq - 1
    outbound.state, outbound.error_code = state, code
    await ctx.session.flush()
    await _note_what_it_means(ctx, row, account, outbound, error)
    await _tell(
        ctx,
        row,
        MessageFailed(message_id=message.id, failure_code=code, sender_kind=message.sender_kind),
    )
    return None


async def keep_media(ctx: Context, delivery: Delivery, media_id: str) -> None:
    """Remembers what the channel calls the file, for as long as it keeps it."""
    assert delivery.file_id is not None, "only files are uploaded"
    await ctx.session.merge(
        ChannelMedia(
            tenant_id=ctx.tenant_id,
            channel_account_id=delivery.account.id,
            file_id=delivery.file_id,
            media_id=media_id,
            expires_at=clock.now() + MEDIA_LIFETIME,
        )
    )


async def _can_not_leave(ctx: Context, row: Conversation) -> None:
    """The account is disconnected: whatever was still to be sent has failed, and says so."""
    waiting = await ctx.session.scalars(
        select(OutboundMessage)
        .where(OutboundMessage.conversation_id == row.id, OutboundMessage.state.in_(("queued", "sending")))
        .order_by(OutboundMessage.seq)
    )
    for outbound in waiting.all():
        message = await _message(ctx, outbound.id)
        row.seq += 1
        message.state, message.failure_code, message.changed_seq = "failed", DISCONNECTED, row.seq
        outbound.state, outbound.error_code = "failed", DISCONNECTED
        event = MessageFailed(message_id=message.id, failure_code=DISCONNECTED, sender_kind=message.sender_kind)
        await ctx.session.flush()
        await _tell(ctx, row, event)


async def _note_what_it_means(
    ctx: Context, row: Conversation, account: ChannelAccount, outbound: OutboundMessage, error: ChannelError
) -> None:
    if error.news == "used_up":
        row.window_left = 0
    elif error.news == "over":
        row.window_expires_at = clock.now()
    elif error.news == "session_changed":
        await enqueue(ctx, "conversations.refresh_session", {"conversation_id": str(row.id)})
    if outbound.counted and not error.may_have_happened and error.news != "used_up":
        outbound.counted = False
        row.window_left = min(row.window_left + 1, channel(account.kind).rules.window_messages)
    await ctx.session.flush()


async def _outbound(ctx: Context, delivery: Delivery) -> OutboundMessage | None:
    """The row while it is still on its way: WeCom may have reported a failure meanwhile. The conversation is locked."""
    return await ctx.session.scalar(
        select(OutboundMessage).where(OutboundMessage.id == delivery.message_id, OutboundMessage.state == "sending")
    )


async def _message(ctx: Context, message_id: UUID) -> Message:
    message = await ctx.session.scalar(select(Message).where(Message.id == message_id))
    assert message is not None, "a delivery is written together with its message"
    return message


async def _known_media(ctx: Context, account_id: UUID, file_id: UUID | None, now: datetime) -> str | None:
    if file_id is None:
        return None
    return await ctx.session.scalar(
        select(ChannelMedia.media_id).where(
            ChannelMedia.channel_account_id == account_id,
            ChannelMedia.file_id == file_id,
            ChannelMedia.expires_at > now,
        )
    )


async def _forget_media(ctx: Context, delivery: Delivery) -> None:
    await ctx.session.execute(
        update(ChannelMedia)
        .where(ChannelMedia.channel_account_id == delivery.account.id, ChannelMedia.file_id == delivery.file_id)
        .values(expires_at=clock.now())
        .execution_options(synchronize_session=False)
    )


async def _tell(ctx: Context, row: Conversation, event: Event) -> None:
    envelope: dict[str, Any] = {"customer_id": row.customer_id, "conversation_id": row.id}
    await emit(ctx, event.model_copy(update=envelope))
    announce(ctx, row.id, row.seq)
