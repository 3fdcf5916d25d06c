"""What wakes the assistant: a customer's message, a conversation handed back, a burst's end; and the import's job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.events import Received, on
from huitouke.kernel.work import job, runner, schedule, scheduled, wake_many
from huitouke.modules.assistant.reply import turns
from huitouke.modules.assistant.reply.engine import DUE_KIND, answer_turn
from huitouke.modules.assistant.reply.turns import Noted
from huitouke.modules.assistant.service import imports
from huitouke.modules.conversations.service import answerable

REPLY_KIND = "assistant.reply"


class _MessageReceived(BaseModel):
    seq: int
    arrived_at: datetime | None = None


@on("conversations.message_received")
async def note_customer_messages(ctx: Context, events: Sequence[Received[_MessageReceived]]) -> None:
    """A customer wrote: the conversation's turn is due shortly, if it is the assistant's to answer."""
    newest: dict[UUID, Noted] = {}
    for event in events:  # in their order
        if event.conversation_id is not None:
            newest[event.conversation_id] = Noted(event.payload.seq, event.payload.arrived_at or event.occurred_at)
    await _note(ctx, newest)


class _HandedBack(BaseModel):
    pass


@on("conversations.handed_back")
async def note_what_people_left(ctx: Context, events: Sequence[Received[_HandedBack]]) -> None:
    """A person gave the conversation back: what the customer wrote meanwhile, and nobody answered, is its turn now."""
    back = {event.conversation_id: event.occurred_at for event in events if event.conversation_id is not None}
    await _note(ctx, {key: Noted(0, at) for key, at in back.items()})


async def _note(ctx: Context, newest: Mapping[UUID, Noted]) -> None:
    """Notes turns (by conversation) where it is the assistant's to answer."""
    ours = await answerable(ctx, list(newest))
    due = await turns.note_messages(ctx, {key: noted for key, noted in newest.items() if key in ours})
    if due is not None:
        await schedule(ctx, DUE_KIND, due)


@scheduled(DUE_KIND)
async def wake_due_turns(context: Context) -> datetime | None:
    """Wakes the turns that are due; gives when the next one is.

    Customers wait for it, and what a crash takes back is due again: the answer's own commit is the durable one.
    """
    async with transaction(context, durable=False) as ctx:
        due, next_due = await turns.take_due(ctx)
        await wake_many(ctx, REPLY_KIND, [str(conversation_id) for conversation_id in due])
        return next_due


@runner(REPLY_KIND, max_seconds=60)
async def reply(context: Context, key: str) -> None:
    """Answers one conversation."""
    await answer_turn(context, UUID(key))


@job("assistant.apply_import", max_attempts=8)
async def apply_import(context: Context, args: imports.ApplyImport) -> None:
    """Puts an import into the knowledge; begins where a run before it stopped."""
    await imports.run(context, args.import_id)
