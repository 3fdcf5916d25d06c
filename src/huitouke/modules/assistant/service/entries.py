"""The entries of the knowledge: added, changed with a version, removed so that they can be restored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text

from huitouke.kernel import audit, clock
from huitouke.kernel.context import ActorKind, Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import NotFound
from huitouke.kernel.events import emit
from huitouke.kernel.ids import new_id
from huitouke.kernel.realtime import hint
from huitouke.modules.assistant.events import KnowledgeChanged
from huitouke.modules.assistant.models import KnowledgeEntry, KnowledgeVersion
from huitouke.modules.assistant.retrieval.index import Indexed, reindex
from huitouke.modules.assistant.retrieval.text import runs
from huitouke.modules.assistant.schemas import EntryChange, EntryDraft
from huitouke.modules.assistant.service import problems
from huitouke.modules.assistant.service.blanks import has_blank

MAX_ENTRIES: Final = 200_000
"""Per tenant, removed ones left out. Retrieval is measured up to 100,000."""


def question_key(question: str) -> str:
    """The question as it is compared with others: folded, letters and digits only. `？？` and the like give ''."""
    return "".join(runs(question))


async def add_entry(ctx: Context, draft: EntryDraft, *, source: str = "manual") -> KnowledgeEntry:
    """Adds one entry; it is found from the commit on.

    Raises:
        SameQuestion: an entry has this question already.
        BlankLeft: it is to be given, and its answer still has a blank.
        TooManyEntries: the knowledge is full.
    """
    _refuse_blank(draft.state, draft.answer)
    await _refuse_same_question(ctx, draft.question, None)
    (entry,) = await add_entries(ctx, [draft], source=source)
    await audit.record(ctx, "assistant.entry_added", "knowledge_entry", entry.id, after=_said(entry))
    return entry


async def add_entries(ctx: Context, drafts: Sequence[EntryDraft], *, source: str) -> list[KnowledgeEntry]:
    """Adds entries set-wise, without looking for doubles.

    Raises:
        TooManyEntries: the knowledge would hold more than `MAX_ENTRIES`.
    """
    held = await ctx.session.scalar(
        select(func.count()).select_from(KnowledgeEntry).where(KnowledgeEntry.deleted_at.is_(None))
    )
    if (held or 0) + len(drafts) > MAX_ENTRIES:
        raise problems.TooManyEntries(limit=MAX_ENTRIES)
    now = clock.now()
    entries = [
        KnowledgeEntry(
            id=new_id(),
            question=draft.question,
            question_key=question_key(draft.question),
            variants=_distinct(draft.variants, draft.question),
            answer=draft.answer,
            group_name=draft.group,
            state=draft.state,
            source=source,
            version=1,
            created_at=now,
            updated_at=now,
            updated_by=_staff(ctx),
        )
        for draft in drafts
    ]
    ctx.session.add_all(entries)
    await ctx.session.flush()
    await reindex(ctx, [], [indexed(entry) for entry in entries if answerable(entry)])
    await announce(ctx, "added" if source == "manual" else "imported", entries)
    return entries


async def change_entry(ctx: Context, entry_id: UUID, change: EntryChange) -> KnowledgeEntry:
    """Changes an entry and keeps what it said before.

    Raises:
        NotFound: there is none, or it was removed.
        EntryChanged: somebody saved another version meanwhile.
        SameQuestion: another entry has the new question already.
        BlankLeft: it is to be given, and its answer still has a blank.
    """
    entry = await _locked(ctx, entry_id)
    if entry.deleted_at is not None:
        raise NotFound
    if change.version is not None and change.version != entry.version:
        raise problems.EntryChanged(version=entry.version)
    new = change.model_dump(exclude_unset=True, exclude={"version"}, exclude_none=True)
    if "group" in new:
        new["group_name"] = new.pop("group")
    if "variants" in new:
        new["variants"] = _distinct(new["variants"], new.get("question", entry.question))
    new = {name: value for name, value in new.items() if getattr(entry, name) != value}
    if not new:
        return entry
    _refuse_blank(new.get("state", entry.state), new.get("answer", entry.answer))
    if "question" in new:
        await _refuse_same_question(ctx, new["question"], entry.id)
        new["question_key"] = question_key(new["question"])
    before = _said(entry)
    await rewrite(ctx, [(entry, new)])
    await audit.record(ctx, "assistant.entry_changed", "knowledge_entry", entry.id, before=before, after=_said(entry))
    await announce(ctx, "changed", [entry])
    return entry


async def rewrite(ctx: Context, changes: Sequence[tuple[KnowledgeEntry, dict[str, Any]]]) -> None:
    """Writes new values into entries, keeps their versions, and brings the index up to date. Set-wise."""
    now = clock.now()
    for entry, new in changes:
        ctx.session.add(_version(entry))
        for name, value in new.items():
            setattr(entry, name, value)
        entry.version += 1
        entry.updated_at = now
        entry.updated_by = _staff(ctx)
    await ctx.session.flush()
    live = [indexed(entry) for entry, _ in changes if answerable(entry)]
    await reindex(ctx, [entry.id for entry, _ in changes], live)


async def remove_entry(ctx: Context, entry_id: UUID) -> None:
    """Removes an entry; `restore_entry` brings it back. Removing it again changes nothing. Raises NotFound."""
    entry = await _locked(ctx, entry_id)
    if entry.deleted_at is not None:
        return
    entry.deleted_at = entry.updated_at = clock.now()
    entry.updated_by = _staff(ctx)
    await ctx.session.flush()
    await reindex(ctx, [entry.id], [])
    await audit.record(ctx, "assistant.entry_removed", "knowledge_entry", entry.id, before=_said(entry))
    await announce(ctx, "removed", [entry])


async def restore_entry(ctx: Context, entry_id: UUID) -> KnowledgeEntry:
    """Brings a removed entry back. Raises NotFound, SameQuestion, TooManyEntries."""
    entry = await _locked(ctx, entry_id)
    if entry.deleted_at is None:
        return entry
    await _refuse_same_question(ctx, entry.question, entry.id)
    entry.deleted_at = None
    entry.updated_at = clock.now()
    entry.updated_by = _staff(ctx)
    await ctx.session.flush()
    await reindex(ctx, [], [indexed(entry)] if answerable(entry) else [])
    await audit.record(ctx, "assistant.entry_restored", "knowledge_entry", entry.id, after=_said(entry))
    await announce(ctx, "restored", [entry])
    return entry


async def same_questions(ctx: Context, keys: Sequence[str]) -> dict[str, KnowledgeEntry]:
    """Live entries by question key, for those keys that have one; the oldest where there are several."""
    raw = await connection(ctx)
    rows = await raw.fetch(
        "SELECT DISTINCT ON (e.question_key) e.id FROM knowledge_entries e"
        " JOIN unnest($2::text[]) AS wanted(key) ON md5(e.question_key) = md5(wanted.key)"
        "  AND e.question_key = wanted.key"
        " WHERE e.tenant_id = $1 AND e.deleted_at IS NULL ORDER BY e.question_key, e.id",
        ctx.tenant_id,
        [key for key in keys if key],
    )
    found = await ctx.session.scalars(select(KnowledgeEntry).where(KnowledgeEntry.id.in_([row["id"] for row in rows])))
    return {entry.question_key: entry for entry in found}


def answerable(entry: KnowledgeEntry) -> bool:
    """Whether customers may be told it: it is on, there, and waits for nothing that the shop has yet to fill in."""
    return entry.state == "on" and entry.deleted_at is None and not has_blank(entry.answer)


def indexed(entry: KnowledgeEntry) -> Indexed:
    """What of the entry goes into the index."""
    return Indexed(entry.id, entry.question, entry.variants, entry.answer)


def _refuse_blank(state: str, answer: str) -> None:
    if state == "on" and has_blank(answer):
        raise problems.BlankLeft(field="answer")


async def _refuse_same_question(ctx: Context, question: str, own_id: UUID | None) -> None:
    """Two people who add the same question at once wait for each other: the second sees the first's entry."""
    key = question_key(question)
    await ctx.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:lock, 0))"),
        {"lock": f"knowledge_question:{ctx.tenant_id}:{key}"},
    )
    other = (await same_questions(ctx, [key])).get(key)
    if other is not None and other.id != own_id:
        raise problems.SameQuestion(field="question", entry_id=str(other.id), question=other.question)


