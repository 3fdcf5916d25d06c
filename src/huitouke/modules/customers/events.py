"""What happens to customers. Payloads hold ids, never names."""

from typing import ClassVar

from huitouke.kernel.events import Event


class CustomerCreated(Event):
    """Somebody wrote for the first time; `customer_id` stands in the envelope."""

    event_type: ClassVar[str] = "customers.created"
    timeline: ClassVar[bool] = True

    kind: str
    """Kind of the identity by which they came, e.g. `external_userid`."""


class CustomerChanged(Event):
    """Staff changed the card, or the channel told a new name or picture."""

    event_type: ClassVar[str] = "customers.changed"

    fields: list[str]


class MarketingRefused(Event):
    """The customer is not to be sent offers any more, in one channel or in all."""

    event_type: ClassVar[str] = "customers.marketing_refused"
    timeline: ClassVar[bool] = True

    source: str
    channel: str


class MarketingAllowed(Event):
    """What refused offers to the customer has ended."""

    event_type: ClassVar[str] = "customers.marketing_allowed"
    timeline: ClassVar[bool] = True
