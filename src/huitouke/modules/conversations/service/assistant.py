"""What the assistant sees of a conversation, and how it answers: never beside a person, never twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import or_, select

from huitouke.kernel import clock
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.modules.conversations.channels import channel
from huitouke.modules.conversations.models import ChannelAccount, Conversation, Message
from huitouke.modules.conversations.service.handling import conversation
from huitouke.modules.conversations.service.sending import SendRequest, locked, queue, sent_before, why_no_room

HISTORY_MESSAGES: Final = 10
DEFAULT_AI_LABEL: Final = "【AI 助手】"

Role = Literal["customer", "assistant", "agent", "servicer"]
OvertakenReason = Literal["person", "newer_message", "closed", "paused", "off", "window"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the history. `text` is empty for pictures and the like; `msgtype` says what it was."""

    role: Role
    text: str
    seq: int
    msgtype: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class AssistantView:
    """A conversation as the assistant needs it."""

    conversation_id: UUID
    customer_id: UUID
    channel_account_id: UUID
    state: Literal["open", "closed"]
    handler: Literal["assistant", "agent", "servicer"]
    paused: bool
    enabled: bool
    """Whether the account lets the assistant answer at all."""
    last_messages: Sequence[Turn]
    """The last ten messages, oldest first; lines about the conversation itself are left out."""
    last_customer_seq: int
    window_left: int
    window_expires_at: datetime | None
    text_limit_bytes: int
    """What an answer with its sign may hold, in UTF-8."""

    @property
    def may_answer(self) -> bool:
        """Whether it is the assistant's turn now."""
        return self.state == "open" and self.handler == "assistant" and self.enabled and not self.paused


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The answer was not sent, because meanwhile it was no longer the assistant's turn."""

    reason: OvertakenReason


async def assistant_view(ctx: Context, conversation_id: UUID) -> AssistantView:
    """The conversation with its last ten messages. Raises NotFound."""
    row = await conversation(ctx, conversation_id)
    account = await ctx.session.scalar(select(ChannelAccount).where(ChannelAccount.id == row.channel_account_id))
    assert account is not None, "a foreign key holds it"
    messages = (
        await ctx.session.scalars(
            select(Message)
            .where(
                Message.conversation_id == conversation_id,
                Message.sender_kind != "system",
                Message.recalled_at.is_(None),
                Message.state != "failed",
            )
            .order_by(Message.seq.desc())
            .limit(HISTORY_MESSAGES)
        )
    ).all()
    return AssistantView(
        conversation_id=row.id,
        customer_id=row.customer_id,
        channel_account_id=row.channel_account_id,
        state="open" if row.state == "open" else "closed",
        handler=row.handler,  # type: ignore[arg-type]  # a CHECK holds the three values
        paused=_paused(row),
        enabled=account.assistant_enabled,
        last_messages=[
            Turn(message.sender_kind, message.text or "", message.seq, message.msgtype, message.sent_at)  # type: ignore[arg-type]  # a CHECK holds the values
            for message in reversed(messages)
        ],
        last_customer_seq=row.last_customer_seq,
        window_left=row.window_left,
        window_expires_at=row.window_expires_at,
        text_limit_bytes=channel(account.kind).rules.text_limit_bytes,
    )


async def answerable(ctx: Context, conversation_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the conversations in which it is the assistant's turn now, found with one query."""
    now = clock.now()
    return set(
        await ctx.session.scalars(
            select(Conversation.id)
            .join(ChannelAccount, ChannelAccount.id == Conversation.channel_account_id)
            .where(
                Conversation.id.in_(conversation_ids),
                Conversation.state == "open",
                Conversation.handler == "assistant",
                ChannelAccount.assistant_enabled,
                or_(Conversation.assistant_paused_until.is_(None), Conversation.assistant_paused_until <= now),
            )
        )
    )


async def send_assistant_reply(
    ctx: Context,
    conversation_id: UUID,
    text: str,
    answered_seq: int,
    trace_id: UUID,
    *,
    ai_label: str = DEFAULT_AI_LABEL,
) -> Message | Overtaken:
    """Queues an answer, unless a person took over or the customer wrote something newer than `answered_seq`.

    The channel puts `ai_label` before the text when it sends; history keeps the mark. The same trace is never sent
    twice. Raises NotFound, TextTooLong, EmptyMessage.
    """
    row, account = await locked(ctx, conversation_id)
    client_id = f"trace:{trace_id}"
    if (earlier := await sent_before(ctx, conversation_id, client_id)) is not None:
        return earlier
    if (reason := _overtaken(row, account, answered_seq)) is not None:
        return Overtaken(reason)
    return await queue(
        ctx.acting_as(Actor(ActorKind.ASSISTANT)),
        row,
        account,
        SendRequest(text=text, client_id=client_id, ai=True, ai_label=ai_label, content={"trace_id": str(trace_id)}),
    )


def _overtaken(row: Conversation, account: ChannelAccount, answered_seq: int) -> OvertakenReason | None:
    if row.state == "closed":
        return "closed"
    rules = channel(account.kind).rules
    if row.handler != "assistant" or row.session_state == rules.sessions.with_servicer:
        return "person"
    if row.last_customer_seq > answered_seq:
        return "newer_message"
    if not account.assistant_enabled:
        return "off"
    if _paused(row):
        return "paused"
    if not rules.sessions.states[row.session_state].may_send or why_no_room(row, clock.now()) is not None:
        return "window"
    return None


def _paused(row: Conversation) -> bool:
    return row.assistant_paused_until is not None and row.assistant_paused_until > clock.now()
