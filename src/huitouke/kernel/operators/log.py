"""What operators did: in the platform's log, and in the log of the tenant that it touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel import audit, clock
from huitouke.kernel.context import Context
from huitouke.kernel.ids import new_id
from huitouke.kernel.operators.models import PlatformAuditEntry
from huitouke.kernel.operators.signing_in import Operator
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of

COMMAND = "huitouke"
"""Who did it where it was a command on the machine."""


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does it: an operator, or a command on the machine (`operator` None)."""

    operator: Operator | None = None

    @property
    def name(self) -> str:
        """For people."""
        return self.operator.display_name if self.operator is not None else COMMAND


class PlatformEntryOut(BaseModel):
    """A line of the platform's log."""

    id: UUID
    occurred_at: datetime
    operator: str
    address: str | None
    action: str
    tenant_id: UUID | None
    object: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


async def note(
    session: AsyncSession,
    doer: Doer,
    action: str,
    object_name: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    tenant_id: UUID | None = None,
) -> None:
    """Adds an entry in the open transaction: `action` as `<noun>.<what happened>`, the facts before and after."""
    operator = doer.operator
    await session.execute(
        insert(PlatformAuditEntry).values(
            id=new_id(),
            occurred_at=clock.now(),
            user_id=operator.user_id if operator is not None else None,
            operator=doer.name,
            address=operator.address if operator is not None else None,
            request_id=operator.request_id if operator is not None else None,
            action=action,
            tenant_id=tenant_id,
            object=object_name,
            before=jsonable_encoder(before),
            after=jsonable_encoder(after),
        )
    )


async def note_in_both(
    ctx: Context,
    doer: Doer,
    action: str,
    object_name: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Adds the entry to the platform's log and to the tenant's, in the tenant's open transaction."""
    await note(ctx.session, doer, action, object_name, before, after, tenant_id=ctx.tenant_id)
    facts = {**(after or {}), "operator": doer.name}
    await audit.record(ctx, f"platform.{action}", "tenant", ctx.tenant_id, before=before, after=facts)


async def entries(
    session: AsyncSession, tenant_id: UUID | None, cursor: str | None, limit: int
) -> Page[PlatformEntryOut]:
    """What operators did, newest first; to one tenant where it is named."""
    query = select(PlatformAuditEntry).order_by(PlatformAuditEntry.id.desc()).limit(limit + 1)
    if tenant_id is not None:
        query = query.where(PlatformAuditEntry.tenant_id == tenant_id)
    if cursor is not None:
        query = query.where(PlatformAuditEntry.id < decode_cursor(cursor, UUID)[0])
    rows = (await session.scalars(query)).all()
    found = [PlatformEntryOut.model_validate(row, from_attributes=True) for row in rows]
    return page_of(found, limit, lambda entry: encode_cursor(entry.id))
