"""What happens is an event: written in the transaction that made it happen, handled in order, in batches.

    emit ── events (for ever, the timeline) + event_queue (until handled) ── dispatcher ── handlers

What nobody handles is not queued: a handler that a later release brings begins with what that release emits.
Subscribing needs no import of the module that emits: `@on('conversations.message_received')` and a small model with
the fields one reads. `contracts.check_contracts` holds all of them against what is emitted.
"""

from huitouke.kernel.events.emit import emit, emit_many
from huitouke.kernel.events.event import Event, Received
from huitouke.kernel.events.handlers import Handler, on

__all__ = ["Event", "Handler", "Received", "emit", "emit_many", "on"]
