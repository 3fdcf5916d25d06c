"""Answers a turn of a conversation: read and retrieve, let the model write, send unless overtaken.

Two short transactions with the model's call between them. The second one writes the trace and queues the answer
together, so that a crash leaves either both or none, and the same trace is never sent twice.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

import structlog

from huitouke.kernel import clock
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import Conflict
from huitouke.kernel.events import emit
from huitouke.kernel.ids import new_id
from huitouke.kernel.work import fence, schedule
from huitouke.modules.assistant.events import TurnDecided
from huitouke.modules.assistant.model.prompt import Said
from huitouke.modules.assistant.models import ReplyTrace, ReplyTurn
from huitouke.modules.assistant.reply import turns
from huitouke.modules.assistant.reply.answering import Asked, Prepared, decide, extract_summary, prepare, summary
from huitouke.modules.assistant.reply.outcome import Outcome
from huitouke.modules.assistant.service.model_endpoint import ready_model
from huitouke.modules.assistant.service.settings import assistant_settings, is_paused
from huitouke.modules.assistant.service.traces import write_trace
from huitouke.modules.conversations.service import (
    AssistantView,
    Overtaken,
    Turn,
    ask_staff,
    assistant_view,
    hand_over,
    send_assistant_reply,
)

log = structlog.get_logger(__name__)

DUE_KIND: Final = "assistant.due_turns"
MAX_TURN_CHARACTERS: Final = 2_000


@dataclass(frozen=True)
class _Started:
    """A turn that is being answered."""

    view: AssistantView
    prepared: Prepared
    answered_seq: int
    failed_turns: int
    wait_ms: int
    monotonic: float


async def answer_turn(context: Context, conversation_id: UUID) -> None:
    """Answers what waits in the conversation, if it is the assistant's turn."""
    context = context.acting_as(Actor(ActorKind.ASSISTANT))
    async with transaction(context) as ctx:
        started = await _start(ctx, conversation_id)
    if started is None:
        return
    outcome = await decide(started.prepared)
    outcome = await _after_failures(started, outcome)
    async with transaction(context) as ctx:
        await fence(ctx)
        await _finish(ctx, conversation_id, started, outcome)


async def _start(ctx: Context, conversation_id: UUID) -> _Started | None:
    monotonic = time.monotonic()
    turn = await turns.turn_of(ctx, conversation_id)
    if turn is None or turn.state != "answering":
        return None
    view = await assistant_view(ctx, conversation_id)
    settings = await assistant_settings(ctx)
    new = _new_messages(view.last_messages, turn.answered_seq)
    if view.handler != "assistant":
        # A person has it. What they leave unanswered is the assistant's when they give it back.
        await turns.finish(ctx, conversation_id, turn.answered_seq, 0)
        return None
    if not view.may_answer or is_paused(settings) or not new:
        await turns.finish(ctx, conversation_id, max(turn.waiting_seq, view.last_customer_seq), 0)
        return None
    asked = _asked(view.last_messages, new)
    if view.window_left <= 0:
        await _no_window(ctx, turn, view, asked)
        return None
    model = await ready_model(ctx)
    prepared = await prepare(ctx, asked, model)
    wait_ms = int((clock.now() - turn.first_message_at).total_seconds() * 1000)
    return _Started(view, prepared, view.last_customer_seq, turn.failed_turns, max(wait_ms, 0), monotonic)


async def _after_failures(started: _Started, outcome: Outcome) -> Outcome:
    """So many turns in a row without an answer: a person takes over, and the customer is told."""
    settings = started.prepared.settings
    if not outcome.counts_as_failed or outcome.hand_over:
        return outcome
    if started.failed_turns + 1 < settings.failed_turns_limit:
        return outcome
    return replace(
        outcome,
        decision="handed_over",
        reason="failed_turns",
        text=settings.handover_text,
        hand_over=True,
        summary=await summary(started.prepared),
    )


