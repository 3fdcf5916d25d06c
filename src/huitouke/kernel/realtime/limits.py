"""Limits of the live socket, named with their units."""

from typing import Final

OPEN_LIMIT: Final = 200
"""Streams that one socket may have open."""
RESUME_LIMIT: Final = 500
"""Changes that are sent one by one; beyond, the client fetches afresh."""
CHANGED_LIMIT: Final = 500
SINCE_SLACK_SECONDS: Final = 30
"""Clocks differ and commits take time: `since` is read that much earlier."""
HEARTBEAT_SECONDS: Final = 20.0
SILENT_SECONDS: Final = 70.0
"""Who has answered none of three heartbeats is gone, even if the network didn't say so."""
SESSION_CHECK_SECONDS: Final = 30.0
"""A signed-out person's socket is closed within that, and new permissions count."""
VISIBLE_SECONDS: Final = 5.0
"""How long "this person may see this conversation" is believed."""
VISIBLE_ENTRIES: Final = 1_000
INCOMING_BYTES: Final = 16 * 1024
INCOMING_PER_WINDOW: Final = 40
INCOMING_WINDOW_SECONDS: Final = 10.0
QUEUE_FRAMES: Final = 1_000
QUEUE_BYTES: Final = 2 * 1024 * 1024
"""What may wait for a slow client before it is told to come back."""
SOCKETS_PER_PROCESS: Final = 20_000
SOCKETS_PER_ACTOR: Final = 30
SOCKETS_PER_VISITOR: Final = 5
READS_AT_ONCE: Final = 3
"""Tenants whose changes are read at the same time; each takes a pooled connection."""

# Close codes. A client connects again after all of them except SIGNED_OUT, upon which it shows the sign-in.
RESTARTING: Final = 1012
SIGNED_OUT: Final = 4401
BAD_FRAME: Final = 4400
TOO_SLOW: Final = 4408
TOO_MANY: Final = 4429
FAILED: Final = 1011
