"""Work that a person must look at: what it was, why it failed, and trying it again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from huitouke.kernel import clock
from huitouke.kernel.context import ALL_DATA, Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import NotFound
from huitouke.kernel.paging import DEFAULT_LIMIT, Page, decode_cursor, encode_cursor, page_of
from huitouke.kernel.work import statements
from huitouke.kernel.work.requests import enqueue, schedule, wake

EVENT_RETRIES: Final = "events.retry"

Source = Literal["job", "wake", "event"]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`kind` is the kind of work or the handler's name, `key` its key, job id or event id."""

    id: UUID
    source: Source
    kind: str
    key: str
    arguments: dict[str, Any] | None
    attempts: int
    error: str
    created_at: datetime
    died_at: datetime


async def list_dead_letters(ctx: Context, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[Any]:
    """The tenant's dead letters, newest first; items are `DeadLetter`.

    Arguments and keys name rows that may be somebody's: who doesn't see all is shown none.
    """
    if ctx.scope != ALL_DATA:
        return Page(items=[])
    before = decode_cursor(cursor, UUID)[0] if cursor is not None else None
    raw = await connection(ctx)
    rows = await raw.fetch(statements.DEAD_LETTERS, ctx.tenant_id, before, limit + 1)
    return page_of([_letter(row) for row in rows], limit, lambda letter: encode_cursor(str(letter.id)))


async def replay(ctx: Context, letter_id: UUID) -> None:
    """Has it done again from the first attempt, and takes it off the list.

    Raises:
        NotFound: there is no such dead letter (any more): somebody else was faster.
    """
    if ctx.scope != ALL_DATA:
        raise NotFound
    raw = await connection(ctx)
    row = await raw.fetchrow(statements.TAKE_DEAD_LETTER, ctx.tenant_id, letter_id)
    if row is None:
        raise NotFound
    letter = _letter(row)
    match letter.source:
        case "job":
            await enqueue(ctx, letter.kind, letter.arguments or {})
        case "wake":
            await wake(ctx, letter.kind, letter.key)
        case "event":
            now = clock.now()
            await raw.execute(statements.RETRY_EVENT, ctx.tenant_id, letter.kind, UUID(letter.key), now)
            await schedule(ctx, EVENT_RETRIES, now)


def _letter(row: Any) -> DeadLetter:
    return DeadLetter(
        id=row["id"],
        source=row["source"],
        kind=row["kind"],
        key=row["key"],
        arguments=orjson.loads(row["arguments"]) if row["arguments"] is not None else None,
        attempts=row["attempts"],
        error=row["error"],
        created_at=row["created_at"],
        died_at=row["died_at"],
    )
