"""Running one item, and what becomes of it. No SQL: the result goes to the gate `finish_work`."""

import asyncio
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, assert_never

import structlog
from pydantic import ValidationError

from huitouke.kernel import clock
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database.away import is_away
from huitouke.kernel.errors import describe
from huitouke.kernel.work.gates import Claimed, Finished
from huitouke.kernel.work.kinds import GiveUp, Job, LeaseLost, RetryLater, Runner, Schedule
from huitouke.kernel.work.metrics import WORK_DONE, WORK_SECONDS
from huitouke.kernel.work.registry import Work

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waits that double from `first_seconds` to `longest_seconds`, each scattered by ± 25 %."""

    first_seconds: float
    longest_seconds: float

    def after(self, attempts: int) -> timedelta:
        """The wait after that many failed attempts (1, 2, …)."""
        doubled = self.first_seconds * 2 ** min(attempts - 1, 30)
        return timedelta(seconds=min(doubled, self.longest_seconds) * random.uniform(0.75, 1.25))


RUNNER_BACK_OFF: Final = BackOff(first_seconds=1, longest_seconds=60)
JOB_BACK_OFF: Final = BackOff(first_seconds=5, longest_seconds=3600)
SCHEDULE_BACK_OFF: Final = BackOff(first_seconds=1, longest_seconds=60)


AWAY_PAUSE_SECONDS: Final = 1.0
FORGIVEN: Final = timedelta(hours=1)
"""How long after it was asked for an item may fail for want of a database without that counting as an attempt: an
outage is nobody's fault, but what brings its connection down each time must come to an end."""


async def run(work: Work, item: Claimed) -> Finished | None:
    """Runs the item and says what became of it; None when the lease was lost meanwhile.

    A cancelled run (the process stops) and one that lost its database go back uncounted. Everything a run raises is
    logged and kept with the item.
    """
    lease = item.lease
    started = monotonic()
    with structlog.contextvars.bound_contextvars(
        tenant_id=str(lease.tenant_id), work=lease.kind, key=lease.key, request_id=item.request_id
    ):
        result = await _outcome(work, item)
        elapsed = monotonic() - started
        outcome = result.outcome if result is not None else "lost"
        WORK_SECONDS.labels(lease.kind).observe(elapsed)
        WORK_DONE.labels(lease.kind, outcome).inc()
        log.debug("work.ran", outcome=outcome, attempts=item.attempts, elapsed_ms=round(elapsed * 1000))
        return result


async def _outcome(work: Work, item: Claimed) -> Finished | None:
    if item.attempts > _attempts(work):
        return _failed(work, item, "the process that ran it died, every time", None)
    context = replace(job_context(item.lease.tenant_id, request_id=item.request_id), lease=item.lease)
    try:
        async with asyncio.timeout(work.max_seconds):
            next_run_at = await _call(work, context, item)
    except LeaseLost:
        log.warning("work.lease_lost")
        return None
    except GiveUp as error:
        log.error("work.given_up", reason=error.reason)
        return Finished(item, "dead", error=error.reason)
    except RetryLater as error:
        return _failed(work, item, str(error), error.after_seconds)
    except ValidationError as error:
        if isinstance(work, Job) and error.title == work.arguments.__name__:
            log.error("work.bad_arguments", reason=describe(error))
            return Finished(item, "dead", error=f"the arguments don't fit: {describe(error)}")
        log.exception("work.failed", attempts=item.attempts)
        return _failed(work, item, describe(error), None)
    except asyncio.CancelledError:
        # Only the worker cancels runs, when it stops; it waits for this result and stores it.
        return Finished(item, "back")
    except TimeoutError as error:
        log.exception("work.timed_out", max_seconds=work.max_seconds)
        return _failed(work, item, str(error) or f"took longer than {work.max_seconds:g} s", None)
    except Exception as error:
        if is_away(error) and clock.now() - item.created_at < FORGIVEN:
            log.warning("work.database_away", step="run", reason=describe(error))
            await asyncio.sleep(AWAY_PAUSE_SECONDS)
            return Finished(item, "back")
        log.exception("work.failed", attempts=item.attempts)
        return _failed(work, item, describe(error), None)
    return Finished(item, "done", run_at=next_run_at)


async def _call(work: Work, context: Context, item: Claimed) -> datetime | None:
    match work:
        case Runner():
            await work(context, item.lease.key)
        case Job():
            await work(context, work.arguments.model_validate_json(item.arguments or "{}"))
        case Schedule():
            return await work(context)
        case _:
            assert_never(work)
    return None


def _failed(work: Work, item: Claimed, error: str, after_seconds: float | None) -> Finished:
    if not isinstance(work, Schedule) and item.attempts >= work.max_attempts:
        log.error("work.dead", attempts=item.attempts, reason=error)
        return Finished(item, "dead", error=error)
    wait = timedelta(seconds=after_seconds) if after_seconds is not None else _back_off(work).after(item.attempts)
    return Finished(item, "retry", run_at=clock.now() + wait, error=error)


def _attempts(work: Work) -> float:
    return float("inf") if isinstance(work, Schedule) else work.max_attempts


def _back_off(work: Work) -> BackOff:
    match work:
        case Runner():
            return RUNNER_BACK_OFF
        case Job():
            return JOB_BACK_OFF
        case Schedule():
            return SCHEDULE_BACK_OFF
        case _:
            assert_never(work)
