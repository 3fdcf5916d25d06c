"""From a question to an outcome: knowledge first, then the model if there is one, and never anything unfounded.

No transaction is open while the model is called; any failure of the model leaves the answer that the knowledge gives.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.modules.assistant.model.dialects import ModelAnswer, read_answer
from huitouke.modules.assistant.model.port import ModelFailure
from huitouke.modules.assistant.model.prompt import (
    ANSWER_TOKENS,
    SUMMARY_TOKENS,
    Said,
    answer_prompt,
    rules,
    summary_prompt,
)
from huitouke.modules.assistant.model.verify import leaks, problems_of
from huitouke.modules.assistant.models import AssistantSettings
from huitouke.modules.assistant.reply.outcome import Outcome
from huitouke.modules.assistant.reply.wishes import (
    handover_reason,
    marketing_refused_reply,
    small_talk,
    small_talk_reply,
)
from huitouke.modules.assistant.retrieval.check import POSSIBLE, Checked, Question, check_all, choose
from huitouke.modules.assistant.retrieval.index import search
from huitouke.modules.assistant.retrieval.text import fold
from huitouke.modules.assistant.schemas import MAX_ANSWER_BYTES
from huitouke.modules.assistant.service.model_endpoint import ReadyModel
from huitouke.modules.assistant.service.settings import assistant_settings
from huitouke.modules.conversations.service import quoted
from huitouke.modules.customers.service import line_refuses

log = structlog.get_logger(__name__)

MODEL_BUDGET_SECONDS: Final = 8.0
"""What a customer waits for a model at most, whatever the endpoint's own time-out is."""

SUMMARY_BUDGET_SECONDS: Final = 4.0
MODEL_EVIDENCE: Final = 5
SUMMARY_MESSAGES: Final = 4
SUMMARY_CHARACTERS: Final = 80
SUMMARY_LIMIT: Final = 400


@dataclass(frozen=True)
class Asked:
    """A turn: the customer's messages put together, and what was said before, oldest first."""

    text: str
    history: Sequence[Said] = ()
    other_kinds: bool = False
    """Whether pictures, voice or the like were among the messages."""
    refused: str = ""
    """What of it said that no more offers are wanted; it is not in `text`, unless nothing else was said."""


@dataclass(frozen=True)
class Prepared:
    """What the first transaction found out."""

    asked: Asked
    settings: AssistantSettings
    checked: Sequence[Checked]
    question: Question | None
    model: ReadyModel | None
    retrieval_ms: int


async def prepare(ctx: Context, asked: Asked, settings: AssistantSettings, model: ReadyModel | None) -> Prepared:
    """Looks the question up in the knowledge, in the open transaction."""
    asked = _without_refusal(asked)
    if asked.refused == asked.text:
        return Prepared(asked, settings, (), None, model, 0)
    if not asked.text or handover_reason(asked.text, settings.handover_words) or small_talk(asked.text):
        return Prepared(asked, settings, (), None, model, 0)
    started = time.monotonic()
    context = [text for _, text in asked.history if text]
    found = await search(ctx, asked.text, context)
    question = Question(asked.text, context, found.rarity)
    checked = check_all(question, found.candidates)
    return Prepared(asked, settings, checked, question, model, _elapsed(started))


async def decide(prepared: Prepared) -> Outcome:
    """What to do about the turn. Calls the model at most twice (answer, summary); no transaction is open.

    Who wants no more offers is told that it is so, before what they asked besides is answered.
    """
    asked = prepared.asked
    if not asked.refused:
        return await _decide(prepared)
    noted = marketing_refused_reply(asked.refused)
    if asked.refused == asked.text:
        return Outcome("answered", "refused_marketing", noted)
    outcome = await _decide(prepared)
    both = f"{noted}\n\n{outcome.text}"
    return replace(outcome, text=both) if outcome.text and len(both.encode()) <= MAX_ANSWER_BYTES else outcome


async def _decide(prepared: Prepared) -> Outcome:
    asked, settings = prepared.asked, prepared.settings
    reason = handover_reason(asked.text, settings.handover_words) if asked.text else None
    if reason is not None:
        return await _handed_over(prepared, reason, settings.handover_text)
    if not asked.text:
        if settings.hand_over_media:
            return await _handed_over(prepared, "media", settings.handover_text)
        return Outcome("asked_colleague", "media", settings.media_text)
    kind = small_talk(asked.text)
    if kind is not None:
        return Outcome("answered", f"small_talk_{kind}", small_talk_reply(kind, settings.name, asked.text))
    outcome = await _from_knowledge(prepared)
    if outcome.hand_over:
        return replace(outcome, summary=await summary(prepared))
    return outcome


def _without_refusal(asked: Asked) -> Asked:
    lines = asked.text.splitlines()
    refusing = [line for line in lines if line_refuses(line)]
    rest = "\n".join(line for line in lines if line not in refusing and small_talk(line) is None)
    if not refusing:
        return asked
    return replace(asked, text=rest, refused="\n".join(refusing)) if rest else replace(asked, refused=asked.text)


