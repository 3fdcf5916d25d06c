"""Queuing a message to a customer: what may be sent, what it costs of the window, and in which order.

The conversation's row is locked first, so that of two senders at once each sees what the other left: no message of
the window is spent twice, and none is spent on something that can't be sent. Delivery itself is in `delivery`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from asyncpg import Record
from sqlalchemy import select

from huitouke.kernel import clock
from huitouke.kernel.context import ActorKind, Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import NotFound, Problem
from huitouke.kernel.files import service as files
from huitouke.kernel.ids import new_id
from huitouke.kernel.outreach import Purpose
from huitouke.kernel.work import wake
from huitouke.modules.conversations.channels import ChannelRules, channel
from huitouke.modules.conversations.channels.inbound import summary
from huitouke.modules.conversations.models import (
    ChannelAccount,
    Conversation,
    Message,
    MessageClientId,
    OutboundMessage,
)
from huitouke.modules.conversations.schemas import Card
from huitouke.modules.conversations.service import problems
from huitouke.modules.conversations.service.announce import announce
from huitouke.modules.conversations.service.cards import Body, card_body
from huitouke.modules.conversations.sql import outgoing as sql
from huitouke.modules.customers import service as customers
from huitouke.modules.organization import service as organization

PREVIEW_CHARACTERS: Final = 80
MAX_CLIENT_ID_CHARACTERS: Final = 100

FILE_PURPOSES: Final = frozenset({"message_image", "message_file"})
"""What files may be uploaded for to be sent to customers."""

SenderKind = Literal["assistant", "agent", "system"]
ReplyRefusal = Literal["closed", "with_servicer", "take_first", "already_taken", "window_closed", "no_messages_left"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """What to send: a text, a file that was uploaded before, or a card. Who sends it is the context's actor."""

    purpose: Purpose
    """Why; whether it may go to this person for that is asked when it leaves."""
    text: str | None = None
    file_id: UUID | None = None
    card: Card | None = None
    client_id: str | None = None
    """The same id is never sent twice in one conversation."""


async def send_message(ctx: Context, conversation_id: UUID, request: SendRequest) -> Message:
    """Queues a message of the acting agent, or of a job; gives it with state `queued`.

    The same `client_id` gives the message that was queued first. Raises NotFound, TakeFirst, AlreadyTaken,
    ConversationClosed, WithServicer, WindowClosed, NoMessagesLeft, TextTooLong, EmptyMessage, KindNotSendable,
    FileTooLarge, OneAtATime, and what `card_body` raises.
    """
    row, account = await locked(ctx, conversation_id)
    if (earlier := await sent_before(ctx, conversation_id, request.client_id)) is not None:
        return earlier
    refusal = why_not_reply(row, channel(account.kind).rules, ctx, clock.now())
    if refusal is not None:
        raise await _problem(ctx, refusal, row, account)
    return await queue(ctx, row, account, request)


async def retry_message(ctx: Context, message_id: UUID) -> Message:
    """Sends a message again that failed or whose fate is unknown.

    A repeat keeps the msgid, by which the channel recognises what it has already; only what it had accepted and then
    reported as not delivered gets a new one. Raises NotFound, NotRetryable and what `send_message` raises.
    """
    message = await ctx.session.scalar(select(Message).where(Message.id == message_id))
    if message is None:
        raise NotFound(kind="message")
    row, account = await locked(ctx, message.conversation_id)
    outbound = await ctx.session.scalar(select(OutboundMessage).where(OutboundMessage.id == message_id))
    if outbound is None:
        raise NotFound(kind="message")
    if outbound.state not in ("failed", "unknown"):
        raise problems.NotRetryable
    now = clock.now()
    refusal = why_not_reply(row, channel(account.kind).rules, ctx, now, reserved=outbound.counted)
    if refusal is not None:
        raise await _problem(ctx, refusal, row, account)
    row.seq += 2
    row.state_seq, row.changed_at = row.seq, now
    row.window_left -= 0 if outbound.counted else 1
    message.state, message.failure_code, message.changed_seq = "queued", None, row.seq - 1
    if outbound.accepted_at is not None:
        outbound.msgid = new_id().hex
    outbound.state, outbound.attempts, outbound.next_attempt_at = "queued", 0, now
    outbound.counted, outbound.event_code, outbound.expires_at, outbound.accepted_at = True, None, None, None
    await ctx.session.flush()
    await wake(ctx, "send", str(row.id))
    announce(ctx, row.id, row.seq)
    return message


