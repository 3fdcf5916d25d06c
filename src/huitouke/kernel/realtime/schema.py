"""The published schema of what crosses the live socket and of the events that modules emit."""

from collections.abc import Iterable
from typing import Any

from huitouke.kernel.events.contracts import payload_schema
from huitouke.kernel.modules import Module
from huitouke.kernel.realtime.frames import frames_schema


def events_schema(modules: Iterable[Module]) -> dict[str, Any]:
    """One document: `frames` (both directions) and, by type, every event with its version. Needs no database."""
    events = {event.event_type: event for module in modules for event in module.events}
    return {
        "frames": frames_schema(),
        "events": {
            name: {"version": event.version, "timeline": event.timeline, "schema": payload_schema(event)}
            for name, event in sorted(events.items())
        },
    }
