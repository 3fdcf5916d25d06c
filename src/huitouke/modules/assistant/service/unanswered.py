"""What customers asked and the knowledge had no answer to: the shop writes it down once, and next time there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.ids import lowest_id
from huitouke.modules.assistant.models import IndustryEntry, KnowledgeEntry, ReplyTrace
from huitouke.modules.assistant.service.blanks import OPENING, has_blank
from huitouke.modules.assistant.service.entries import question_key, same_questions
from huitouke.modules.assistant.service.industries import own_words_needed
from huitouke.modules.organization.service import Day, TodayLine

KEPT: Final = timedelta(days=7)
"""Older questions are no news any more."""

LOOKED_AT: Final = 300
"""Of the newest questions of that time."""

MAX_QUESTIONS: Final = 50
COUNTED_AT_MOST: Final = 1_000
MAX_QUESTION_CHARACTERS: Final = 200
"""Longer ones are stories, which nobody asks twice in the same words."""

NO_ANSWER: Final = ("not_in_knowledge", "nothing_found", "failed_turns", "unsure")
"""Reasons why a turn got no answer out of the knowledge, rather than because a person was wanted."""

FROM_KNOWLEDGE: Final = ("knowledge", "model")
"""Reasons of answers that say something; greetings are none."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question, how often it was asked, and when last."""

    question: str
    times: int
    last_at: datetime
    conversation_id: UUID | None


async def unanswered(ctx: Context) -> list[Unanswered]:
    """Questions of the last days without an answer, the most asked first; at most MAX_QUESTIONS.

    What has an entry by now that can be given is settled.
    """
    rows = (
        await ctx.session.execute(
            select(ReplyTrace.question, ReplyTrace.conversation_id, ReplyTrace.created_at)
            .where(
                ReplyTrace.id >= lowest_id(clock.now() - KEPT),
                ReplyTrace.decision.in_(("asked_colleague", "handed_over")),
                ReplyTrace.reason.in_(NO_ANSWER),
                func.char_length(ReplyTrace.question) <= MAX_QUESTION_CHARACTERS,
            )
            .order_by(ReplyTrace.id.desc())
            .limit(LOOKED_AT)
        )
    ).all()
    found: dict[str, Unanswered] = {}
    for question, conversation_id, at in rows:
        key = question_key(question)
        had = found.get(key)
        if key:
            found[key] = Unanswered(
                had.question if had else question.strip(),
                had.times + 1 if had else 1,
                had.last_at if had else at,
                had.conversation_id if had else conversation_id,
            )
    settled = await _settled(ctx, found)
    open_ones = [one for key, one in found.items() if key not in settled]
    return sorted(open_ones, key=lambda one: (-one.times, -one.last_at.timestamp()))[:MAX_QUESTIONS]


async def _settled(ctx: Context, asked: Mapping[str, Unanswered]) -> set[str]:
    """Keys of questions that an entry answers by now."""
    entries = await same_questions(ctx, list(asked))
    return {key for key, entry in entries.items() if entry.state == "on" and not has_blank(entry.answer)}


async def today(ctx: Context, day: Day) -> list[TodayLine]:
    """What the assistant did, what it could not, and what it waits for."""
    lines: list[TodayLine] = []
    waiting = len(await unanswered(ctx))
    if waiting:
        lines.append(TodayLine("unanswered", "/assistant/questions", 20, figures={"n": waiting}))
    blanks = await _blanks(ctx)
    if blanks:
        lines.append(TodayLine("blanks", "/assistant/questions", 45, figures={"n": blanks}))
    answered = await _answered(ctx, day.since)
    if day.check in (3, 7):
        whole = await _answered(ctx, day.now - timedelta(days=day.check))
        if whole:
            name = f"week_{day.check}"
            lines.append(TodayLine(name, "/conversations", 60, "good", {"n": whole, "left": waiting}))
            return lines
    if answered:
        lines.append(TodayLine("answered", "/conversations", 70, "good", {"n": answered}))
    return lines


async def blanks(ctx: Context) -> list[KnowledgeEntry]:
    """Entries that wait for the shop's own words, in the order they were made; at most MAX_QUESTIONS."""
    rows = await ctx.session.scalars(_with_blanks().order_by(KnowledgeEntry.id).limit(MAX_QUESTIONS))
    return list(rows)


async def _blanks(ctx: Context) -> int:
    few = _with_blanks().with_only_columns(KnowledgeEntry.id).limit(COUNTED_AT_MOST).subquery()
    return await ctx.session.scalar(select(func.count()).select_from(few)) or 0


def _with_blanks() -> Select[KnowledgeEntry]:
    """Through the entries of industries, some hundred at most: nobody else writes blanks. What only lacks a fact is
    asked for on the page of facts, where one word fills several answers."""
    return (
        select(KnowledgeEntry)
        .join(IndustryEntry, IndustryEntry.entry_id == KnowledgeEntry.id)
        .where(
            tuple_(IndustryEntry.industry, IndustryEntry.key).in_(own_words_needed()),
            KnowledgeEntry.deleted_at.is_(None),
            KnowledgeEntry.answer.contains(OPENING, autoescape=True),
        )
    )


async def _answered(ctx: Context, since: datetime) -> int:
    few = (
        select(ReplyTrace.id)
        .where(ReplyTrace.id >= lowest_id(since), ReplyTrace.reason.in_(FROM_KNOWLEDGE))
        .limit(COUNTED_AT_MOST)
        .subquery()
    )
    return await ctx.session.scalar(select(func.count()).select_from(few)) or 0
