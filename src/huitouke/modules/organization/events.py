"""Events of the organization."""

from typing import ClassVar
from uuid import UUID

from huitouke.kernel.events import Event


class SmsReplied(Event):
    """Somebody answered an SMS; `service.sms_replies` gives number and text, which stand in no event."""

    event_type: ClassVar[str] = "organization.sms_replied"

    reply_id: UUID
