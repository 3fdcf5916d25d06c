"""Asking for work inside a transaction; workers learn of it when it has committed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from pydantic import BaseModel

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.ids import new_id
from huitouke.kernel.notify import Signal, Topic, send
from huitouke.kernel.work import statements
from huitouke.kernel.work.kinds import Lease, LeaseLost

KEY_LIMIT_CHARACTERS: Final = 256
KEYS_LIMIT: Final = 10_000
ARGUMENTS_LIMIT_BYTES: Final = 65_536
DUE_STEP_MS: Final = 2
"""Signals of due times are rounded up to this, so that a burst of timers is one signal."""


async def wake(ctx: Context, kind: str, key: str) -> None:
    """Has the runner of `kind` run for `key` after the commit, again if it runs now; many wake-ups become one run."""
    await wake_many(ctx, kind, (key,))


async def wake_many(ctx: Context, kind: str, keys: Iterable[str]) -> None:
    """`wake` for each key, in one statement."""
    wanted = list(keys)
    if not wanted:
        return
    if len(wanted) > KEYS_LIMIT:
        raise ValueError(f"{len(wanted)} keys at once, at most {KEYS_LIMIT}")
    if any(len(key) > KEY_LIMIT_CHARACTERS for key in wanted):
        raise ValueError(f"a key of {kind} has more than {KEY_LIMIT_CHARACTERS} characters")
    raw = await connection(ctx)
    rows = await raw.fetch(statements.WAKE, ctx.tenant_id, kind, wanted, ctx.request_id, clock.now())
    ready = [row["seq"] for row in rows if row["seq"] is not None]
    if ready:  # otherwise it runs now, or waits after a failure, and is looked at again when that is over
        ctx.after_commit(_ready(ctx.tenant_id, min(ready)))


async def enqueue(
    ctx: Context,
    kind: str,
    args: BaseModel | Mapping[str, Any],
    *,
    run_at: datetime | None = None,
    idempotency_key: str | None = None,
) -> UUID:
    """Has the job of `kind` done with `args` after the commit, not before `run_at`; gives its id.

    With an `idempotency_key` (unique per tenant and kind, kept seven days) a second call adds nothing and gives the
    first one's id.

    Raises:
        ValueError: the arguments are larger than 64 KiB.
    """
    arguments = args.model_dump_json() if isinstance(args, BaseModel) else orjson.dumps(dict(args)).decode()
    if len(arguments.encode()) > ARGUMENTS_LIMIT_BYTES:
        raise ValueError(f"arguments of {kind} have more than {ARGUMENTS_LIMIT_BYTES} bytes; pass ids")
    raw = await connection(ctx)
    now = clock.now()
    job_id = new_id()
    if idempotency_key is not None:
        place = (ctx.tenant_id, kind, idempotency_key)
        if await raw.fetchval(statements.REMEMBER_KEY, *place, job_id, now) is None:
            return UUID(str(await raw.fetchval(statements.REMEMBERED_KEY, *place)))
    later = run_at if run_at is not None and run_at > now else None
    seq = await raw.fetchval(
        statements.ENQUEUE, ctx.tenant_id, kind, str(job_id), arguments, later, ctx.request_id, now
    )
    ctx.after_commit(_due(later) if later is not None else _ready(ctx.tenant_id, seq))
    return job_id


async def schedule(ctx: Context, kind: str, at: datetime) -> None:
    """Has the tenant's schedule of `kind` called at `at` at the latest; earlier calls stay as they are."""
    raw = await connection(ctx)
    await raw.execute(statements.SCHEDULE, ctx.tenant_id, kind, at)
    ctx.after_commit(_due(at))


async def fence(ctx: Context) -> None:
    """Inside a runner's or job's transaction: makes sure that its lease is still its own, up to the commit.

    Who takes work over from a worker that seems dead waits for this transaction to end (a shared advisory lock), so
    what is written here and the next holder's work never overlap. Does nothing outside of runners and jobs.

    Raises:
        LeaseLost: the work was given to another worker.
    """
    if not all(await fence_many(ctx, [ctx])):
        raise LeaseLost(repr(ctx.lease))


async def fence_many(ctx: Context, runs: Sequence[Context]) -> list[bool]:
    """`fence` for several runs of the tenant that share this transaction: whether each still has its lease."""
    leases = [_lease(run) for run in runs]
    given = [lease for lease in leases if lease is not None]
    if not given:
        return [True] * len(runs)
    raw = await connection(ctx)
    held = await raw.fetch(
        statements.FENCE,
        ctx.tenant_id,
        [lease.kind for lease in given],
        [lease.key for lease in given],
        [lease.number for lease in given],
        [lease.worker_id for lease in given],
    )
    still = iter([row["held"] for row in held])
    return [True if lease is None else next(still) for lease in leases]


def _lease(context: Context) -> Lease | None:
    lease = context.lease
    if lease is not None and not isinstance(lease, Lease):
        raise TypeError("the context's lease was not made by a worker")
    return lease


def _ready(tenant_id: UUID, seq: int) -> Callable[[], None]:
    return lambda: send(Signal(Topic.WORK, tenant_id, "", seq))


def _due(at: datetime) -> Callable[[], None]:
    milliseconds = -(-int(at.timestamp() * 1000) // DUE_STEP_MS) * DUE_STEP_MS
    return lambda: send(Signal(Topic.DUE, None, str(milliseconds), milliseconds))
