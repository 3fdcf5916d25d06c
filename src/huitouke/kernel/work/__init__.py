"""Work that outlives the request: `wake` (one runner per key, no wake-up lost), `enqueue` (one row), `schedule`.

A module asks for work inside its transaction; workers do it after the commit, in this process or another, at least
once, and take it over within five seconds from a process that died. See `worker` for how.
"""

from huitouke.kernel.work.gathering import Gathering
from huitouke.kernel.work.kinds import GiveUp, Job, LeaseLost, RetryLater, Runner, Schedule, job, runner, scheduled
from huitouke.kernel.work.requests import enqueue, fence, schedule, wake, wake_many

__all__ = [
    "Gathering",
    "GiveUp",
    "Job",
    "LeaseLost",
    "RetryLater",
    "Runner",
    "Schedule",
    "enqueue",
    "fence",
    "job",
    "runner",
    "schedule",
    "scheduled",
    "wake",
    "wake_many",
]
