"""What an account says by itself when something happens to a session: somebody came, a servicer took it, it ended.

WeCom gives a code with such an event, which permits one message and is soon over (path/95122). The message is written
together with what the code came with; one that could not be sent in time is shown as not sent, never sent later.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from huitouke.kernel.context import Context
from huitouke.kernel.ids import new_id
from huitouke.modules.conversations.models import ChannelAccount, Message, OutboundMessage
from huitouke.modules.conversations.service.sending import locked, put

EventText = Literal["greeting", "closing", "taken"]

KINDS: Final[tuple[EventText, ...]] = ("greeting", "closing", "taken")
LIFETIME: Final[Mapping[EventText, timedelta]] = {
    "greeting": timedelta(seconds=20),
    "closing": timedelta(seconds=20),
    "taken": timedelta(hours=48),
}
"""How long a code of the kind may be used (path/95122)."""

MAX_BYTES: Final = 2048


def texts_of(account: ChannelAccount) -> dict[EventText, str]:
    """What the account says on which event; kinds that are off or empty are missing."""
    switches = {"greeting": account.greeting_on, "closing": account.closing_on, "taken": account.taken_on}
    texts = {"greeting": account.greeting, "closing": account.closing, "taken": account.taken}
    return {kind: texts[kind] for kind in KINDS if switches[kind] and texts[kind]}


async def answer_event(
    ctx: Context, conversation_id: UUID, kind: EventText, code: str, expires_at: datetime, *, instead: str | None = None
) -> Message | None:
    """Queues the account's text of that kind (or `instead`) for the code; None where it has none, or the code is over.

    Raises NotFound.
    """
    row, account = await locked(ctx, conversation_id)
    text = instead or texts_of(account).get(kind)
    if not code or text is None:
        return None
    message = Message(
        id=new_id(), sender_kind="system", msgtype="text", text=text, content={"on_event": kind}, ai=False
    )
    delivery = OutboundMessage(event_code=code, expires_at=expires_at, counted=False, purpose="service")
    await put(ctx, row, account, message, delivery, shown=text)
    return message


def left_out(kind: EventText) -> dict[str, Any]:
    """What the line of an event says when its text came too late for the code."""
    return {"left_out": kind}
