"""Delivery of queued messages: the step to `sending` commits before the call, the result after it.

The conversation's row is locked before anything else, as everywhere, so that nobody waits for each other in a circle.
The sender of a conversation is one runner, so messages leave in the order of their numbers. A message found in
`sending` was interrupted (or its answer lost): it is repeated with the same msgid, and "known already" (95033) then
means that it had arrived.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from asyncpg import Record
from sqlalchemy import select, update

from huitouke.kernel import clock, outreach
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.events import Event, emit, emit_many
from huitouke.kernel.outreach import Purpose, Recipient
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
from huitouke.modules.conversations.service.announce import announce
from huitouke.modules.conversations.service.sending import lock_many, locked
from huitouke.modules.conversations.sql import outgoing as sql

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


async def begin(ctx: Context, conversation_ids: Sequence[UUID]) -> list[Delivery | Later | None]:
    """Takes of each conversation the first message that has not left, counts the attempt and sets it to `sending`.

    None: nothing is left. What answers an event goes before the rest: its code is soon over.
    """
    rows = await lock_many(ctx, conversation_ids)
    for row in rows.values():
        if row["account_state"] == "disconnected":
            await _can_not_leave(ctx, (await locked(ctx, row["id"]))[0])
    now = clock.now()
    raw = await connection(ctx)
    rows, found = await _next(ctx, rows, now)
    due = {key: row for key, row in found.items() if row["next_attempt_at"] <= now}
    if due:
        seqs = {key: rows[key]["seq"] + (row["message_state"] != "sending") for key, row in due.items()}
        ids = [row["id"] for row in due.values()]
        await raw.execute(sql.BEGIN, ctx.tenant_id, ids, list(due), list(seqs.values()))
        for key, seq in seqs.items():
            announce(ctx, key, seq)
    steps: dict[UUID, Delivery | Later] = {}
    for key, row in found.items():
        steps[key] = await _delivery(ctx, rows[key], row, now) if key in due else Later(row["next_attempt_at"])
    return [steps.get(key) for key in conversation_ids]


async def _next(
    ctx: Context, rows: Mapping[UUID, Record], now: datetime
) -> tuple[dict[UUID, Record], dict[UUID, Record]]:
    """What leaves next in each conversation, without what may not go to its customer: that has failed, and says why.

    Gives the conversations, locked, and their messages.
    """
    raw = await connection(ctx)
    rows = dict(rows)
    found: dict[UUID, Record] = {}
    asked = list(rows)
    while asked:
        fresh = {row["conversation_id"]: row for row in await raw.fetch(sql.NEXT, ctx.tenant_id, asked)}
        found = {key: row for key, row in found.items() if key not in asked} | fresh
        against = await _against(ctx, rows, [row for row in fresh.values() if row["next_attempt_at"] <= now])
        for key, reason in against.items():
            await _must_not_leave(ctx, key, found[key]["id"], f"outreach.{reason}")
        asked = list(against)
        rows.update(await lock_many(ctx, asked) if asked else {})
    return rows, found


async def _against(ctx: Context, rows: Mapping[UUID, Record], leaving: Sequence[Record]) -> dict[UUID, str]:
    """By conversation what speaks against its next message. One question per channel and purpose."""
    groups: dict[tuple[str, Purpose], dict[Recipient, UUID]] = {}
    for row in sorted(leaving, key=lambda one: one["conversation_id"]):
        key = row["conversation_id"]
        group = groups.setdefault((rows[key]["kind"], row["purpose"]), {})
        group[Recipient(rows[key]["customer_id"], message_id=row["id"])] = key
    found: dict[UUID, str] = {}
    for (kind, purpose), group in groups.items():
        refused = await outreach.refusals(ctx, list(group), channel=kind, purpose=purpose)
        found.update({group[recipient]: reason for recipient, reason in refused.items()})
    return found


async def _must_not_leave(ctx: Context, conversation_id: UUID, message_id: UUID, code: str) -> None:
    """The message stays here, and its place in the window is free again. One that was tried may be there already."""
    row, account = await locked(ctx, conversation_id)
    outbound = await ctx.session.scalar(select(OutboundMessage).where(OutboundMessage.id == message_id))
    assert outbound is not None, "it was to leave next"
    if outbound.counted and outbound.attempts == 0:
        row.window_left = min(row.window_left + 1, channel(account.kind).rules.window_messages)
        outbound.counted = False
    await _fail(ctx, row, outbound, code, "failed" if outbound.attempts == 0 else "unknown")


async def _fail(ctx: Context, row: Conversation, outbound: OutboundMessage, code: str, state: str = "failed") -> None:
    message = await _message(ctx, outbound.id)
    row.seq += 1
    message.state, message.failure_code, message.changed_seq = state, code, row.seq
    outbound.state, outbound.error_code = state, code
    event = MessageFailed(message_id=message.id, failure_code=code, sender_kind=message.sender_kind)
    await ctx.session.flush()
    await _tell(ctx, row, event)


async def _delivery(ctx: Context, conversation: Record, row: Record, now: datetime) -> Delivery:
    media_id = await _known_media(ctx, conversation["account_id"], row["file_id"], now)
    return Delivery(
        message_id=row["id"],
        conversation_id=conversation["id"],
        account=AccountRef(
            conversation["account_id"],
            conversation["kind"],
            conversation["external_id"],
            conversation["wecom_app_id"],
            conversation["account_name"],
        ),
        outgoing=Outgoing(
            address=conversation["customer_address"],
            msgtype=row["msgtype"],
            text=row["text"],
            content=row["content"],
            media_id=media_id,
            msgid=row["msgid"],
            ai_label=row["ai_label"],
            event_code=row["event_code"],
        ),
        file_id=row["file_id"],
        attempts=row["attempts"] + 1,
        expired=row["expires_at"] is not None and row["expires_at"] <= now,
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


async def accepted(ctx: Context, taken: Sequence[tuple[Delivery, str]]) -> list[bool]:
    """The channel took these messages and calls them so: `sent`. Of each whether its conversation has more to send."""
    rows = await lock_many(ctx, [delivery.conversation_id for delivery, _ in taken])
    raw = await connection(ctx)
    ids = [delivery.message_id for delivery, _ in taken]
    sent = {row["id"]: row for row in await raw.fetch(sql.ON_THEIR_WAY, ctx.tenant_id, ids)}
    # What is not on its way any more was reported as failed meanwhile.
    done = [
        _Accepted(rows[delivery.conversation_id], sent[delivery.message_id], msgid)
        for delivery, msgid in taken
        if delivery.message_id in sent
    ]
    if done:
        await raw.execute(sql.ACCEPT, ctx.tenant_id, *_columns(done), clock.now())
        await emit_many(ctx, [one.event() for one in done])
    for one in done:
        announce(ctx, one.conversation["id"], one.seq)
    return [sent[key]["more"] if key in sent else True for key in ids]


@dataclass(frozen=True, slots=True)
class _Accepted:
    """A conversation (locked), its message that the channel has, and what the channel calls it."""

    conversation: Record
    message: Record
    msgid: str

    @property
    def seq(self) -> int:
        """Of the conversation, after it: one for the message, one for its own state."""
        return int(self.conversation["seq"]) + 2

    @property
    def session_state(self) -> int:
        state = int(self.conversation["session_state"])
        if self.message["event_code"] is not None:
            return state
        return channel(self.conversation["kind"]).rules.sessions.after_send.get(state, state)

    def event(self) -> MessageSent:
        message = self.message
        return MessageSent(
            customer_id=self.conversation["customer_id"],
            conversation_id=self.conversation["id"],
            message_id=message["id"],
            seq=message["seq"],
            msgtype=message["msgtype"],
            sender_kind=message["sender_kind"],
            ai=message["ai"],
        )


def _columns(done: Sequence[_Accepted]) -> list[list[Any]]:
    return [
        [one.message["id"] for one in done],
        [one.conversation["id"] for one in done],
        [one.conversation["account_id"] for one in done],
        [one.msgid for one in done],
        [one.seq for one in done],
        [one.session_state for one in done],
    ]


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
        await _fail(ctx, row, outbound, DISCONNECTED)


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
