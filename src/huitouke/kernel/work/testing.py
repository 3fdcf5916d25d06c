"""For tests: runs everything that is due now, in the test's own process, until nothing is left."""

from collections.abc import Iterable
from time import monotonic
from typing import Final

from huitouke.kernel.modules import Module, load_modules
from huitouke.kernel.work.worker import Limits, Worker

MAX_SECONDS: Final = 20.0


class NotDrainedError(AssertionError):
    """There is still work after the time was over."""


async def drain(max_seconds: float = MAX_SECONDS, *, modules: Iterable[Module] | None = None) -> None:
    """Runs events, wake-ups, jobs and due schedules of all tenants until a sweep finds nothing that is due.

    What failed and waits for a later time, or needs a person (dead letters), is not due.

    Raises:
        NotDrainedError: something is left after `max_seconds`.
    """
    worker = Worker(load_modules() if modules is None else modules, limits=Limits(items=10, lanes=2))
    async with worker.by_hand():
        until = monotonic() + max_seconds
        while await _round(worker):
            if monotonic() > until:
                raise NotDrainedError(f"work is left after {max_seconds:g} s")


async def _round(worker: Worker) -> bool:
    """Looks everywhere, does what it finds; False when there was nothing."""
    await worker.look(everywhere=True)
    started = 0
    while True:
        started += worker.lanes.start() + await worker.claim()
        if worker.busy:
            await worker.step_done()
        elif not len(worker.ready):  # the tenants that were asked may have had only kinds that `modules` doesn't know
            return started > 0
