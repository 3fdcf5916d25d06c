"""What the assistant sees of a conversation, and how it answers: never beside a person, never twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import orjson
from asyncpg import Record

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.work import wake_many
from huitouke.modules.conversations.channels import channel
from huitouke.modules.conversations.service.announce import announce
from huitouke.modules.conversations.service.sending import lock_many, preview, sendable_text, why_no_room
from huitouke.modules.conversations.sql import assistant as sql

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


async def assistant_views(ctx: Context, conversation_ids: Sequence[UUID]) -> dict[UUID, AssistantView]:
    """The conversations with their last ten messages each; ids that don't exist are missing."""
    raw = await connection(ctx)
    ids = list(conversation_ids)
    said: dict[UUID, list[Turn]] = {key: [] for key in ids}
    for row in await raw.fetch(sql.LATEST, ctx.tenant_id, ids, HISTORY_MESSAGES):
        turn = Turn(row["sender_kind"], row["text"] or "", row["seq"], row["msgtype"], row["sent_at"])
        said[row["conversation_id"]].append(turn)
    rows = await raw.fetch(sql.SEEN_BY_ASSISTANT, ctx.tenant_id, ids)
    return {row["id"]: _view(row, said[row["id"]]) for row in rows}


def _view(row: Record, said: Sequence[Turn]) -> AssistantView:
    return AssistantView(
        conversation_id=row["id"],
        customer_id=row["customer_id"],
        channel_account_id=row["channel_account_id"],
        state="open" if row["state"] == "open" else "closed",
        handler=row["handler"],
        paused=_paused(row),
        enabled=row["assistant_enabled"],
        last_messages=said,
        last_customer_seq=row["last_customer_seq"],
        window_left=row["window_left"],
        window_expires_at=row["window_expires_at"],
        text_limit_bytes=channel(row["kind"]).rules.text_limit_bytes,
    )


async def answerable(ctx: Context, conversation_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the conversations in which it is the assistant's turn now, found with one query."""
    raw = await connection(ctx)
    rows = await raw.fetch(sql.ANSWERABLE, ctx.tenant_id, list(conversation_ids), clock.now())
    return {row["id"] for row in rows}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to all that the customer wrote up to `answered_seq`. `trace_id`: of the decision behind it."""

    conversation_id: UUID
    text: str
    answered_seq: int
    trace_id: UUID
    ai_label: str = DEFAULT_AI_LABEL
    """What the channel puts before the text when it sends; history keeps the mark."""


async def send_assistant_replies(ctx: Context, replies: Sequence[Reply]) -> list[UUID | Overtaken]:
    """Queues answers, at most one per conversation; gives the ids of their messages, in order.

    An answer is left out when a person took over or the customer wrote something newer than `answered_seq`. Raises
    NotFound, TextTooLong, EmptyMessage.
    """
    rows = await lock_many(ctx, [reply.conversation_id for reply in replies])
    now = clock.now()
    results: list[UUID | Overtaken] = []
    queued: list[_Queued] = []
    for reply in replies:
        if (row := rows.get(reply.conversation_id)) is None:
            raise NotFound(kind="conversation")
        if (reason := _overtaken(row, reply.answered_seq, now)) is not None:
            results.append(Overtaken(reason))
            continue
        text = sendable_text(reply.text, reply.ai_label, channel(row["kind"]).rules)
        queued.append(_Queued(new_id(), row, reply, text))
        results.append(queued[-1].message_id)
    if queued:
        await _queue(ctx, queued, now)
    return results


@dataclass(frozen=True, slots=True)
class _Queued:
    """An answer that may go out, and its conversation's row, locked."""

    message_id: UUID
    row: Record
    reply: Reply
    text: str

    @property
    def seq(self) -> int:
        """Of the conversation, after it: one for the message, one for its own state."""
        return int(self.row["seq"]) + 2


async def _queue(ctx: Context, queued: Sequence[_Queued], now: datetime) -> None:
    raw = await connection(ctx)
    await raw.execute(
        sql.QUEUE,
        ctx.tenant_id,
        [one.message_id for one in queued],
        [one.row["id"] for one in queued],
        [one.row["account_id"] for one in queued],
        [one.seq for one in queued],
        [one.text for one in queued],
        [orjson.dumps({"trace_id": str(one.reply.trace_id)}).decode() for one in queued],
        [one.reply.ai_label for one in queued],
        [preview(one.text) for one in queued],
        now,
    )
    await wake_many(ctx, "send", [str(one.row["id"]) for one in queued])
    for one in queued:
        announce(ctx, one.row["id"], one.seq)


def _overtaken(row: Record, answered_seq: int, now: datetime) -> OvertakenReason | None:
    if row["state"] == "closed":
        return "closed"
    sessions = channel(row["kind"]).rules.sessions
    if row["handler"] != "assistant" or row["session_state"] == sessions.with_servicer:
        return "person"
    if row["last_customer_seq"] > answered_seq:
        return "newer_message"
    if not row["assistant_enabled"]:
        return "off"
    if _paused(row):
        return "paused"
    no_room = why_no_room(row["window_expires_at"], row["window_left"], now) is not None
    return "window" if no_room or not sessions.states[row["session_state"]].may_send else None


def _paused(row: Record) -> bool:
    until: datetime | None = row["assistant_paused_until"]
    return until is not None and until > clock.now()
