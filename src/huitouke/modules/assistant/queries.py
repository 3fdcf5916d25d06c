"""Reads of the assistant's screens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, cast, func, or_, select, tuple_

from huitouke.kernel.context import Context
from huitouke.kernel.errors import NotFound
from huitouke.kernel.locales import has_text, translate
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of
from huitouke.modules.assistant.models import KnowledgeEntry, KnowledgeImport, KnowledgeVersion, ReplyTrace
from huitouke.modules.assistant.schemas import (
    CheckOut,
    ElapsedOut,
    EntryOut,
    EntryState,
    EvidenceOut,
    GroupOut,
    ImportOut,
    RowError,
    TraceOut,
    VersionOut,
)

MAX_GROUPS: Final = 500
MAX_VERSIONS: Final = 100
EXPORT_PAGE: Final = 2_000


async def entries(
    ctx: Context,
    *,
    q: str | None,
    group: str | None,
    state: EntryState | None,
    removed: bool,
    cursor: str | None,
    limit: int,
) -> Page[EntryOut]:
    """Entries, last changed first. `q` is looked for in questions, variants and answers as it stands."""
    query = select(KnowledgeEntry).where(
        KnowledgeEntry.deleted_at.is_not(None) if removed else KnowledgeEntry.deleted_at.is_(None)
    )
    if q:
        like = f"%{_escaped(q)}%"
        query = query.where(
            or_(
                KnowledgeEntry.question.ilike(like, escape="\\"),
                KnowledgeEntry.answer.ilike(like, escape="\\"),
                cast(KnowledgeEntry.variants, Text).ilike(like, escape="\\"),
            )
        )
    if group is not None:
        query = query.where(KnowledgeEntry.group_name == group)
    if state is not None:
        query = query.where(KnowledgeEntry.state == state)
    if cursor is not None:
        at, last = decode_cursor(cursor, datetime.fromisoformat, UUID)
        query = query.where(tuple_(KnowledgeEntry.updated_at, KnowledgeEntry.id) < (at, last))
    rows = await ctx.session.scalars(
        query.order_by(KnowledgeEntry.updated_at.desc(), KnowledgeEntry.id.desc()).limit(limit + 1)
    )
    page = page_of(list(rows), limit, lambda row: encode_cursor(row.updated_at, row.id))
    return Page(items=[entry_out(row) for row in page.items], next_cursor=page.next_cursor)


async def entry(ctx: Context, entry_id: UUID) -> EntryOut:
    """One entry, removed ones too. Raises NotFound."""
    row = await ctx.session.scalar(select(KnowledgeEntry).where(KnowledgeEntry.id == entry_id))
    if row is None:
        raise NotFound
    return entry_out(row)


async def versions(ctx: Context, entry_id: UUID) -> list[VersionOut]:
    """Earlier versions, newest first, at most 100. Raises NotFound."""
    await entry(ctx, entry_id)
    rows = await ctx.session.scalars(
        select(KnowledgeVersion)
        .where(KnowledgeVersion.entry_id == entry_id)
        .order_by(KnowledgeVersion.version.desc())
        .limit(MAX_VERSIONS)
    )
    return [
        VersionOut(
            version=row.version,
            question=row.question,
            variants=row.variants,
            answer=row.answer,
            group=row.group_name,
            state=_state(row.state),
            changed_at=row.changed_at,
            changed_by=row.changed_by,
        )
        for row in rows
    ]


async def groups(ctx: Context) -> list[GroupOut]:
    """Groups with the number of their entries, largest first."""
    rows = await ctx.session.execute(
        select(KnowledgeEntry.group_name, func.count())
        .where(KnowledgeEntry.deleted_at.is_(None))
        .group_by(KnowledgeEntry.group_name)
        .order_by(func.count().desc(), KnowledgeEntry.group_name)
        .limit(MAX_GROUPS)
    )
    return [GroupOut(name=name, entries=count) for name, count in rows]


async def all_entries(ctx: Context) -> AsyncIterator[EntryOut]:
    """All live entries in the order they were made, read in pages."""
    last: UUID | None = None
    while True:
        query = select(KnowledgeEntry).where(KnowledgeEntry.deleted_at.is_(None))
        if last is not None:
            query = query.where(KnowledgeEntry.id > last)
        rows = list(await ctx.session.scalars(query.order_by(KnowledgeEntry.id).limit(EXPORT_PAGE)))
        for row in rows:
            yield entry_out(row)
        if len(rows) < EXPORT_PAGE:
            return
        last = rows[-1].id


async def import_of(ctx: Context, import_id: UUID, *, lock: bool = False) -> KnowledgeImport:
    """The import. Raises NotFound."""
    query = select(KnowledgeImport).where(KnowledgeImport.id == import_id)
    row = await ctx.session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound
    return row


async def traces(ctx: Context, conversation_id: UUID | None, cursor: str | None, limit: int) -> Page[TraceOut]:
    """Traces, newest first, of one conversation or of all."""
    query = select(ReplyTrace)
    if conversation_id is not None:
        query = query.where(ReplyTrace.conversation_id == conversation_id)
    if cursor is not None:
        (last,) = decode_cursor(cursor, UUID)
        query = query.where(ReplyTrace.id < last)
    rows = await ctx.session.scalars(query.order_by(ReplyTrace.id.desc()).limit(limit + 1))
    page = page_of(list(rows), limit, lambda row: encode_cursor(row.id))
    return Page(items=[trace_out(row, ctx.locale) for row in page.items], next_cursor=page.next_cursor)


async def trace_of_message(ctx: Context, message_id: UUID) -> TraceOut:
    """Why that message of the assistant says what it says. Raises NotFound."""
    row = await ctx.session.scalar(
        select(ReplyTrace).where(ReplyTrace.message_id == message_id).order_by(ReplyTrace.id.desc()).limit(1)
    )
    if row is None:
        raise NotFound
    return trace_out(row, ctx.locale)


def entry_out(row: KnowledgeEntry) -> EntryOut:
    """As the API shows it."""
    return EntryOut(
        id=row.id,
        question=row.question,
        variants=row.variants,
        answer=row.answer,
        group=row.group_name,
        state=_state(row.state),
        source=row.source,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deleted_at=row.deleted_at,
    )


def import_out(row: KnowledgeImport, locale: str) -> ImportOut:
    """As the API shows it, with the errors' sentences in that language."""
    return ImportOut.model_validate(
        {
            **{name: getattr(row, name) for name in ImportOut.model_fields if hasattr(row, name)},
            "failure": translate(locale, f"imports.{row.failure}") if row.failure else None,
            "errors": [_row_error(error, locale) for error in row.errors],
        }
    )


def trace_out(row: ReplyTrace, locale: str) -> TraceOut:
    """As the API shows it, with labels in that language."""
    key = f"reasons.{row.reason}"
    return TraceOut(
        id=row.id,
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        question=row.question,
        decision=row.decision,
        reason=row.reason,
        reason_label=translate(locale, key) if has_text(key) else row.reason,
        answer=row.answer,
        evidence=[EvidenceOut.model_validate(item) for item in row.evidence],
        checks=[CheckOut(label=translate(locale, f"checks.{item['name']}"), **item) for item in row.checks],
        model=row.model,
        tokens_in=row.tokens_in,
        tokens_out=row.tokens_out,
        elapsed_ms=ElapsedOut.model_validate(row.elapsed_ms),
        created_at=row.created_at,
    )


def _row_error(error: dict[str, Any], locale: str) -> RowError:
    message = translate(locale, f"imports.row.{error['reason']}", **error.get("params", {}))
    return RowError(row=error["row"], column=error.get("column"), message=message)


def _state(state: str) -> EntryState:
    return "on" if state == "on" else "off"


def _escaped(q: str) -> str:
    return q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
