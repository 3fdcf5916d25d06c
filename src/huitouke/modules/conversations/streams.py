"""The numbered stream of a conversation: what an open screen gets after the last number it has."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel.context import Context
from huitouke.modules.conversations import queries, visitor_queries
from huitouke.modules.conversations.models import Conversation, Message
from huitouke.modules.conversations.schemas import ConversationChanged, MessageChanged
from huitouke.modules.conversations.service import hosted_pages
from huitouke.modules.conversations.visitor_schemas import ChatChanged, ChatMessage


class ConversationStream:
    """Messages and the conversation's own changes, in the order of their numbers.

    A message that changed comes with the number of its last change, the conversation with that of its own: applying
    frames in order to what was fetched before gives what one would fetch now.
    """

    name = "conversation"

    async def frames(
        self, ctx: Context, id: UUID, after_seq: int, limit: int
    ) -> Sequence[MessageChanged | ConversationChanged]:
        """At most `limit` frames after `after_seq`; nothing for a conversation that doesn't exist."""
        row = await ctx.session.scalar(select(Conversation).where(Conversation.id == id))
        if row is None:
            return []
        messages = (
            await ctx.session.scalars(
                select(Message)
                .where(Message.conversation_id == id, Message.changed_seq > after_seq)
                .order_by(Message.changed_seq)
                .limit(limit)
            )
        ).all()
        frames: list[MessageChanged | ConversationChanged] = [
            MessageChanged(seq=message.changed_seq, message=message)
            for message in await queries.messages_out(ctx, messages)
        ]
        if row.state_seq > after_seq:
            detail = await queries.conversation_detail(ctx, id)
            frames.append(ConversationChanged(seq=row.state_seq, conversation=detail))
            frames.sort(key=lambda frame: frame.seq)
        return frames[:limit]

    async def heads(self, ctx: Context, ids: Sequence[UUID]) -> dict[UUID, int]:
        """The highest number of each conversation."""
        rows = await ctx.session.execute(select(Conversation.id, Conversation.seq).where(Conversation.id.in_(ids)))
        return {row.id: row.seq for row in rows}

    async def visible(self, ctx: Context, ids: Sequence[UUID]) -> set[UUID]:
        """Who may see conversations, those of customers within their scope, by which every read is narrowed."""
        if not ctx.allows(queries.VIEW):
            return set()
        return set(await ctx.session.scalars(select(Conversation.id).where(Conversation.id.in_(ids))))

    async def changed_since(self, ctx: Context, since: datetime, limit: int) -> Sequence[UUID]:
        """Conversations that changed since then, newest first."""
        if not ctx.allows(queries.VIEW):
            return []
        return (
            await ctx.session.scalars(
                select(Conversation.id)
                .where(Conversation.changed_at >= since)
                .order_by(Conversation.changed_at.desc(), Conversation.id.desc())
                .limit(limit)
            )
        ).all()


class ChatStream:
    """The same conversation as its visitor sees it, with the same numbers.

    Most changes mean nothing to visitors. The last frame always bears the conversation's own number, so that a page
    that has applied everything stands where the conversation does, and nothing is read for it again.
    """

    name = "chat"
    follows = ConversationStream.name

    async def frames(self, ctx: Context, id: UUID, after_seq: int, limit: int) -> Sequence[ChatMessage | ChatChanged]:
        """At most `limit` frames after `after_seq`; nothing for a conversation that doesn't exist."""
        row = await ctx.session.scalar(
            select(Conversation).where(Conversation.id == id).execution_options(populate_existing=True)
        )
        if row is None or row.seq <= after_seq:
            return []
        changed = await visitor_queries.changed_after(ctx, id, after_seq, limit)
        frames: list[ChatMessage | ChatChanged] = [
            ChatMessage(seq=message.changed_seq, message=message) for message in changed.items
        ]
        if not changed.has_more and all(frame.seq != row.seq for frame in frames):
            frames.append(ChatChanged(seq=row.seq, chat=visitor_queries.chat_of(row)))
            frames.sort(key=lambda frame: frame.seq)
        return frames[:limit]

    async def heads(self, ctx: Context, ids: Sequence[UUID]) -> dict[UUID, int]:
        """The highest number of each conversation."""
        return await ConversationStream().heads(ctx, ids)

    async def visible(self, ctx: Context, ids: Sequence[UUID]) -> set[UUID]:
        """A visitor sees the own conversation and no other, while the page is on; nobody else sees any."""
        row = await visitor_queries.own_conversation(ctx)
        if row is None or row.id not in ids or not await hosted_pages.is_open(ctx, row.channel_account_id):
            return set()
        return {row.id}

    async def changed_since(self, ctx: Context, since: datetime, limit: int) -> Sequence[UUID]:
        """Visitors have no list."""
        return []
