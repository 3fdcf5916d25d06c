"""Calls to WeCom that failed are counted by call, code and day, for the page that says how a connection is.

A connection that is down fails thousands of calls a minute: a process writes of each kind at most once within some
seconds, with the count since then. What it had not written when it ends is lost; it is a figure for people.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import clock
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import transaction
from huitouke.modules.organization.models import CallFailure
from huitouke.wechat.errors import DuplicateMsgid, SyncTokenInvalid, TokenInvalid, WecomError

log = structlog.get_logger(__name__)

WRITE_EVERY_SECONDS: Final = 10.0
KEPT: Final = timedelta(days=14)
MAX_KINDS: Final = 1_000
"""Kinds of failures that a process counts between two writes; beyond them new ones are only in its log."""

EXPECTED: Final = (TokenInvalid, DuplicateMsgid, SyncTokenInvalid)
"""Part of how WeCom is spoken to: a token is renewed, a repeat recognised, a pull begun anew."""

Kind = tuple[UUID, UUID, str, str]
_pending: dict[Kind, int] = {}
_written: dict[Kind, float] = {}


def counter(context: Context, app_id: UUID) -> Callable[[WecomError], Awaitable[None]]:
    """What a client of that app tells its failures to; awaited outside of transactions, as the call was."""
    tenant_id = context.tenant_id

    async def failed(error: WecomError) -> None:
        if isinstance(error, EXPECTED):
            return
        code = str(error.errcode) if error.errcode is not None else str(error.reason or "")
        await _count((tenant_id, app_id, error.path, code))

    return failed


async def _count(kind: Kind) -> None:
    if kind not in _pending and len(_pending) >= MAX_KINDS:
        return
    _pending[kind] = _pending.get(kind, 0) + 1
    if monotonic() - _written.get(kind, -WRITE_EVERY_SECONDS) < WRITE_EVERY_SECONDS:
        return
    if len(_written) >= MAX_KINDS:
        _written.clear()
    _written[kind] = monotonic()
    count = _pending.pop(kind)
    tenant_id, app_id, path, code = kind
    try:
        async with transaction(job_context(tenant_id)) as ctx:
            await _add(ctx, app_id, path, code, count, clock.now())
    except Exception:
        # A figure for people; the call's own failure is what its caller has to learn of.
        log.exception("wecom.failure_not_counted", path=path, code=code)


async def _add(ctx: Context, app_id: UUID, path: str, code: str, count: int, now: datetime) -> None:
    today = now.astimezone(UTC).date()
    statement = insert(CallFailure).values(
        tenant_id=ctx.tenant_id, wecom_app_id=app_id, path=path, code=code, day=today, count=count, last_at=now
    )
    await ctx.session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "wecom_app_id", "day", "path", "code"],
            set_={"count": CallFailure.count + count, "last_at": now},
        )
    )
    await ctx.session.execute(
        delete(CallFailure)
        .where(CallFailure.tenant_id == ctx.tenant_id, CallFailure.day < today - KEPT)
        .execution_options(synchronize_session=False)
    )