async def _finish(ctx: Context, conversation_id: UUID, started: _Started, outcome: Outcome) -> None:
    trace_id = new_id()
    message_id: UUID | None = None
    failed_turns = started.failed_turns + 1 if outcome.counts_as_failed else 0
    if outcome.text is not None:
        sent = await send_assistant_reply(
            ctx,
            conversation_id,
            outcome.text,
            started.answered_seq,
            trace_id,
            ai_label=started.prepared.settings.ai_label,
        )
        if isinstance(sent, Overtaken):
            await _overtaken(ctx, conversation_id, started, outcome, sent, trace_id)
            return
        message_id = sent.id
    if outcome.hand_over:
        await hand_over(ctx, conversation_id, outcome.reason, outcome.summary)
        failed_turns = 0
    elif outcome.decision == "asked_colleague" and outcome.counts_as_failed:
        await ask_staff(ctx, conversation_id, outcome.reason, _said_so_far(started))
    await turns.finish(ctx, conversation_id, started.answered_seq, failed_turns)
    await _record(ctx, conversation_id, started, outcome, trace_id, message_id)


def _said_so_far(started: _Started) -> str:
    """What the colleague should know, from the customer's own words: no model is asked inside a transaction."""
    asked = started.prepared.asked
    said: list[Said] = [*asked.history, ("customer", asked.text)]
    return extract_summary(said)


async def _overtaken(
    ctx: Context, conversation_id: UUID, started: _Started, outcome: Outcome, why: Overtaken, trace_id: UUID
) -> None:
    """The answer is dropped. A newer message begins the turn again, with what was asked before it; else it is over."""
    dropped = replace(outcome, decision="dropped", reason=f"overtaken_{why.reason}")
    await _record(ctx, conversation_id, started, dropped, trace_id, None)
    if why.reason != "newer_message":
        await turns.finish(ctx, conversation_id, started.answered_seq, 0)
        return
    due = await turns.again(ctx, conversation_id)
    await schedule(ctx, DUE_KIND, due)


async def _no_window(ctx: Context, turn: ReplyTurn, view: AssistantView, asked: Asked) -> None:
    """Nothing may be sent any more: a person must know, and the customer can't be told."""
    said: list[Said] = [*asked.history, ("customer", asked.text)]
    try:
        await hand_over(ctx, view.conversation_id, "no_messages_left", extract_summary(said))
    except Conflict as problem:
        log.info("assistant.handover_refused", conversation_id=str(view.conversation_id), reason=problem.type)
    await turns.finish(ctx, view.conversation_id, max(turn.waiting_seq, view.last_customer_seq), 0)
    await write_trace(
        ctx,
        new_id(),
        Outcome("handed_over", "no_messages_left", None, hand_over=True),
        question=asked.text,
        conversation_id=view.conversation_id,
        answered_seq=view.last_customer_seq,
        message_id=None,
        wait_ms=0,
        total_ms=0,
    )


async def _record(
    ctx: Context, conversation_id: UUID, started: _Started, outcome: Outcome, trace_id: UUID, message_id: UUID | None
) -> ReplyTrace:
    total_ms = int((time.monotonic() - started.monotonic) * 1000)
    trace = await write_trace(
        ctx,
        trace_id,
        outcome,
        question=started.prepared.asked.text,
        conversation_id=conversation_id,
        answered_seq=started.answered_seq,
        message_id=message_id,
        wait_ms=started.wait_ms,
        total_ms=total_ms,
    )
    await emit(
        ctx,
        TurnDecided(
            customer_id=started.view.customer_id,
            conversation_id=conversation_id,
            trace_id=trace_id,
            decision=outcome.decision,
            reason=outcome.reason,
            by_model=outcome.reason == "model",
            total_ms=total_ms,
        ),
    )
    return trace


def _new_messages(messages: Sequence[Turn], answered_seq: int) -> list[Turn]:
    """The customer's messages that nobody has answered, oldest first: what stands after the last answer of anybody."""
    last_answer = max((turn.seq for turn in messages if turn.role != "customer"), default=0)
    after = max(answered_seq, last_answer)
    return [turn for turn in messages if turn.role == "customer" and turn.seq > after]


def _asked(messages: Sequence[Turn], new: Sequence[Turn]) -> Asked:
    seqs = {turn.seq for turn in new}
    texts = [turn.text.strip() for turn in new if turn.text.strip()]
    return Asked(
        text="\n".join(texts)[-MAX_TURN_CHARACTERS:],
        history=[(_role(turn), turn.text) for turn in messages if turn.seq not in seqs and turn.text.strip()],
        other_kinds=any(not turn.text.strip() for turn in new),
    )


def _role(turn: Turn) -> Literal["customer", "assistant", "agent"]:
    return "agent" if turn.role == "servicer" else turn.role
