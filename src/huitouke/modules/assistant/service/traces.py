"""The trace of a decision: which entries, scores, checks, model, tokens and times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.database.columns import JSON, Columns
from huitouke.modules.assistant.models import ReplyTrace
from huitouke.modules.assistant.reply.outcome import Outcome

_TRACES: Final = Columns(
    "reply_traces",
    (
        ("id", "uuid"),
        ("conversation_id", "uuid"),
        ("message_id", "uuid"),
        ("answered_seq", "bigint"),
        ("question", "text"),
        ("decision", "text"),
        ("reason", "text"),
        ("answer", "text"),
        ("evidence", JSON),
        ("checks", JSON),
        ("model", "text"),
        ("tokens_in", "bigint"),
        ("tokens_out", "bigint"),
        ("elapsed_ms", JSON),
        ("created_at", "timestamptz"),
    ),
)


async def write_traces(ctx: Context, traces: Sequence[ReplyTrace]) -> None:
    """Keeps why the assistant decided so."""
    raw = await connection(ctx)
    await raw.execute(_TRACES.insert(), ctx.tenant_id, *_TRACES.arguments(traces))


def build_trace(
    trace_id: UUID,
    outcome: Outcome,
    *,
    question: str,
    conversation_id: UUID | None = None,
    answered_seq: int | None = None,
    message_id: UUID | None = None,
    wait_ms: int = 0,
    total_ms: int = 0,
) -> ReplyTrace:
    """The trace, not stored."""
    return ReplyTrace(
        id=trace_id,
        conversation_id=conversation_id,
        message_id=message_id,
        answered_seq=answered_seq,
        question=question,
        decision=outcome.decision,
        reason=outcome.reason,
        answer=outcome.text,
        evidence=_evidence(outcome),
        checks=_checks(outcome),
        model=outcome.model,
        tokens_in=outcome.tokens_in,
        tokens_out=outcome.tokens_out,
        elapsed_ms={
            "wait": wait_ms,
            "retrieval": outcome.retrieval_ms,
            "model": outcome.model_ms,
            "total": total_ms,
        },
        created_at=clock.now(),
    )


def _evidence(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "entry_id": str(checked.candidate.entry_id),
            "question": checked.candidate.question,
            "score": round(checked.candidate.score, 2),
            "confidence": round(checked.confidence, 3),
            "used": checked.candidate.entry_id in outcome.used,
        }
        for checked in outcome.evidence
    ]


def _checks(outcome: Outcome) -> list[dict[str, Any]]:
    """The reasons for or against the best entry, then what spoke against the model's words."""
    reasons = outcome.evidence[0].reasons if outcome.evidence else ()
    held = [{"name": reason.name, "value": round(reason.value, 3), "applies": reason.applies} for reason in reasons]
    return held + [{"name": note, "value": 0.0, "applies": True} for note in outcome.notes]
