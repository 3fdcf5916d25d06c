"""Live screens: numbered frames per stream (a conversation), hints for everything else, over one WebSocket.

A module registers a `Stream`; its services call `publish` in the transaction that changed a row of it. The protocol
is written in docs/protocol.md, its frames in `frames`.
"""

from huitouke.kernel.realtime.publish import hint, publish, sight_changed
from huitouke.kernel.realtime.streams import Stream

__all__ = ["Stream", "hint", "publish", "sight_changed"]
