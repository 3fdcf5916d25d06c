"""Metrics of work and events. Labelled by kind, never by tenant."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_BUCKETS: Final = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0)

WORK_SECONDS: Final = Histogram("huitouke_work_seconds", "Time of runs by kind.", ("kind",), buckets=_BUCKETS)
WORK_DONE: Final = Counter(
    "huitouke_work_total", "Runs by kind and outcome: done, retry, back, dead or lost.", ("kind", "outcome")
)
WORK_RUNNING: Final = Gauge("huitouke_work_running", "Items that this process works at.")
WORK_TAKEN_OVER: Final = Counter("huitouke_work_taken_over_total", "Items taken over from workers that fell silent.")
EVENTS_HANDLED: Final = Counter("huitouke_events_handled_total", "Events times handlers, by outcome.", ("outcome",))
EVENT_BATCHES: Final = Counter("huitouke_event_batches_total", "Transactions of the dispatcher that handled events.")
