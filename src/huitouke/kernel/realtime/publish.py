"""Telling screens that something changed; called by services inside their transaction."""

from typing import Final
from uuid import UUID

from huitouke.kernel.context import Context
from huitouke.kernel.notify import Signal, Topic, send

SEPARATOR: Final = ":"


def publish(ctx: Context, stream: str, id: UUID, seq: int) -> None:
    """Has open screens fetch what the stream `id` got up to number `seq`, after the commit; coalesced."""
    signal = Signal(Topic.STREAM, ctx.tenant_id, f"{stream}{SEPARATOR}{id}", seq)
    ctx.after_commit(lambda: send(signal))


def hint(ctx: Context, kind: str, id: UUID | None = None, version: int | None = None) -> None:
    """Tells open screens, after the commit, that something without numbers changed; they fetch again or drop it."""
    signal = Signal(Topic.HINT, ctx.tenant_id, f"{kind}{SEPARATOR}{id or ''}", version or 0)
    ctx.after_commit(lambda: send(signal))
