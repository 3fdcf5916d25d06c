"""How the callbacks of one thing are: what came, what was refused and why, and work that failed behind them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select

from huitouke.kernel.callbacks.models import Callback, CallbackEndpoint, CallbackRefusal
from huitouke.kernel.context import ALL_DATA, Context
from huitouke.kernel.database import connection
from huitouke.kernel.work import dead_letters

MAX_FAILED: Final = 1_000
"""Letters that are counted; more are shown as so many."""

REPLAYED_AT_ONCE: Final = 50
MAX_KINDS: Final = 50

# Wake-ups are woken by the account that stands with the callback, so a letter's key finds its callbacks by an index.
_FAILED: Final = """
SELECT d.id
  FROM work_dead_letters AS d
 WHERE d.tenant_id = $1 AND d.source = 'wake'
   AND EXISTS (SELECT FROM callbacks AS c
                WHERE c.tenant_id = $1 AND c.kind = $2 AND c.account = d.key AND c.endpoint_id = ANY ($3::uuid[])
                  AND c.wake_kind = d.kind)
 ORDER BY d.id
 LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Came:
    """How often something came: an event's name, or the reason of a refusal."""

    name: str
    count: int
    last_at: datetime


async def came_since(ctx: Context, reference_id: UUID, since: datetime) -> list[Came]:
    """Accepted callbacks since then by event, the latest first."""
    rows = await ctx.session.execute(
        select(Callback.event, func.count(), func.max(Callback.received_at))
        .where(
            Callback.tenant_id == ctx.tenant_id,
            Callback.endpoint_id.in_(_endpoints(reference_id)),
            Callback.id >= func.uuid_lowest(since),
        )
        .group_by(Callback.event)
        .order_by(func.max(Callback.received_at).desc())
        .limit(MAX_KINDS)
    )
    return [Came(*row) for row in rows]


async def refused(ctx: Context, reference_id: UUID) -> list[Came]:
    """Refused requests by reason, the latest first; of each endpoint the newest 100 are known."""
    rows = await ctx.session.execute(
        select(CallbackRefusal.reason, func.count(), func.max(CallbackRefusal.received_at))
        .where(CallbackRefusal.tenant_id == ctx.tenant_id, CallbackRefusal.endpoint_id.in_(_endpoints(reference_id)))
        .group_by(CallbackRefusal.reason)
        .order_by(func.max(CallbackRefusal.received_at).desc())
        .limit(MAX_KINDS)
    )
    return [Came(*row) for row in rows]


async def failed_work(ctx: Context, kind: str, reference_id: UUID) -> list[UUID]:
    """Dead letters of what callbacks of that thing woke, oldest first, at most 1,000.

    Their keys name rows that may be somebody's: who doesn't see all is shown none.
    """
    if ctx.scope != ALL_DATA:
        return []
    endpoints = list(await ctx.session.scalars(_endpoints(reference_id)))
    raw = await connection(ctx)
    rows = await raw.fetch(_FAILED, ctx.tenant_id, kind, endpoints, MAX_FAILED)
    return [row["id"] for row in rows]


async def replay_failed(ctx: Context, kind: str, reference_id: UUID) -> tuple[int, int]:
    """Has the oldest 50 of them done again; gives how many were, and how many are left. What was done is not repeated:
    a wake-up says that there is something to look at, and what is known already is left out."""
    letters = await failed_work(ctx, kind, reference_id)
    for letter in letters[:REPLAYED_AT_ONCE]:  # each its own few statements: a press of a person's button
        await dead_letters.replay(ctx, letter)
    taken = min(len(letters), REPLAYED_AT_ONCE)
    return taken, len(letters) - taken


def _endpoints(reference_id: UUID) -> Select[UUID]:
    return select(CallbackEndpoint.id).where(CallbackEndpoint.reference_id == reference_id)
