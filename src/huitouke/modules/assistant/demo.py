"""The assistant's part of the demo: 60 entries of a clothes shop, and why it answered as it did in the past days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.demo import DemoWorld
from huitouke.kernel.ids import new_id, time_of
from huitouke.modules.assistant.model.prompt import Said
from huitouke.modules.assistant.models import KnowledgeEntry
from huitouke.modules.assistant.reply.answering import Asked, decide, prepare
from huitouke.modules.assistant.schemas import EntryDraft
from huitouke.modules.assistant.service.entries import add_entries
from huitouke.modules.assistant.service.settings import assistant_settings
from huitouke.modules.assistant.service.traces import build_trace, write_traces
from huitouke.modules.conversations.tables import Message

_ENTRIES = Path(__file__).parent / "demo_entries.txt"


@dataclass
class _Block:
    question: str = ""
    variants: list[str] = field(default_factory=list)
    answer: str = ""


async def load(context: Context, world: DemoWorld) -> None:
    """Adds the entries, and traces for the past answers that conversations left in `facts['assistant_answers']`.

    Such an answer is (conversation id, message id, the customer's question). Does nothing when entries are there.
    """
    async with transaction(context) as ctx:
        if await ctx.session.scalar(select(KnowledgeEntry.id).limit(1)) is not None:
            return
        await add_entries(ctx, demo_entries(), source="demo")
    asked: dict[UUID, list[Said]] = {}
    for conversation_id, message_id, question in world.facts.get("assistant_answers", ()):
        history = asked.setdefault(conversation_id, [])
        await _trace(context, conversation_id, message_id, question, history)
        history.append(("customer", question))


def demo_entries() -> list[EntryDraft]:
    """The entries of the demo's shop."""
    group, blocks = "", []
    for block in _ENTRIES.read_text(encoding="utf-8").split("\n\n"):
        read = _Block()
        for line in block.splitlines():
            mark, _, text = line.partition(" ")
            match mark:
                case "G":
                    group = text
                case "Q":
                    read.question = text
                case "V":
                    read.variants = text.split("|")
                case "A":
                    read.answer = text
        if read.question:
            draft = EntryDraft(question=read.question, variants=read.variants, answer=read.answer, group=group)
            blocks.append(draft)
    return blocks


async def _trace(
    context: Context, conversation_id: UUID, message_id: UUID, question: str, history: Sequence[Said]
) -> None:
    """Decides once more what was decided then; kept only where the answer is the one that was sent."""
    async with transaction(context) as ctx:
        sent = await ctx.session.scalar(select(Message.text).where(Message.id == message_id))
        prepared = await prepare(ctx, Asked(question, history), await assistant_settings(ctx), None)
    outcome = await decide(prepared)
    if outcome.text != sent:
        return
    async with transaction(context) as ctx:
        trace = build_trace(
            new_id(),
            outcome,
            question=question,
            conversation_id=conversation_id,
            answered_seq=None,
            message_id=message_id,
            wait_ms=800,
            total_ms=outcome.retrieval_ms,
        )
        trace.created_at = time_of(message_id)
        await write_traces(ctx, [trace])
