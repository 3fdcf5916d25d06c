"""An uploaded file on its way into the knowledge: looked at first, then applied in chunks by a job."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import audit, clock
from huitouke.kernel.context import ActorKind, Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.events import emit
from huitouke.kernel.files import service as files
from huitouke.kernel.ids import new_id
from huitouke.kernel.realtime import hint
from huitouke.kernel.sheets.reading import Table, read_table
from huitouke.kernel.sheets.workbook import UnreadableFile
from huitouke.kernel.work import enqueue, fence
from huitouke.modules.assistant import queries
from huitouke.modules.assistant.events import KnowledgeChanged
from huitouke.modules.assistant.knowledge.rows import (
    MAX_ERRORS_SHOWN,
    SAMPLE_ROWS,
    ReadRow,
    ReadRows,
    missing,
    read_rows,
    recognise,
)
from huitouke.modules.assistant.models import ImportChunk, KnowledgeEntry, KnowledgeImport
from huitouke.modules.assistant.schemas import EntryDraft, ImportApply
from huitouke.modules.assistant.service import problems
from huitouke.modules.assistant.service.entries import add_entries, question_key, rewrite, same_questions

CHUNK_ENTRIES: Final = 1_000
"""Entries per transaction: about 100,000 postings, two seconds of work."""


class ApplyImport(BaseModel):
    """Arguments of the job."""

    import_id: UUID


async def preview(context: Context, file_id: UUID) -> KnowledgeImport:
    """Reads an uploaded file and keeps what was found. A file that can't be read gives an import in state `failed`.

    No transaction is open while the file is parsed. Raises NotFound for a file that is not there.
    """
    async with transaction(context) as ctx:
        file = await files.get(ctx, file_id)
        if file.purpose != "knowledge_import":
            raise NotFound(field="file_id")
        data = await files.read_bytes(ctx, file_id)
    table, failure = await asyncio.to_thread(_read, data)
    mapping = recognise(table.header)
    read = await asyncio.to_thread(read_rows, table, mapping) if not missing(mapping, len(table.header)) else ReadRows()
    if failure is None and missing(mapping, len(table.header)) == ["question", "answer"] and len(table.header) < 2:
        failure = "no_columns"
    async with transaction(context) as ctx:
        row = KnowledgeImport(
            id=new_id(),
            file_id=file_id,
            file_name=file.name,
            state="failed" if failure else "previewed",
            mode=None,
            columns=table.header,
            mapping=mapping,
            rows_done=0,
            added=0,
            replaced=0,
            skipped=0,
            failure=failure,
            created_at=clock.now(),
            created_by=ctx.actor.id if ctx.actor.kind is ActorKind.STAFF else None,
            finished_at=None,
            **_found(table, read),
        )
        ctx.session.add(row)
        await ctx.session.flush()
        await files.attach(ctx, file_id, "knowledge_import", row.id)
        return row


async def apply(ctx: Context, import_id: UUID, wish: ImportApply) -> KnowledgeImport:
    """Starts putting a previewed import into the knowledge.

    `add` leaves entries that have the same question as they are; `replace_same_question` gives them the file's
    wordings, answer and group.

    Raises:
        NotFound, NotPreviewed.
        ColumnsMissing: question or answer have no column.
    """
    row = await queries.import_of(ctx, import_id, lock=True)
    if row.state != "previewed":
        raise problems.NotPreviewed(state=row.state)
    mapping: dict[str, int] = {str(name): column for name, column in (wish.mapping or row.mapping).items()}
    lacking = missing(mapping, len(row.columns))
    if lacking:
        raise problems.ColumnsMissing(field="mapping", columns=", ".join(lacking))
    row.mapping = mapping
    row.mode = wish.mode
    row.state = "applying"
    await audit.record(
        ctx, "assistant.import_applied", "knowledge_import", row.id, after={"mode": wish.mode, "file": row.file_name}
    )
    await enqueue(ctx, "assistant.apply_import", ApplyImport(import_id=row.id), idempotency_key=f"import:{row.id}")
    return row


async def run(context: Context, import_id: UUID) -> None:
    """Applies an import chunk by chunk; goes on where a killed run stopped. The job behind `apply`."""
    async with transaction(context) as ctx:
        row = await queries.import_of(ctx, import_id)
        if row.state != "applying":
            return
        mapping, mode, file_id = dict(row.mapping), row.mode, row.file_id
        data = await files.read_bytes(ctx, file_id)
    table, failure = await asyncio.to_thread(_read, data)
    read = await asyncio.to_thread(read_rows, table, mapping)
    for chunk, start in enumerate(range(0, len(read.entries), CHUNK_ENTRIES)):
        entries = read.entries[start : start + CHUNK_ENTRIES]
        await _apply_chunk(context, import_id, chunk, entries, replace=mode == "replace_same_question")
    async with transaction(context) as ctx:
        await fence(ctx)
        row = await queries.import_of(ctx, import_id, lock=True)
        for name, value in _found(table, read).items():
            setattr(row, name, value)
        row.state = "failed" if failure else "done"
        row.failure = failure
        row.rows_done = row.rows_total
        row.finished_at = clock.now()
        await emit(ctx, KnowledgeChanged(change="imported", entry_id=None, count=row.added + row.replaced))
        hint(ctx, "knowledge", row.id)


async def _apply_chunk(
    context: Context, import_id: UUID, chunk: int, entries: Sequence[ReadRow], *, replace: bool
) -> None:
    async with transaction(context) as ctx:
        await fence(ctx)
        row = await queries.import_of(ctx, import_id, lock=True)
        fresh = await ctx.session.scalar(
            insert(ImportChunk)
            .values(tenant_id=ctx.tenant_id, import_id=import_id, chunk=chunk, applied_at=clock.now())
            .on_conflict_do_nothing()
            .returning(ImportChunk.chunk)
        )
        if fresh is None:
            return
        known = await same_questions(ctx, [question_key(entry.draft.question) for entry in entries])
        new = [entry.draft for entry in entries if question_key(entry.draft.question) not in known]
        same = [
            (known[question_key(entry.draft.question)], entry.draft)
            for entry in entries
            if question_key(entry.draft.question) in known
        ]
        changes = [(entry, values) for entry, draft in same if (values := _differences(entry, draft))]
        if new:
            await add_entries(ctx, new, source="import")
        if replace and changes:
            await rewrite(ctx, changes)
        row.added += len(new)
        row.replaced += len(changes) if replace else 0
        row.skipped += len(same) - (len(changes) if replace else 0)
        row.rows_done += len(entries)
        hint(ctx, "knowledge", import_id)


def _read(data: bytes) -> tuple[Table, str | None]:
    try:
        return read_table(data), None
    except UnreadableFile as error:
        return Table([]), error.reason


def _found(table: Table, read: ReadRows) -> dict[str, Any]:
    """Counts, sample and errors as the import keeps them."""
    return {
        "rows_total": len(table.rows),
        "rows_ok": len(table.rows) - read.failed_rows if read.entries or read.failed_rows else 0,
        "rows_failed": read.failed_rows,
        "sample": [{"row": entry.row, **entry.draft.model_dump()} for entry in read.entries[:SAMPLE_ROWS]],
        "errors": [problem.stored() for problem in read.problems[:MAX_ERRORS_SHOWN]],
    }


def _differences(entry: KnowledgeEntry, draft: EntryDraft) -> dict[str, Any]:
    wanted = {
        "question": draft.question,
        "variants": draft.variants,
        "answer": draft.answer,
        "group_name": draft.group or entry.group_name,
        "state": draft.state,
    }
    return {name: value for name, value in wanted.items() if getattr(entry, name) != value}
