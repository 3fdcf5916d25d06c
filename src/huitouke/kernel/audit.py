"""The audit log: who changed what, when, from where. Written in the transaction of the change; never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.encoders import jsonable_encoder
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import JSON, Select, false, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import Base, TenantScoped
from huitouke.kernel.http import ConsoleTransaction, requires
from huitouke.kernel.ids import lowest_id, new_id
from huitouke.kernel.masking import CONTACTS, masked_unless
from huitouke.kernel.modules import Permission
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor, page_of
from huitouke.kernel.plans.reading import also_when_read_only

PERMISSION = Permission("audit.view", presets=("manager",))

EXPORT_LIMIT: Final = 10_000
"""Entries of one export: some 5 MB. Who wants older ones names a period."""

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(3000, 1, 1, tzinfo=UTC)
"""Ids bear times between these."""

router = APIRouter(prefix="/api/audit", tags=["audit"])


class AuditEntry(TenantScoped, Base):
    """One change. The application's role may add entries and read them, nothing else."""

    __tablename__ = "audit_log"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    user_id: Mapped[UUID | None]
    address: Mapped[str | None]
    request_id: Mapped[str | None]
    action: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    reading: Mapped[bool] = mapped_column(server_default=false())
    """Nothing was changed: somebody looked at, or took out, what is not everybody's."""


Facts = Annotated[dict[str, Any], masked_unless(CONTACTS, of=dict[str, Any])]
"""What was, and what is: names and remarks of customers are among it."""


class AuditEntryOut(BaseModel):
    """A line of the audit log."""

    id: UUID
    occurred_at: datetime
    actor_kind: str
    actor_id: UUID | None
    address: str | None
    request_id: str | None
    action: str
    object_kind: str
    object_id: str
    before: Facts | None
    after: Facts | None
    reading: bool = Field(description="Nothing was changed: somebody looked at what is not everybody's.")


async def record(
    ctx: Context,
    action: str,
    object_kind: str,
    object_id: UUID | str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    reading: bool = False,
) -> None:
    """Adds an entry in the open transaction: `action` as `<module>.<what happened>`, the facts before and after.

    `reading`: nothing was changed, somebody looked at what is not everybody's.

    Facts are names, states and figures; never secrets and never people's messages.
    """
    await ctx.session.execute(
        insert(AuditEntry).values(
            tenant_id=ctx.tenant_id,
            id=new_id(),
            occurred_at=clock.now(),
            actor_kind=ctx.actor.kind.value,
            actor_id=ctx.actor.id,
            user_id=ctx.actor.user_id,
            address=ctx.address,
            request_id=ctx.request_id,
            action=action,
            object_kind=object_kind,
            object_id=str(object_id),
            before=jsonable_encoder(before),
            after=jsonable_encoder(after),
            reading=reading,
        )
    )


async def record_many(
    ctx: Context, action: str, object_kind: str, object_ids: Sequence[UUID], after: Mapping[str, Any] | None = None
) -> None:
    """`record` for several objects to which the same happened, in one statement."""
    if not object_ids:
        return
    shared = {
        "tenant_id": ctx.tenant_id,
        "occurred_at": clock.now(),
        "actor_kind": ctx.actor.kind.value,
        "actor_id": ctx.actor.id,
        "user_id": ctx.actor.user_id,
        "address": ctx.address,
        "request_id": ctx.request_id,
        "action": action,
        "object_kind": object_kind,
        "after": jsonable_encoder(after),
    }
    rows = [{**shared, "id": new_id(), "object_id": str(one)} for one in object_ids]
    await ctx.session.execute(insert(AuditEntry), rows)


class AuditFilter(BaseModel):
    """Which entries: of one kind of object or one object, of one member of staff, of a period."""

    object_kind: str | None = Field(None, max_length=100)
    object_id: str | None = Field(None, max_length=100)
    actor_id: UUID | None = Field(None, description="the staff id of who did it")
    since: AwareDatetime | None = Field(None, description="from this moment on")
    until: AwareDatetime | None = Field(None, description="before this moment")
    reading: bool = Field(False, description="only who looked at, or took out, what is not everybody's")


class AuditExport(BaseModel):
    """The newest entries that were asked for, newest first; `more` says that older ones were left out."""

    items: list[AuditEntryOut]
    more: bool


def _filter(wanted: Annotated[AuditFilter, Query()]) -> AuditFilter:
    return wanted


@router.get("", operation_id="audit_list", dependencies=[requires(PERMISSION.name)])
async def list_entries(
    ctx: ConsoleTransaction,
    wanted: Annotated[AuditFilter, Depends(_filter)],
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[AuditEntryOut]:
    """What was changed, newest first; of one object, person or period when it is named."""
    query = _matching(wanted).limit(limit + 1)
    if cursor is not None:
        (before_id,) = decode_cursor(cursor, UUID)
        query = query.where(AuditEntry.id < before_id)
    return page_of(await _entries(ctx, query), limit, lambda entry: encode_cursor(entry.id))


@router.post("/exports", operation_id="audit_export", dependencies=[requires(PERMISSION.name)])
@also_when_read_only
async def export(ctx: ConsoleTransaction, wanted: Annotated[AuditFilter, Depends(_filter)]) -> AuditExport:
    """The newest 10,000 entries that match, to be kept elsewhere. That they were taken out is an entry itself."""
    entries = await _entries(ctx, _matching(wanted).limit(EXPORT_LIMIT + 1))
    taken = entries[:EXPORT_LIMIT]
    facts = {**wanted.model_dump(include={"object_kind", "since", "until"}, exclude_none=True), "entries": len(taken)}
    await record(ctx, "kernel.audit_exported", "audit_log", ctx.tenant_id, after=facts, reading=True)
    return AuditExport(items=taken, more=len(entries) > EXPORT_LIMIT)


def _matching(wanted: AuditFilter) -> Select[AuditEntry]:
    """Newest first. Ids bear the time, so that a period is a range of the key."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc())
    if wanted.object_kind is not None:
        query = query.where(AuditEntry.object_kind == wanted.object_kind)
    if wanted.object_id is not None:
        query = query.where(AuditEntry.object_id == wanted.object_id)
    if wanted.actor_id is not None:
        query = query.where(AuditEntry.actor_id == wanted.actor_id)
    if wanted.since is not None:
        query = query.where(AuditEntry.id >= _bound(wanted.since))
    if wanted.until is not None:
        query = query.where(AuditEntry.id < _bound(wanted.until))
    if wanted.reading:
        query = query.where(AuditEntry.reading)
    return query


def _bound(at: datetime) -> UUID:
    return lowest_id(min(max(at, EARLIEST), LATEST))


async def _entries(ctx: Context, query: Select[AuditEntry]) -> list[AuditEntryOut]:
    rows = (await ctx.session.execute(query)).scalars().all()
    return [AuditEntryOut.model_validate(row, from_attributes=True) for row in rows]
