"""What happens in conversations. Payloads hold ids, states and figures, never people's words.

Every event carries `customer_id` and `conversation_id` in its envelope.
"""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from huitouke.kernel.events import Event

Handler = Literal["assistant", "agent", "servicer"]


class MessageReceived(Event):
    """A customer wrote."""

    event_type: ClassVar[str] = "conversations.message_received"
    timeline: ClassVar[bool] = True

    message_id: UUID
    seq: int
    msgtype: str
    handler: Handler
    """Who handles the conversation at this moment."""
    arrived_at: datetime
    """When we heard of it, which may be before it could be asked for: a pause after it runs from here."""


class MessageSent(Event):
    """The channel accepted a message of ours, or a servicer wrote in the WeCom app."""

    event_type: ClassVar[str] = "conversations.message_sent"
    timeline: ClassVar[bool] = True

    message_id: UUID
    seq: int
    msgtype: str
    sender_kind: Literal["assistant", "agent", "servicer", "system"]
    ai: bool


class MessageFailed(Event):
    """A message of ours will not arrive."""

    event_type: ClassVar[str] = "conversations.message_failed"

    message_id: UUID
    failure_code: str
    sender_kind: Literal["assistant", "agent", "servicer", "system"]


class HandedOver(Event):
    """The conversation went to people: to the console's queue, or to a servicer in the WeCom app."""

    event_type: ClassVar[str] = "conversations.handed_over"
    timeline: ClassVar[bool] = True

    to: Literal["console", "wecom"]
    reason: str
    handover_id: UUID


class StaffAsked(Event):
    """The assistant could not answer and asked the staff; it goes on serving the customer meanwhile."""

    event_type: ClassVar[str] = "conversations.staff_asked"
    timeline: ClassVar[bool] = True

    reason: str
    handover_id: UUID


class Taken(Event):
    """An agent took the conversation."""

    event_type: ClassVar[str] = "conversations.taken"
    timeline: ClassVar[bool] = True

    staff_id: UUID


class HandedBack(Event):
    """People gave the conversation back to the assistant, or the servicer's session ended."""

    event_type: ClassVar[str] = "conversations.handed_back"
    timeline: ClassVar[bool] = True


class Closed(Event):
    """The conversation ended; the customer's next message opens it again."""

    event_type: ClassVar[str] = "conversations.closed"
    timeline: ClassVar[bool] = True


class Reopened(Event):
    """The customer wrote again after the end."""

    event_type: ClassVar[str] = "conversations.reopened"
    timeline: ClassVar[bool] = True


class SessionEntered(Event):
    """A customer opened the chat by a link; `scene` says which (path/95122)."""

    event_type: ClassVar[str] = "conversations.session_entered"
    timeline: ClassVar[bool] = True

    scene: str
    scene_param: str
