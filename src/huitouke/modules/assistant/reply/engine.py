"""Answers a turn of a conversation: read and retrieve, let the model write, send unless overtaken.

Two short transactions with the model's call between them, each shared with the turns that are at the same point. The
second one writes the trace and queues the answer together, so that a crash leaves either both or none.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal
from uuid import UUID

import structlog

from huitouke.kernel import clock, plans
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.errors import Conflict
from huitouke.kernel.events import emit_many
from huitouke.kernel.ids import new_id
from huitouke.kernel.work import Gathering, schedule
from huitouke.modules.assistant.events import TurnDecided
from huitouke.modules.assistant.model.prompt import Said
from huitouke.modules.assistant.reply import turns
from huitouke.modules.assistant.reply.answering import Asked, Prepared, decide, extract_summary, prepare, summary
from huitouke.modules.assistant.reply.outcome import Outcome
from huitouke.modules.assistant.service.model_endpoint import AI_TOKENS, ready_model
from huitouke.modules.assistant.service.settings import assistant_settings, is_paused
from huitouke.modules.assistant.service.traces import build_trace, write_traces
from huitouke.modules.conversations.service import (
    AssistantView,
    Overtaken,
    Reply,
    Turn,
    ask_staff,
    assistant_views,
    hand_over,
    send_assistant_replies,
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


@dataclass(frozen=True)
class _Decided:
    """A turn and what comes of it."""

    started: _Started
    outcome: Outcome
    trace_id: UUID = field(default_factory=new_id)

    @property
    def conversation_id(self) -> UUID:
        return self.started.view.conversation_id

    @property
    def failed_turns(self) -> int:
        """In a row, with this one."""
        if self.outcome.hand_over or not self.outcome.counts_as_failed:
            return 0
        return self.started.failed_turns + 1


async def answer_turn(context: Context, conversation_id: UUID) -> None:
    """Answers what waits in the conversation, if it is the assistant's turn."""
    context = context.acting_as(Actor(ActorKind.ASSISTANT))
    started = await _starts(context, conversation_id)
    if started is None:
        return
    outcome = await _after_failures(started, await decide(started.prepared))
    await _finishes(context, _Decided(started, outcome))


async def _start(ctx: Context, conversation_ids: Sequence[UUID]) -> list[_Started | None]:
    """Reads what the turns need; None where there is nothing to answer."""
    found = await turns.answering(ctx, conversation_ids)
    views = await assistant_views(ctx, list(found))
    settings = await assistant_settings(ctx)
    silent = is_paused(settings) or not await _plan_lets_answer(ctx)
    model = await ready_model(ctx)
    started: dict[UUID, _Started] = {}
    for key, turn in sorted(found.items()):  # whoever locks several conversations does so in the order of their ids
        monotonic = time.monotonic()
        asked = await _to_answer(ctx, turn, views[key], silent)
        if asked is None:
            continue
        prepared = await prepare(ctx, asked, settings, model)
        wait_ms = int((clock.now() - turn.first_message_at).total_seconds() * 1000)
        seq = views[key].last_customer_seq
        started[key] = _Started(views[key], prepared, seq, turn.failed_turns, max(wait_ms, 0), monotonic)
    return [started.get(key) for key in conversation_ids]


async def _plan_lets_answer(ctx: Context) -> bool:
    """Where the plan has no assistant, or is over, it is silent; what customers write is there for people to read."""
    return await plans.is_open(ctx) and await plans.allows(ctx, "assistant")


async def _to_answer(ctx: Context, turn: turns.Turn, view: AssistantView, silent: bool) -> Asked | None:
    """What was asked; None, and the turn is over, where it isn't the assistant's to answer (any more)."""
    new = _new_messages(view.last_messages, turn.answered_seq)
    if view.handler != "assistant":
        # A person has it. What they leave unanswered is the assistant's when they give it back.
        await turns.finish(ctx, [turns.Finished(view.conversation_id, turn.answered_seq, 0)])
        return None
    if not view.may_answer or silent or not new:
        newest = max(turn.waiting_seq, view.last_customer_seq)
        await turns.finish(ctx, [turns.Finished(view.conversation_id, newest, 0)])
        return None
    asked = _asked(view.last_messages, new)
    if view.window_left <= 0:
        await _no_window(ctx, turn, view, asked)
        return None
    return asked


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


