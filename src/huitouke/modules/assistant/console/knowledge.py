"""Knowledge: entries, import, export, and trying a question."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from huitouke.kernel import plans
from huitouke.kernel.database import transaction
from huitouke.kernel.http import ConsoleContext, ConsoleTransaction, requires
from huitouke.kernel.ids import new_id
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from huitouke.modules.assistant import queries
from huitouke.modules.assistant.knowledge import writing
from huitouke.modules.assistant.reply.answering import Asked, try_question
from huitouke.modules.assistant.schemas import (
    EntryChange,
    EntryDraft,
    EntryOut,
    EntryState,
    GroupOut,
    ImportApply,
    ImportOut,
    ImportStart,
    QuestionsOut,
    TraceOut,
    TryQuestion,
    UnansweredOut,
    VersionOut,
)
from huitouke.modules.assistant.service import (
    add_entry,
    change_entry,
    imports,
    ready_model,
    remove_entry,
    restore_entry,
    unanswered,
)
from huitouke.modules.assistant.service.model_endpoint import AI_TOKENS
from huitouke.modules.assistant.service.traces import build_trace

VIEW: Final = requires("assistant.view")
MANAGE: Final = requires("assistant.manage")
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

router = APIRouter(prefix="/api/knowledge", tags=["assistant"])


@router.get("/entries", operation_id="assistant_list_entries", dependencies=[VIEW])
async def list_entries(
    ctx: ConsoleTransaction,
    q: Annotated[str | None, Query(max_length=100, description="Part of a question, variant or answer.")] = None,
    group: Annotated[str | None, Query(max_length=60)] = None,
    state: EntryState | None = None,
    removed: Annotated[bool, Query(description="Removed entries instead of live ones.")] = False,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[EntryOut]:
    """Entries, last changed first."""
    return await queries.entries(ctx, q=q, group=group, state=state, removed=removed, cursor=cursor, limit=limit)


@router.post("/entries", operation_id="assistant_add_entry", dependencies=[MANAGE], status_code=status.HTTP_201_CREATED)
async def add(body: EntryDraft, ctx: ConsoleTransaction) -> EntryOut:
    """Adds an entry; the next question finds it."""
    return queries.entry_out(await add_entry(ctx, body))


@router.get("/entries/{entry_id}", operation_id="assistant_get_entry", dependencies=[VIEW])
async def get_entry(entry_id: UUID, ctx: ConsoleTransaction) -> EntryOut:
    """One entry, removed ones too."""
    return await queries.entry(ctx, entry_id)


@router.patch("/entries/{entry_id}", operation_id="assistant_change_entry", dependencies=[MANAGE])
async def change(entry_id: UUID, body: EntryChange, ctx: ConsoleTransaction) -> EntryOut:
    """Changes an entry; the version before is kept."""
    return queries.entry_out(await change_entry(ctx, entry_id, body))


@router.delete(
    "/entries/{entry_id}",
    operation_id="assistant_remove_entry",
    dependencies=[MANAGE],
    status_code=status.HTTP_204_NO_CONTENT,
)
async def remove(entry_id: UUID, ctx: ConsoleTransaction) -> None:
    """Removes an entry; it can be restored."""
    await remove_entry(ctx, entry_id)


@router.post("/entries/{entry_id}/restore", operation_id="assistant_restore_entry", dependencies=[MANAGE])
async def restore(entry_id: UUID, ctx: ConsoleTransaction) -> EntryOut:
    """Brings a removed entry back."""
    return queries.entry_out(await restore_entry(ctx, entry_id))


@router.get("/entries/{entry_id}/versions", operation_id="assistant_list_versions", dependencies=[VIEW])
async def list_versions(entry_id: UUID, ctx: ConsoleTransaction) -> list[VersionOut]:
    """What the entry said before, newest first."""
    return await queries.versions(ctx, entry_id)


@router.get("/questions", operation_id="assistant_questions", dependencies=[VIEW])
async def questions(ctx: ConsoleTransaction) -> QuestionsOut:
    """What customers asked in vain, and answers that wait for the shop's own words."""
    return QuestionsOut(
        unanswered=[
            UnansweredOut.model_validate(one, from_attributes=True) for one in await unanswered.unanswered(ctx)
        ],
        blanks=[queries.entry_out(entry) for entry in await unanswered.blanks(ctx)],
    )


@router.get("/groups", operation_id="assistant_list_groups", dependencies=[VIEW])
async def list_groups(ctx: ConsoleTransaction) -> list[GroupOut]:
    """Groups with the number of their entries."""
    return await queries.groups(ctx)


@router.post(
    "/imports",
    operation_id="assistant_preview_import",
    dependencies=[MANAGE],
    status_code=status.HTTP_201_CREATED,
)
async def preview_import(body: ImportStart, context: ConsoleContext) -> ImportOut:
    """Reads an uploaded file and says what would be taken in. A file that can't be read is state `failed`."""
    return queries.import_out(await imports.preview(context, body.file_id), context.locale)


@router.get("/imports/{import_id}", operation_id="assistant_get_import", dependencies=[VIEW])
async def get_import(import_id: UUID, ctx: ConsoleTransaction) -> ImportOut:
    """How far an import is."""
    return queries.import_out(await queries.import_of(ctx, import_id), ctx.locale)


@router.post("/imports/{import_id}/apply", operation_id="assistant_apply_import", dependencies=[MANAGE])
async def apply_import(import_id: UUID, body: ImportApply, ctx: ConsoleTransaction) -> ImportOut:
    """Puts a previewed import into the knowledge; goes on in the background."""
    return queries.import_out(await imports.apply(ctx, import_id, body), ctx.locale)


@router.get(
    "/export",
    operation_id="assistant_export_knowledge",
    dependencies=[VIEW],
    response_class=Response,
    responses={200: {"content": {XLSX: {}, "text/csv": {}}}},
)
async def export(ctx: ConsoleTransaction, format: Literal["xlsx", "csv"] = "xlsx") -> Response:
    """All entries as a file that can be imported again."""
    lines = writing.lines_of([entry async for entry in queries.all_entries(ctx)], ctx.locale)
    write = writing.as_xlsx if format == "xlsx" else writing.as_csv
    return _file(await asyncio.to_thread(write, lines, ctx.locale), f"知识库.{format}")


@router.get(
    "/template",
    operation_id="assistant_import_template",
    dependencies=[VIEW],
    response_class=Response,
    responses={200: {"content": {XLSX: {}}}},
)
async def template(context: ConsoleContext) -> Response:
    """An Excel file with the right columns and two examples."""
    return _file(await asyncio.to_thread(writing.template, context.locale), "知识库模板.xlsx")


@router.post("/try", operation_id="assistant_try_question", dependencies=[VIEW])
async def try_it(body: TryQuestion, context: ConsoleContext) -> TraceOut:
    """What the assistant would answer, and why. Nothing is stored or sent."""
    async with transaction(context) as ctx:
        model = await ready_model(ctx) if body.use_model else None
    asked = Asked(body.question, [(message.role, message.text) for message in body.history])
    outcome, total_ms = await try_question(context, asked, model)
    if outcome.tokens:
        async with transaction(context) as ctx:
            await plans.spend(ctx, AI_TOKENS, outcome.tokens)
    trace = build_trace(new_id(), outcome, question=body.question, total_ms=total_ms)
    return queries.trace_out(trace, context.locale)


def _file(data: bytes, name: str) -> Response:
    media_type = XLSX if name.endswith(".xlsx") else "text/csv; charset=utf-8"
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(
        data,
        media_type=media_type,
        headers={"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"},
    )
