"""The audit log: who changed what, when, from where. Written in the transaction of the change; never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel
from sqlalchemy import JSON, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import Base, TenantScoped
from huitouke.kernel.http import ConsoleTransaction, requires
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import Permission
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, encode_cursor, page_of

PERMISSION = Permission("audit.view", presets=("manager",))

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
    before: dict[str, Any] | None
    after: dict[str, Any] | None


async def record(
    ctx: Context,
    action: str,
    object_kind: str,
    object_id: UUID | str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Adds an entry in the open transaction: `action` as `<module>.<what happened>`, the facts before and after.

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
        )
    )


@router.get("", operation_id="audit_list", dependencies=[requires(PERMISSION.name)])
async def list_entries(
    ctx: ConsoleTransaction,
    object_kind: Annotated[str | None, Query(max_length=100)] = None,
    object_id: Annotated[str | None, Query(max_length=100)] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[AuditEntryOut]:
    """What was changed, newest first; of one object when it is named."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
    if object_kind is not None:
        query = query.where(AuditEntry.object_kind == object_kind)
    if object_id is not None:
        query = query.where(AuditEntry.object_id == object_id)
    if cursor is not None:
        (before_id,) = decode_cursor(cursor, UUID)
        query = query.where(AuditEntry.id < before_id)
    rows = (await ctx.session.execute(query)).scalars().all()
    entries = [AuditEntryOut.model_validate(row, from_attributes=True) for row in rows]
    return page_of(entries, limit, lambda entry: encode_cursor(entry.id))
