"""Doing something once per `Idempotency-Key`, however often it is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import JSON, LargeBinary, bindparam, text

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.errors import Conflict

T = TypeVar("T", bound=BaseModel)

KEEP: Final = timedelta(days=7)
"""How long a key is remembered."""

CLEAN_UP_ROWS: Final = 20
"""Old keys removed with each new one, so that they can't pile up."""


class KeyReused(Conflict):
    """The key came before, with a different request."""

    status = 422
    type = "idempotency.key_reused"


async def once(
    ctx: Context,
    key: str | None,
    scope: str,
    produce: Callable[[], Awaitable[T]],
    *,
    returns: type[T],
    request: BaseModel | None = None,
) -> T:
    """Runs `produce` in the open transaction the first time, and gives its answer again every further time.

    `scope` names the use case (`conversations.send`); `returns` is the model of the answer, which is kept beside the
    key. Two requests with one key at the same time: the second waits for the first one's commit and gets its answer;
    when the first rolls back, the second does the work. Without a key `produce` simply runs.

    Raises:
        KeyReused: the key was used for a different `request`.
    """
    if key is None:
        return await produce()
    digest = hashlib.sha256(request.model_dump_json().encode()).digest() if request is not None else None
    if not await _claim(ctx, scope, key, digest):
        return await _answer_of_first(ctx, scope, key, digest, TypeAdapter(returns))
    result = await produce()
    await ctx.session.execute(
        text(
            "UPDATE idempotency_keys SET result = :result"
            " WHERE tenant_id = :tenant_id AND scope = :scope AND key = :key"
        ).bindparams(bindparam("result", type_=JSON)),
        {**_place(ctx, scope, key), "result": result.model_dump(mode="json")},
    )
    return result


async def _claim(ctx: Context, scope: str, key: str, digest: bytes | None) -> bool:
    """Whether we are the first; waits here for a transaction that holds the same key."""
    claimed = await ctx.session.execute(
        text(
            "INSERT INTO idempotency_keys (tenant_id, scope, key, request_digest, created_at)"
            " VALUES (:tenant_id, :scope, :key, :digest, :now) ON CONFLICT DO NOTHING RETURNING true"
        ).bindparams(bindparam("digest", type_=LargeBinary)),
        {**_place(ctx, scope, key), "digest": digest, "now": clock.now()},
    )
    if claimed.scalar_one_or_none() is None:
        return False
    await ctx.session.execute(
        text(
            "DELETE FROM idempotency_keys WHERE tenant_id = :tenant_id AND (scope, key) IN (SELECT scope, key"
            " FROM idempotency_keys WHERE tenant_id = :tenant_id AND created_at < :before"
            " ORDER BY created_at LIMIT :rows FOR UPDATE SKIP LOCKED)"
        ),
        {"tenant_id": ctx.tenant_id, "before": clock.now() - KEEP, "rows": CLEAN_UP_ROWS},
    )
    return True


async def _answer_of_first(ctx: Context, scope: str, key: str, digest: bytes | None, adapter: TypeAdapter[T]) -> T:
    row = (
        await ctx.session.execute(
            text(
                "SELECT request_digest, result FROM idempotency_keys"
                " WHERE tenant_id = :tenant_id AND scope = :scope AND key = :key"
            ).columns(result=JSON),
            _place(ctx, scope, key),
        )
    ).one()
    if row.request_digest != digest:
        raise KeyReused(field="Idempotency-Key")
    return adapter.validate_python(row.result)


def _place(ctx: Context, scope: str, key: str) -> dict[str, Any]:
    return {"tenant_id": ctx.tenant_id, "scope": scope, "key": key}
