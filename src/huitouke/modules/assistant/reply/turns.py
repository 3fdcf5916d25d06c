"""Turns: a burst of messages is one turn, answered once, when the customer has paused.

waiting ── due ──▶ answering ── sent, or not ours ──▶ idle; a message that comes meanwhile makes it waiting again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.modules.assistant.models import ReplyTurn

QUIET: Final = timedelta(milliseconds=800)
"""A turn is due so long after the last message …"""

LONGEST: Final = timedelta(seconds=3)
"""… but at most so long after the first."""

DUE_AT_ONCE: Final = 500


async def note_messages(ctx: Context, newest: Mapping[UUID, int]) -> datetime | None:
    """Notes new customer messages (conversation → newest seq), set-wise; gives when the first turn is due."""
    if not newest:
        return None
    now = clock.now()
    fresh = insert(ReplyTurn).values(
        [
            {
                "tenant_id": ctx.tenant_id,
                "conversation_id": conversation_id,
                "first_message_at": now,
                "due_at": now + QUIET,
                "state": "waiting",
                "waiting_seq": seq,
                "answered_seq": 0,
                "failed_turns": 0,
            }
            for conversation_id, seq in sorted(newest.items())
        ]
    )
    goes_on = ReplyTurn.state == "waiting"
    dues = await ctx.session.scalars(
        fresh.on_conflict_do_update(
            index_elements=["tenant_id", "conversation_id"],
            set_={
                "waiting_seq": func.greatest(ReplyTurn.waiting_seq, fresh.excluded.waiting_seq),
                "first_message_at": case((goes_on, ReplyTurn.first_message_at), else_=now),
                "due_at": case(
                    (goes_on, func.least(ReplyTurn.first_message_at + LONGEST, now + QUIET)), else_=now + QUIET
                ),
                "state": "waiting",
            },
        ).returning(ReplyTurn.due_at)
    )
    return min(dues)


async def take_due(ctx: Context) -> list[UUID]:
    """Turns that are due now, oldest first, as answering from here on; at most 500."""
    due = (
        select(ReplyTurn.conversation_id)
        .where(ReplyTurn.state == "waiting", ReplyTurn.due_at <= clock.now())
        .order_by(ReplyTurn.due_at)
        .limit(DUE_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    found = list(await ctx.session.scalars(due))
    if found:
        await ctx.session.execute(
            update(ReplyTurn).where(ReplyTurn.conversation_id.in_(found)).values(state="answering")
        )
    return found


async def next_due(ctx: Context) -> datetime | None:
    """When the next turn is due."""
    return await ctx.session.scalar(select(func.min(ReplyTurn.due_at)).where(ReplyTurn.state == "waiting"))


async def turn_of(ctx: Context, conversation_id: UUID) -> ReplyTurn | None:
    """The turn, as it is now."""
    return await ctx.session.scalar(
        select(ReplyTurn).where(ReplyTurn.conversation_id == conversation_id).execution_options(populate_existing=True)
    )


async def again(ctx: Context, conversation_id: UUID) -> datetime:
    """Has the turn answered again because something newer came: when the newer message's own pause is over.

    Where the newer message has not been noted yet (its event is on the way), after a pause from now.
    """
    now = clock.now()
    due = await ctx.session.scalar(
        update(ReplyTurn)
        .where(ReplyTurn.conversation_id == conversation_id)
        .values(state="waiting", due_at=case((ReplyTurn.state == "waiting", ReplyTurn.due_at), else_=now + QUIET))
        .returning(ReplyTurn.due_at)
    )
    return due if due is not None else now


async def finish(ctx: Context, conversation_id: UUID, answered_seq: int, failed_turns: int) -> None:
    """The turn is over up to `answered_seq`; a newer message that made it waiting again keeps it so."""
    await ctx.session.execute(
        update(ReplyTurn)
        .where(ReplyTurn.conversation_id == conversation_id)
        .values(
            answered_seq=func.greatest(ReplyTurn.answered_seq, answered_seq),
            failed_turns=failed_turns,
            state=case((ReplyTurn.state == "answering", "idle"), else_=ReplyTurn.state),
        )
    )
