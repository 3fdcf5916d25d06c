"""What a visitor may read: the one conversation that is theirs, in the words of `visitor_schemas`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from huitouke.kernel.context import ActorKind, Context
from huitouke.modules.conversations.channels.website import KIND
from huitouke.modules.conversations.models import ChannelAccount, Conversation, Message
from huitouke.modules.conversations.visitor_schemas import Author, Chat, Line, VisitorMessage

PAGE_MESSAGES: Final = 50
MAX_MISSED: Final = 500

_AUTHORS: Final[dict[str, Author]] = {
    "customer": "visitor",
    "assistant": "assistant",
    "agent": "person",
    "servicer": "person",
    "system": "shop",
}
_LINES: Final[dict[str, Line]] = {
    "handed_over": "handed_over",
    "staff_asked": "handed_over",
    "taken": "taken",
    "closed": "closed",
}
"""Lines of a conversation that are the visitor's business, by what the console calls them."""

SEPARATOR: Final = ":"


def external_msgid(visitor_id: UUID, client_id: str) -> str:
    """How a visitor's message is known for ever: nobody else can name it."""
    return f"{visitor_id.hex}{SEPARATOR}{client_id}"


def shown_to_visitors() -> ColumnElement[bool]:
    """What was written here by the visitor, what was delivered, and the lines that concern them."""
    return or_(
        and_(Message.msgtype != "event", Message.direction == "in", Message.sender_kind == "customer"),
        and_(Message.msgtype != "event", Message.direction == "out", Message.state == "sent"),
        and_(Message.msgtype == "event", Message.content["event_type"].astext.in_(list(_LINES))),
    )


async def own_conversation(ctx: Context) -> Conversation | None:
    """The acting visitor's conversation; None until they have written, and for everybody who is no visitor."""
    if ctx.actor.kind is not ActorKind.VISITOR or ctx.actor.id is None:
        return None
    return await ctx.session.scalar(
        select(Conversation)
        .join(ChannelAccount, _of_account())
        .where(ChannelAccount.kind == KIND, Conversation.customer_address == ctx.actor.id.hex)
        .execution_options(populate_existing=True)
    )


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some messages, oldest first, and whether there are more beyond them."""

    items: list[VisitorMessage]
    has_more: bool


async def latest(ctx: Context, conversation_id: UUID, before: int | None = None) -> Excerpt:
    """The newest messages with a number below `before`."""
    found = select(Message).where(Message.conversation_id == conversation_id, shown_to_visitors())
    if before is not None:
        found = found.where(Message.seq < before)
    rows = (await ctx.session.scalars(found.order_by(Message.seq.desc()).limit(PAGE_MESSAGES + 1))).all()
    return Excerpt(visitor_messages(rows[:PAGE_MESSAGES][::-1]), len(rows) > PAGE_MESSAGES)


async def changed_after(ctx: Context, conversation_id: UUID, seq: int, limit: int = MAX_MISSED) -> Excerpt:
    """Messages that are new or changed since that number, in the order of their changes."""
    found = (
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.changed_seq > seq, shown_to_visitors())
        .order_by(Message.changed_seq)
        .limit(limit + 1)
    )
    rows = (await ctx.session.scalars(found)).all()
    return Excerpt(visitor_messages(rows[:limit]), len(rows) > limit)


async def by_client_id(ctx: Context, row: Conversation, client_id: str) -> VisitorMessage | None:
    """The visitor's own message of that client id."""
    assert ctx.actor.id is not None, "a visitor has an id"
    message = await ctx.session.scalar(
        select(Message).where(
            Message.conversation_id == row.id, Message.external_msgid == external_msgid(ctx.actor.id, client_id)
        )
    )
    return None if message is None else visitor_messages([message])[0]


def chat_of(row: Conversation) -> Chat:
    """The conversation itself."""
    with_person = row.handler != "assistant"
    return Chat(
        id=row.id,
        seq=row.seq,
        open=row.state == "open",
        with_person=with_person,
        waiting=row.state == "open" and row.staff_id is None and row.waiting_since is not None,
    )


def visitor_messages(rows: Sequence[Message]) -> list[VisitorMessage]:
    """Messages as visitors see them."""
    return [_message(row) for row in rows]


def _message(row: Message) -> VisitorMessage:
    own = row.sender_kind == "customer" and row.external_msgid is not None
    return VisitorMessage(
        id=row.id,
        seq=row.seq,
        changed_seq=row.changed_seq,
        by=_AUTHORS[row.sender_kind],
        ai=row.ai,
        text=None if row.recalled_at is not None or row.msgtype != "text" else row.text,
        line=_LINES[row.content["event_type"]] if row.msgtype == "event" else None,
        client_id=str(row.external_msgid).partition(SEPARATOR)[2] or None if own else None,
        sent_at=row.sent_at,
    )


def _of_account() -> Any:
    return and_(
        ChannelAccount.tenant_id == Conversation.tenant_id, ChannelAccount.id == Conversation.channel_account_id
    )
