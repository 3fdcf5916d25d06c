"""Metrics of the live sockets."""

from typing import Final

from prometheus_client import Counter, Gauge

SOCKETS: Final = Gauge("huitouke_realtime_sockets", "Live sockets in this process.")
FRAMES_SENT: Final = Counter("huitouke_realtime_frames_total", "Numbered frames handed to sockets.")
SOCKETS_ENDED: Final = Counter("huitouke_realtime_ended_total", "Sockets closed by the server, by code.", ("code",))