async def _finish(ctx: Context, decided: Sequence[_Decided]) -> list[None]:
    """Sends what is to be said, unless it was overtaken, calls people, and keeps why."""
    replies = [
        Reply(
            one.conversation_id,
            one.outcome.text,
            one.started.answered_seq,
            one.trace_id,
            one.started.prepared.settings.ai_label,
        )
        for one in decided
        if one.outcome.text is not None
    ]
    results = await send_assistant_replies(ctx, replies)
    sent = {reply.conversation_id: result for reply, result in zip(replies, results, strict=True)}
    for one in decided:
        result = sent.get(one.conversation_id)
        if isinstance(result, Overtaken):
            await _overtaken(ctx, one, result)
        else:
            await _call_people(ctx, one)
    stood = [one for one in decided if not isinstance(sent.get(one.conversation_id), Overtaken)]
    await turns.finish(
        ctx, [turns.Finished(one.conversation_id, one.started.answered_seq, one.failed_turns) for one in stood]
    )
    await _record(ctx, [(one, sent.get(one.conversation_id)) for one in decided])
    await plans.spend(ctx, AI_TOKENS, sum(one.outcome.tokens for one in decided))
    return [None] * len(decided)


_starts = Gathering(_start, most=8, at_once=3, fenced=False)
"""Smaller groups, more at once: each turn asks the knowledge, and PostgreSQL has more than one core. Nothing is sent
yet: a turn that is found to be over is over for whoever holds its lease."""

_finishes = Gathering(_finish)


async def _call_people(ctx: Context, decided: _Decided) -> None:
    outcome = decided.outcome
    if outcome.hand_over:
        await hand_over(ctx, decided.conversation_id, outcome.reason, outcome.summary)
    elif outcome.decision == "asked_colleague" and outcome.counts_as_failed:
        await ask_staff(ctx, decided.conversation_id, outcome.reason, _said_so_far(decided.started))


def _said_so_far(started: _Started) -> str:
    """What the colleague should know, from the customer's own words: no model is asked inside a transaction."""
    asked = started.prepared.asked
    said: list[Said] = [*asked.history, ("customer", asked.text)]
    return extract_summary(said)


async def _overtaken(ctx: Context, decided: _Decided, why: Overtaken) -> None:
    """The answer is dropped. A newer message begins the turn again, with what was asked before it; else it is over."""
    if why.reason != "newer_message":
        await turns.finish(ctx, [turns.Finished(decided.conversation_id, decided.started.answered_seq, 0)])
        return
    due = await turns.again(ctx, decided.conversation_id)
    await schedule(ctx, DUE_KIND, due)


async def _no_window(ctx: Context, turn: turns.Turn, view: AssistantView, asked: Asked) -> None:
    """Nothing may be sent any more: a person must know, and the customer can't be told."""
    said: list[Said] = [*asked.history, ("customer", asked.text)]
    try:
        await hand_over(ctx, view.conversation_id, "no_messages_left", extract_summary(said))
    except Conflict as problem:
        log.info("assistant.handover_refused", conversation_id=str(view.conversation_id), reason=problem.type)
    newest = max(turn.waiting_seq, view.last_customer_seq)
    await turns.finish(ctx, [turns.Finished(view.conversation_id, newest, 0)])
    trace = build_trace(
        new_id(),
        Outcome("handed_over", "no_messages_left", None, hand_over=True),
        question=asked.text,
        conversation_id=view.conversation_id,
        answered_seq=view.last_customer_seq,
    )
    await write_traces(ctx, [trace])


async def _record(ctx: Context, decided: Sequence[tuple[_Decided, UUID | Overtaken | None]]) -> None:
    """The traces, with the id of the message that was sent or why none was, and their events."""
    traces, events = [], []
    for one, sent in decided:
        outcome = one.outcome
        if isinstance(sent, Overtaken):
            outcome = replace(outcome, decision="dropped", reason=f"overtaken_{sent.reason}")
        started = one.started
        total_ms = int((time.monotonic() - started.monotonic) * 1000)
        traces.append(
            build_trace(
                one.trace_id,
                outcome,
                question=started.prepared.asked.text,
                conversation_id=one.conversation_id,
                answered_seq=started.answered_seq,
                message_id=None if isinstance(sent, Overtaken) else sent,
                wait_ms=started.wait_ms,
                total_ms=total_ms,
            )
        )
        events.append(
            TurnDecided(
                customer_id=started.view.customer_id,
                conversation_id=one.conversation_id,
                trace_id=one.trace_id,
                decision=outcome.decision,
                reason=outcome.reason,
                by_model=outcome.reason == "model",
                total_ms=total_ms,
            )
        )
    await write_traces(ctx, traces)
    await emit_many(ctx, events)


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
