"""Telling open screens that a conversation changed."""

from uuid import UUID

from huitouke.kernel import realtime
from huitouke.kernel.context import Context


def announce(ctx: Context, conversation_id: UUID, seq: int, *, counts: bool = False) -> None:
    """Sends the number to open conversations and a hint to inboxes; `counts` where waiting or handling changed."""
    realtime.publish(ctx, stream="conversation", id=conversation_id, seq=seq)
    realtime.hint(ctx, kind="inbox", id=conversation_id, version=seq)
    if counts:
        realtime.hint(ctx, kind="counts")
