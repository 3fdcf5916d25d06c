"""How a tenant is, for the operator's screens, which must not look into tenants: measured by a job of the tenant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.modules import load_modules
from huitouke.kernel.operators.models import TenantHealth
from huitouke.kernel.work import scheduled

KIND: Final = "operators.health"
EVERY: Final = timedelta(minutes=15)

SIGNS: Final = "kernel.tenant_signs"
"""Registry of `TenantSign`: what modules find wrong in a tenant."""

MAX_LETTERS: Final = 1_000
MAX_ERROR_CHARACTERS: Final = 120

TenantSign: TypeAlias = Callable[[Context], Awaitable[dict[str, int]]]
"""`(context with an open transaction)` → how many of what is wrong, e.g. `{"failing_accounts": 2}`; texts
`health.<name>`."""

_LETTERS: Final = "SELECT count(*) FROM (SELECT FROM work_dead_letters WHERE tenant_id = $1 LIMIT $2) AS counted"
_LAST_LETTER: Final = "SELECT kind, error, died_at FROM work_dead_letters WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1"
_LAST_CALLBACK: Final = (
    "SELECT max(newest.received_at) FROM callback_endpoints AS e CROSS JOIN LATERAL ("
    " SELECT c.received_at FROM callbacks AS c WHERE c.tenant_id = $1 AND c.endpoint_id = e.id"
    " ORDER BY c.id DESC LIMIT 1) AS newest WHERE e.tenant_id = $1"
)


@scheduled(KIND)
async def look(context: Context) -> datetime | None:
    """Looks how the tenant is and keeps it; again in a quarter of an hour."""
    async with transaction(context) as ctx:
        await keep(ctx)
    return clock.now() + EVERY


async def keep(ctx: Context) -> None:
    """Figures and kinds only: an error's own words may quote a customer's."""
    raw = await connection(ctx)
    letters = await raw.fetchval(_LETTERS, ctx.tenant_id, MAX_LETTERS)
    last = await raw.fetchrow(_LAST_LETTER, ctx.tenant_id)
    signs: dict[str, int] = {}
    for sign in load_modules().extensions(SIGNS):
        signs |= await sign(ctx)
    found = {
        "measured_at": clock.now(),
        "last_callback_at": await raw.fetchval(_LAST_CALLBACK, ctx.tenant_id),
        "dead_letters": letters,
        "signs": {name: count for name, count in signs.items() if count},
        "last_error": f"{last['kind']}: {_kind_of(last['error'])}" if last is not None else None,
        "last_error_at": last["died_at"] if last is not None else None,
    }
    await ctx.session.execute(
        insert(TenantHealth)
        .values(tenant_id=ctx.tenant_id, **found)
        .on_conflict_do_update(index_elements=["tenant_id"], set_=found)
    )


def _kind_of(error: str) -> str:
    """`errors.describe` writes kind and message; the message is the tenant's."""
    return error.partition(":")[0][:MAX_ERROR_CHARACTERS]
