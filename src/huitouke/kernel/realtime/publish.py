"""Telling screens that something changed; called by services inside their transaction."""

from typing import Final
from uuid import UUID

from huitouke.kernel.context import Context
from huitouke.kernel.notify import Signal, Topic, send

SEPARATOR: Final = ":"

SIGHT: Final = "sight"
"""Kind of the hint that says: who sees only some rows may see others now."""

RIGHTS: Final = "rights"
"""Kind of the hint that says: somebody may do other things now, or sees further or less far."""


def publish(ctx: Context, stream: str, id: UUID, seq: int) -> None:
    """Has open screens fetch what the stream `id` got up to number `seq`, after the commit; coalesced."""
    signal = Signal(Topic.STREAM, ctx.tenant_id, f"{stream}{SEPARATOR}{id}", seq)
    ctx.after_commit(lambda: send(signal))


def hint(ctx: Context, kind: str, id: UUID | None = None, version: int | None = None) -> None:
    """Tells open screens, after the commit, that something without numbers changed; they fetch again or drop it."""
    signal = Signal(Topic.HINT, ctx.tenant_id, f"{kind}{SEPARATOR}{id or ''}", version or 0)
    ctx.after_commit(lambda: send(signal))


def sight_changed(ctx: Context) -> None:
    """Tells, after the commit, that rows came to be somebody's or ceased to be: who sees only some asks again which.

    Nothing that was found out before about who may see what is believed any more.
    """
    hint(ctx, SIGHT)
