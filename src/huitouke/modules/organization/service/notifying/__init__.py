"""One place in which modules say "tell these people": see `telling.tell`.

A notice is a row per person; the console shows it, and every further channel that the person chose gets a delivery of
its own, worked off by `delivery`. Kinds and channels are registries (`kinds`, `ways`).
"""

from huitouke.modules.organization.service.notifying.kinds import NOTICE_KINDS, NoticeKind
from huitouke.modules.organization.service.notifying.telling import Holders, People, Recipients, tell
from huitouke.modules.organization.service.notifying.ways import NOTICE_CHANNELS, Message, NoticeChannel, NotSent

__all__ = [
    "NOTICE_CHANNELS",
    "NOTICE_KINDS",
    "Holders",
    "Message",
    "NotSent",
    "NoticeChannel",
    "NoticeKind",
    "People",
    "Recipients",
    "tell",
]
