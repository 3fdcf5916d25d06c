"""What an account says by itself when something happens to a session: somebody came, a servicer took it, it ended.

WeCom gives a code with such an event, which permits one message and is soon over (path/95122). The message is written
together with what the code came with; one that could not be sent in time is shown as not sent, never sent later.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.ids import new_id
from huitouke.kernel.work import wake
from huitouke.modules.conversations.models import ChannelAccount, Message, OutboundMessage
from huitouke.modules.conversations.service.announce import announce
from huitouke.modules.conversations.service.sending import locked, preview

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
    now = clock.now()
    message = Message(
        id=new_id(),
        conversation_id=row.id,
        seq=row.seq + 1,
        changed_seq=row.seq + 1,
        direction="out",
        sender_kind="system",
        msgtype="text",
        text=text,
        content={"on_event": kind},
        ai=False,
        state="queued",
        sent_at=now,
        created_at=now,
    )
    delivery = OutboundMessage(
        id=message.id,
        conversation_id=row.id,
        channel_account_id=account.id,
        seq=message.seq,
        state="queued",
        msgid=message.id.hex,
        attempts=0,
        next_attempt_at=now,
        event_code=code,
        expires_at=expires_at,
        counted=False,
    )
    ctx.session.add_all([message, delivery])
    row.seq += 2
    row.state_seq, row.changed_at = row.seq, now
    row.last_message_at, row.last_msgtype, row.last_sender = now, "text", "system"
    row.last_preview = preview(text)
    await ctx.session.flush()
    await wake(ctx, "send", str(row.id))
    announce(ctx, row.id, row.seq)
    return message


def left_out(kind: EventText) -> dict[str, Any]:
    """What the line of an event says when its text came too late for the code."""
    return {"left_out": kind}
