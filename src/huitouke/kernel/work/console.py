"""Routes of the console: dead letters."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from huitouke.kernel import audit
from huitouke.kernel.http import ConsoleTransaction, requires
from huitouke.kernel.masking import CONTACTS, masked_unless
from huitouke.kernel.modules import Permission
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from huitouke.kernel.work import dead_letters

MANAGE: Final = "work.manage"
PERMISSIONS: Final = (Permission(MANAGE),)

router = APIRouter(prefix="/api/work", tags=["work"], dependencies=[requires(MANAGE)])


class DeadLetterOut(BaseModel):
    """Work that failed for good. `kind` is the kind of work or, of an event, the handler that failed."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    source: Literal["job", "wake", "event"]
    kind: str
    key: str
    arguments: Annotated[dict[str, Any], masked_unless(CONTACTS, of=dict[str, Any])] | None
    attempts: int
    error: Annotated[str, masked_unless(CONTACTS)]
    created_at: datetime
    died_at: datetime


@router.get("/dead-letters", operation_id="work_dead_letters")
async def list_dead_letters(
    ctx: ConsoleTransaction, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[DeadLetterOut]:
    """What failed for good, newest first."""
    page = await dead_letters.list_dead_letters(ctx, limit=limit, cursor=cursor)
    items = [DeadLetterOut.model_validate(letter) for letter in page.items]
    return Page(items=items, next_cursor=page.next_cursor)


@router.post("/dead-letters/{letter_id}/replay", operation_id="work_replay_dead_letter", status_code=204)
async def replay_dead_letter(ctx: ConsoleTransaction, letter_id: UUID) -> None:
    """Does it again, from the first attempt."""
    await dead_letters.replay(ctx, letter_id)
    await audit.record(ctx, "work.dead_letter_replayed", "dead_letter", letter_id)