async def _locked(ctx: Context, entry_id: UUID) -> KnowledgeEntry:
    entry = await ctx.session.scalar(
        select(KnowledgeEntry)
        .where(KnowledgeEntry.id == entry_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if entry is None:
        raise NotFound
    return entry


async def announce(ctx: Context, change: Any, entries: Sequence[KnowledgeEntry]) -> None:
    """Tells events and screens that entries changed."""
    one = entries[0].id if len(entries) == 1 else None
    await emit(ctx, KnowledgeChanged(change=change, entry_id=one, count=len(entries)))
    hint(ctx, "knowledge", one)


def _version(entry: KnowledgeEntry) -> KnowledgeVersion:
    return KnowledgeVersion(
        entry_id=entry.id,
        version=entry.version,
        question=entry.question,
        variants=entry.variants,
        answer=entry.answer,
        group_name=entry.group_name,
        state=entry.state,
        changed_at=entry.updated_at,
        changed_by=entry.updated_by,
    )


def _said(entry: KnowledgeEntry) -> dict[str, Any]:
    return {
        "question": entry.question,
        "variants": entry.variants,
        "answer": entry.answer,
        "group": entry.group_name,
        "state": entry.state,
        "version": entry.version,
    }


def _distinct(variants: Sequence[str], question: str) -> list[str]:
    seen = {question_key(question)}
    kept: list[str] = []
    for variant in variants:
        key = question_key(variant)
        if key and key not in seen:
            seen.add(key)
            kept.append(variant)
    return kept


def _staff(ctx: Context) -> UUID | None:
    return ctx.actor.id if ctx.actor.kind is ActorKind.STAFF else None