async def locked(ctx: Context, conversation_id: UUID) -> tuple[Conversation, ChannelAccount]:
    """The conversation, locked until the transaction ends, and its account. Raises NotFound."""
    found = (
        await ctx.session.execute(
            select(Conversation, ChannelAccount)
            .join(
                ChannelAccount,
                (ChannelAccount.id == Conversation.channel_account_id)
                & (ChannelAccount.tenant_id == Conversation.tenant_id),
            )
            .where(Conversation.id == conversation_id)
            .with_for_update(of=Conversation)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if found is None:
        raise NotFound(kind="conversation")
    return found[0], found[1]


async def lock_many(ctx: Context, conversation_ids: Sequence[UUID]) -> dict[UUID, Record]:
    """Conversations with what sending needs of their accounts (`outgoing.LOCK`), locked until the transaction ends.

    Ids that don't exist are missing.
    """
    raw = await connection(ctx)
    return {row["id"]: row for row in await raw.fetch(sql.LOCK, ctx.tenant_id, list(conversation_ids))}


async def sent_before(ctx: Context, conversation_id: UUID, client_id: str | None) -> Message | None:
    """The message that was queued with that client id."""
    if client_id is None:
        return None
    found = select(MessageClientId.message_id).where(
        MessageClientId.conversation_id == conversation_id, MessageClientId.client_id == client_id
    )
    message_id = await ctx.session.scalar(found)
    return None if message_id is None else await ctx.session.scalar(select(Message).where(Message.id == message_id))


def why_not_reply(
    row: Conversation, rules: ChannelRules, ctx: Context, now: datetime, *, reserved: bool = False
) -> ReplyRefusal | None:
    """Why the actor may not write here now; None when they may. `reserved`: costs no further message."""
    if row.state == "closed":
        return "closed"
    if row.handler == "servicer" or row.session_state == rules.sessions.with_servicer:
        return "with_servicer"
    if not rules.sessions.states[row.session_state].may_send:
        return "closed"
    if ctx.actor.kind is ActorKind.STAFF and (row.handler != "agent" or row.staff_id != ctx.actor.id):
        return "already_taken" if row.staff_id is not None else "take_first"
    return why_no_room(row.window_expires_at, row.window_left, now, reserved=reserved)


def why_no_room(
    window_expires_at: datetime | None, window_left: int, now: datetime, *, reserved: bool = False
) -> ReplyRefusal | None:
    """Whether the channel's window has room for one more message."""
    if window_expires_at is None or window_expires_at <= now:
        return "window_closed"
    return "no_messages_left" if window_left < 1 and not reserved else None


async def queue(ctx: Context, row: Conversation, account: ChannelAccount, request: SendRequest) -> Message:
    """Queues what was asked for. The row is locked and whatever forbids sending was refused before.

    Raises TextTooLong, EmptyMessage, OneAtATime, KindNotSendable, FileTooLarge, and what `card_body` raises.
    """
    if ctx.actor.kind is ActorKind.STAFF and ctx.actor.id is not None:
        await customers.follow(ctx, row.customer_id, ctx.actor.id)
    message_id = new_id()
    body = await _body(ctx, request, channel(account.kind).rules, message_id)
    message = Message(
        id=message_id,
        sender_kind=_sender_kind(ctx),
        sender_id=ctx.actor.id if ctx.actor.kind is ActorKind.STAFF else None,
        msgtype=body.msgtype,
        text=body.text,
        content=body.content,
        file_id=body.file_id,
        ai=False,
        client_id=request.client_id,
    )
    if request.client_id is not None:
        ctx.session.add(MessageClientId(conversation_id=row.id, client_id=request.client_id, message_id=message_id))
    shown = body.text if request.card is None else summary(body.msgtype, None, body.content)
    await put(ctx, row, account, message, OutboundMessage(counted=True, purpose=request.purpose), shown)
    if body.file_id is not None:
        await files.attach(ctx, body.file_id, "message", message.id)
    return message


async def put(
    ctx: Context,
    row: Conversation,
    account: ChannelAccount,
    message: Message,
    delivery: OutboundMessage,
    shown: str | None,
) -> None:
    """Writes a message and its delivery as the conversation's last, takes its place in the window, wakes the sender.

    The caller says what is sent, by whom, and under which terms; `shown` stands in the inbox. The row is locked.
    """
    now = clock.now()
    message.conversation_id, message.direction, message.state = row.id, "out", "queued"
    message.seq = message.changed_seq = row.seq + 1
    message.sent_at = message.created_at = now
    delivery.id, delivery.msgid, delivery.seq = message.id, message.id.hex, message.seq
    delivery.conversation_id, delivery.channel_account_id = row.id, account.id
    delivery.state, delivery.attempts, delivery.next_attempt_at = "queued", 0, now
    ctx.session.add_all([message, delivery])
    row.seq += 2
    row.state_seq, row.changed_at = row.seq, now
    row.window_left -= 1 if delivery.counted else 0
    row.last_message_at, row.last_msgtype, row.last_sender = now, message.msgtype, message.sender_kind
    row.last_preview = preview(shown)
    if message.sender_kind != "system":
        row.unread = 0
    await ctx.session.flush()
    await wake(ctx, "send", str(row.id))
    announce(ctx, row.id, row.seq)


def preview(text: str | None) -> str:
    """The first characters of a text, on one line."""
    return " ".join((text or "").split())[:PREVIEW_CHARACTERS]


async def _body(ctx: Context, request: SendRequest, rules: ChannelRules, message_id: UUID) -> Body:
    if (bool(request.text), request.file_id is not None, request.card is not None).count(True) > 1:
        raise problems.OneAtATime(field="text" if request.text else "file_id")
    if request.card is not None:
        return await card_body(ctx, request.card, rules, message_id)
    if request.file_id is not None:
        return await _file_body(ctx, request, request.file_id, rules)
    return Body("text", sendable_text(request.text, None, rules), None, {})


def sendable_text(text: str | None, ai_label: str | None, rules: ChannelRules) -> str:
    """The text without its edges, if it fits together with its sign. Raises EmptyMessage, TextTooLong."""
    text = (text or "").strip()
    if not text:
        raise problems.EmptyMessage(field="text")
    size = len(text.encode()) + len((ai_label or "").encode())
    if size > rules.text_limit_bytes:
        raise problems.TextTooLong(
            field="text",
            bytes=size,
            limit=rules.text_limit_bytes,
            characters=-(-(size - rules.text_limit_bytes) // 3),
        )
    return text


async def _file_body(ctx: Context, request: SendRequest, file_id: UUID, rules: ChannelRules) -> Body:
    file = await files.get(ctx, file_id)
    if file.purpose not in FILE_PURPOSES:
        raise NotFound(field="file_id")
    kind = _file_kind(file.media_type)
    limit = rules.file_limits_bytes.get(kind)
    if limit is None:
        raise problems.KindNotSendable(field="file_id", media_type=file.media_type)
    if file.bytes > limit:
        raise problems.FileTooLarge(field="file_id", bytes=file.bytes, limit=limit, limit_mib=limit // 2**20)
    return Body(kind, None, file_id, {"name": file.name})


def _file_kind(media_type: str) -> str:
    """image, voice and video only in the formats that WeCom takes as such (path/90253), all else as a file."""
    if media_type in ("image/jpeg", "image/png"):
        return "image"
    if media_type == "audio/amr":
        return "voice"
    return "video" if media_type == "video/mp4" else "file"


def _sender_kind(ctx: Context) -> SenderKind:
    if ctx.actor.kind is ActorKind.STAFF:
        return "agent"
    return "assistant" if ctx.actor.kind is ActorKind.ASSISTANT else "system"


async def _problem(ctx: Context, refusal: ReplyRefusal, row: Conversation, account: ChannelAccount) -> Problem:
    rules = channel(account.kind).rules
    match refusal:
        case "closed":
            return problems.ConversationClosed()
        case "with_servicer":
            return problems.WithServicer()
        case "take_first":
            return problems.TakeFirst()
        case "already_taken":
            assert row.staff_id is not None, "the refusal says so"
            names = await organization.staff_names(ctx, [row.staff_id])
            return problems.AlreadyTaken(name=names.get(row.staff_id, ""), staff_id=str(row.staff_id))
        case "window_closed":
            return problems.WindowClosed(hours=int(rules.window.total_seconds() // 3600))
        case "no_messages_left":
            return problems.NoMessagesLeft(limit=rules.window_messages)