async def summary(prepared: Prepared) -> str:
    """What the colleague should know: by the model when it gives one in time, else the customer's last words."""
    said = [*prepared.asked.history, ("customer", prepared.asked.text)]
    if prepared.model is not None:
        try:
            completion = await prepared.model.model.chat(
                summary_prompt(said),
                max_tokens=SUMMARY_TOKENS,
                timeout_seconds=min(SUMMARY_BUDGET_SECONDS, prepared.model.timeout_seconds),
            )
            text = read_answer(completion.text).answer
            if text and not leaks(fold(text), fold(rules(prepared.settings.name, prepared.settings.tone))):
                return text[:SUMMARY_LIMIT]
        except ModelFailure as failure:
            log.warning("assistant.summary_failed", kind=str(failure.kind))
    return extract_summary(said)


def extract_summary(said: Sequence[Said]) -> str:
    """The customer's last wishes and the assistant's last words, each cut to one line. No model needed."""
    wishes = [text for role, text in said if role == "customer" and text.strip() and small_talk(text) is None]
    lines = [quoted("customer", _short(text)) for text in wishes[-SUMMARY_MESSAGES:]]
    answers = [text for role, text in said if role == "assistant" and text.strip()]
    if answers:
        lines.append(quoted("assistant", _short(answers[-1])))
    return "\n".join(lines)[:SUMMARY_LIMIT]


async def try_question(context: Context, asked: Asked, model: ReadyModel | None) -> tuple[Outcome, int]:
    """The outcome of a question without a conversation, and the milliseconds it took. Nothing is stored."""
    started = time.monotonic()
    async with transaction(context) as ctx:
        prepared = await prepare(ctx, asked, await assistant_settings(ctx), model)
    outcome = await decide(prepared)
    return outcome, _elapsed(started)


async def _handed_over(prepared: Prepared, reason: str, text: str) -> Outcome:
    return Outcome("handed_over", reason, text, hand_over=True, summary=await summary(prepared))


async def _from_knowledge(prepared: Prepared) -> Outcome:
    plain = _without_model(prepared)
    possible = [checked for checked in prepared.checked if checked.confidence >= POSSIBLE][:MODEL_EVIDENCE]
    if prepared.model is None or not possible:
        return plain
    started = time.monotonic()
    outcome = await _by_model(prepared, prepared.model, possible, plain)
    return replace(outcome, model_ms=_elapsed(started))


def _without_model(prepared: Prepared) -> Outcome:
    """The entry's own words when it is certain that it answers; else a colleague is asked."""
    assert prepared.question is not None, "there is text that is no small talk"
    chosen = choose(prepared.question, prepared.checked)
    if chosen:
        text = "\n\n".join(dict.fromkeys(checked.candidate.answer for checked in chosen))
        if len(text.encode()) > MAX_ANSWER_BYTES:
            chosen, text = chosen[:1], chosen[0].candidate.answer
        return Outcome(
            "answered",
            "knowledge",
            text,
            evidence=prepared.checked,
            used=frozenset(checked.candidate.entry_id for checked in chosen),
            retrieval_ms=prepared.retrieval_ms,
        )
    return Outcome(
        "asked_colleague",
        "not_in_knowledge" if prepared.checked else "nothing_found",
        prepared.settings.unsure_text,
        hand_over=prepared.settings.hand_over_when_unsure,
        counts_as_failed=True,
        evidence=prepared.checked,
        retrieval_ms=prepared.retrieval_ms,
    )


async def _by_model(prepared: Prepared, ready: ReadyModel, possible: Sequence[Checked], plain: Outcome) -> Outcome:
    settings = prepared.settings
    evidence = [(checked.candidate.question, checked.candidate.answer) for checked in possible]
    messages = answer_prompt(settings.name, settings.tone, evidence, prepared.asked.history, prepared.asked.text)
    try:
        completion = await ready.model.chat(
            messages,
            max_tokens=ANSWER_TOKENS,
            timeout_seconds=min(MODEL_BUDGET_SECONDS, ready.timeout_seconds),
        )
    except ModelFailure as failure:
        log.warning("assistant.model_failed", kind=str(failure.kind), model=ready.model.name)
        return replace(plain, model=ready.model.name, notes=(f"model_{failure.kind}",))
    answer = read_answer(completion.text, cut_off=completion.cut_off)
    told = replace(plain, model=completion.model, tokens_in=completion.tokens_in, tokens_out=completion.tokens_out)
    against = _against(answer, possible, prepared)
    if against:
        return replace(told, notes=tuple(against))
    used = frozenset(possible[number - 1].candidate.entry_id for number in answer.evidence)
    return replace(
        told,
        decision="answered",
        reason="model",
        text=answer.answer,
        hand_over=False,
        counts_as_failed=False,
        used=used,
    )


def _against(answer: ModelAnswer, possible: Sequence[Checked], prepared: Prepared) -> list[str]:
    texts = [f"{checked.candidate.question}\n{checked.candidate.answer}" for checked in possible]
    spoken = rules(prepared.settings.name, prepared.settings.tone)
    found = problems_of(answer, texts, prepared.asked.text, spoken)
    if len(answer.answer.encode()) > MAX_ANSWER_BYTES:
        found.append("too_long")
    return found


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SUMMARY_CHARACTERS else line[:SUMMARY_CHARACTERS] + "…"


def _elapsed(started: float) -> int:
    return int((time.monotonic() - started) * 1000)
