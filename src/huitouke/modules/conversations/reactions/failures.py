"""Telling people of messages that did not arrive."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel

from huitouke.kernel.context import Context
from huitouke.kernel.events import Received, on
from huitouke.modules.conversations.service.telling import tell_not_sent


class _MessageFailed(BaseModel):
    message_id: UUID


@on("conversations.message_failed")
async def tell_of_failures(ctx: Context, events: Sequence[Received[_MessageFailed]]) -> None:
    """A message of ours will not arrive: who wrote it is told."""
    await tell_not_sent(ctx, [event.payload.message_id for event in events])
