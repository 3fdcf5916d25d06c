"""What the plug-in does when a customer wrote."""

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel

from huitouke.kernel.context import Context
from huitouke.kernel.events import Received, on
from huitouke_visits import service


class CustomerWrote(BaseModel):
    """The fields of `conversations.message_received` that this plug-in reads."""

    msgtype: str


@on("conversations.message_received")
async def count_messages(ctx: Context, events: Sequence[Received[CustomerWrote]]) -> None:
    """Counts a batch at once; the counts commit together with the mark that these events were handled."""
    await service.add_messages(ctx, Counter(event.occurred_at.date() for event in events))
