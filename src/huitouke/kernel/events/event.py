"""An event as its module emits it, and as a handler receives it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from huitouke.kernel.context import Actor

ENVELOPE: Final = frozenset({"customer_id", "conversation_id"})
"""Fields of every event that stand beside its payload."""

PAYLOAD_LIMIT_BYTES: Final = 4096

T = TypeVar("T", bound=BaseModel, covariant=True)


class Event(BaseModel):
    """Something that happened. A subclass names its type and adds its payload: ids, states, figures.

    Never texts of people or phone numbers: events live for years. At most 4 KB as JSON. Fields may be added; one that
    is taken away or changes its meaning needs a new `version`.
    """

    model_config = ConfigDict(frozen=True)

    event_type: ClassVar[str]
    version: ClassVar[int] = 1
    timeline: ClassVar[bool] = False
    """Whether it makes a line in the customer's timeline."""

    customer_id: UUID | None = None
    conversation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Received(Generic[T]):
    """An event as a handler gets it; `payload` holds the fields that the handler declared."""

    id: UUID
    type: str
    occurred_at: datetime
    customer_id: UUID | None
    conversation_id: UUID | None
    actor: Actor
    payload: T
