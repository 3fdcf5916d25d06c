"""Turns: a burst of messages is one turn, answered once, when the customer has paused.

waiting ── due ──▶ answering ── sent, or not ours ──▶ idle; a message that comes meanwhile makes it waiting again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import case, update

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.modules.assistant.models import ReplyTurn

QUIET: Final = timedelta(milliseconds=800)
"""A turn is due so long after the last message …"""

LONGEST: Final = timedelta(seconds=3)
"""… but at most so long after the first."""

DUE_AT_ONCE: Final = 500

_NOTE: Final = """
INSERT INTO reply_turns AS t (tenant_id, conversation_id, first_message_at, due_at, state, waiting_seq, answered_seq,
                              failed_turns)
SELECT $1, n.conversation_id, n.arrived_at, n.arrived_at + $5::interval, 'waiting', n.seq, 0, 0
  FROM unnest($2::uuid[], $3::bigint[], $4::timestamptz[]) AS n (conversation_id, seq, arrived_at)
    ON CONFLICT (tenant_id, conversation_id) DO UPDATE
   SET waiting_seq = greatest(t.waiting_seq, excluded.waiting_seq),
       first_message_at = CASE WHEN t.state = 'waiting' THEN t.first_message_at ELSE excluded.first_message_at END,
       due_at = CASE WHEN t.state = 'waiting'
                     THEN least(t.first_message_at + $6::interval, greatest(t.due_at, excluded.due_at))
                     ELSE excluded.due_at END,
       state = 'waiting'
RETURNING due_at
"""
_TAKE_DUE: Final = """
WITH due AS MATERIALIZED (
    SELECT conversation_id FROM reply_turns
     WHERE tenant_id = $1 AND state = 'waiting' AND due_at <= $2
     ORDER BY due_at
     LIMIT $3
       FOR UPDATE SKIP LOCKED
)
UPDATE reply_turns t SET state = 'answering'
  FROM due
 WHERE t.tenant_id = $1 AND t.conversation_id = due.conversation_id
RETURNING t.conversation_id
"""
_NEXT_DUE: Final = "SELECT min(due_at) FROM reply_turns WHERE tenant_id = $1 AND state = 'waiting'"
_ANSWERING: Final = """
SELECT conversation_id, first_message_at, waiting_seq, answered_seq, failed_turns
  FROM reply_turns
 WHERE tenant_id = $1 AND conversation_id = ANY($2::uuid[]) AND state = 'answering'
"""
_FINISH: Final = """
UPDATE reply_turns t
   SET answered_seq = greatest(t.answered_seq, f.answered_seq), failed_turns = f.failed_turns,
       state = CASE WHEN t.state = 'answering' THEN 'idle' ELSE t.state END
  FROM unnest($2::uuid[], $3::bigint[], $4::integer[]) AS f (conversation_id, answered_seq, failed_turns)
 WHERE t.tenant_id = $1 AND t.conversation_id = f.conversation_id
"""


@dataclass(frozen=True, slots=True)
class Noted:
    """The newest message of a customer, and when it came: the pause after it runs from there."""

    seq: int
    arrived_at: datetime


async def note_messages(ctx: Context, newest: Mapping[UUID, Noted]) -> datetime | None:
    """Notes new customer messages, set-wise; gives when the first turn is due."""
    if not newest:
        return None
    raw = await connection(ctx)
    keys = sorted(newest)
    rows = await raw.fetch(
        _NOTE,
        ctx.tenant_id,
        keys,
        [newest[key].seq for key in keys],
        [newest[key].arrived_at for key in keys],
        QUIET,
        LONGEST,
    )
    due: datetime = min(row["due_at"] for row in rows)
    return due


async def take_due(ctx: Context) -> tuple[list[UUID], datetime | None]:
    """The turns that are due now, as answering from here on (the 500 oldest); and when the next one is due."""
    raw = await connection(ctx)
    rows = await raw.fetch(_TAKE_DUE, ctx.tenant_id, clock.now(), DUE_AT_ONCE)
    next_due: datetime | None = await raw.fetchval(_NEXT_DUE, ctx.tenant_id)
    return [row["conversation_id"] for row in rows], next_due


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn that is due; `reply_turns` says what its columns mean."""

    first_message_at: datetime
    waiting_seq: int
    answered_seq: int
    failed_turns: int


async def answering(ctx: Context, conversation_ids: Sequence[UUID]) -> dict[UUID, Turn]:
    """The turns of these conversations that are being answered, by conversation."""
    raw = await connection(ctx)
    rows = await raw.fetch(_ANSWERING, ctx.tenant_id, list(conversation_ids))
    return {row["conversation_id"]: Turn(*row[1:]) for row in rows}


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


@dataclass(frozen=True, slots=True)
class Finished:
    """A turn that is over up to `answered_seq`."""

    conversation_id: UUID
    answered_seq: int
    failed_turns: int


async def finish(ctx: Context, finished: Sequence[Finished]) -> None:
    """These turns are over; a newer message that made one of them waiting again keeps it so."""
    raw = await connection(ctx)
    await raw.execute(
        _FINISH,
        ctx.tenant_id,
        [turn.conversation_id for turn in finished],
        [turn.answered_seq for turn in finished],
        [turn.failed_turns for turn in finished],
    )
