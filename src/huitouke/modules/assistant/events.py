"""What the assistant reports. Payloads hold ids, states and figures, never people's words."""

from typing import ClassVar, Literal
from uuid import UUID

from huitouke.kernel.events import Event


class KnowledgeChanged(Event):
    """Entries were added, changed, removed or restored; `entry_id` is null when there were several."""

    event_type: ClassVar[str] = "assistant.knowledge_changed"

    change: Literal["added", "changed", "removed", "restored", "imported"]
    entry_id: UUID | None
    count: int


class TurnDecided(Event):
    """The assistant decided what to do about a customer's messages."""

    event_type: ClassVar[str] = "assistant.turn_decided"

    trace_id: UUID
    decision: Literal["answered", "asked_colleague", "handed_over", "dropped", "failed"]
    reason: str
    by_model: bool
    total_ms: int
