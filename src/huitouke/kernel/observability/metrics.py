"""Prometheus metrics. Labelled by route and kind, never by tenant, person or anything else without a bound."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_FAST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

HTTP_SECONDS: Final = Histogram(
    "huitouke_http_request_seconds",
    "Time of HTTP requests by method, route and class of status.",
    ("method", "route", "status"),
    buckets=_FAST_BUCKETS,
)
SIGN_INS: Final = Counter(
    "huitouke_sign_ins_total", "Sign-in attempts by outcome: done, refused or throttled.", ("outcome",)
)
FILES_STORED_BYTES: Final = Counter(
    "huitouke_files_stored_bytes_total", "Bytes of stored files by purpose.", ("purpose",)
)
LOOP_BLOCKED: Final = Counter("huitouke_loop_blocked_total", "Times the event loop stood still for more than 50 ms.")
LOOP_BLOCKED_SECONDS: Final = Counter("huitouke_loop_blocked_seconds_total", "How long it stood still, summed.")
READY: Final = Gauge("huitouke_ready", "1 when the last check of /health/ready passed, else 0.")
