"""Kinds of work, as modules declare them: runners (by key), jobs (by arguments), schedules (by time)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar, get_type_hints
from uuid import UUID

from pydantic import BaseModel

from huitouke.kernel.context import Context

RUNNER_ATTEMPTS: Final = 12
JOB_ATTEMPTS: Final = 8
MAX_RUN_SECONDS: Final = 600.0
"""A run that takes longer is cancelled and tried again."""

A = TypeVar("A", bound=BaseModel)
RunnerFunction = Callable[[Context, str], Awaitable[None]]
JobFunction = Callable[[Context, A], Awaitable[None]]
ScheduledFunction = Callable[[Context], Awaitable[datetime | None]]


class RetryLater(Exception):
    """Raised by a job or runner: try again after that many seconds. It counts as an attempt."""

    def __init__(self, reason: str = "retry later", *, after_seconds: float) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


class GiveUp(Exception):
    """Raised by a job or runner: trying again is of no use; a person must look at it (dead letter)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LeaseLost(Exception):
    """The work was given to another worker, since this one was taken for dead; what it did must not be stored."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a worker holds while it works at an item; `number` grows with every lease of the item."""

    worker_id: UUID
    tenant_id: UUID
    kind: str
    key: str
    number: int


@dataclass(frozen=True)
class Runner:
    """Works until nothing is left for its key; one at a time per (tenant, kind, key). Called without a transaction."""

    kind: str
    function: RunnerFunction
    max_attempts: int = RUNNER_ATTEMPTS
    max_seconds: float = MAX_RUN_SECONDS
    concurrency: int | None = None
    """How many of this kind one process runs at once; None: only the process's own limit."""

    async def __call__(self, context: Context, key: str) -> None:
        await self.function(context, key)


@dataclass(frozen=True)
class Job:
    """Does one thing with its arguments, at least once. Called without a transaction."""

    kind: str
    function: JobFunction[Any]
    arguments: type[BaseModel]
    max_attempts: int = JOB_ATTEMPTS
    max_seconds: float = MAX_RUN_SECONDS
    concurrency: int | None = None

    async def __call__(self, context: Context, args: BaseModel) -> None:
        await self.function(context, args)


@dataclass(frozen=True)
class Schedule:
    """Called when due, one at a time per (tenant, kind), without a transaction; gives the next time or None.

    A schedule that fails is tried again for ever: it has no dead letter, or the tenant's clockwork would stand still.
    """

    kind: str
    function: ScheduledFunction
    max_seconds: float = MAX_RUN_SECONDS
    concurrency: int | None = None

    async def __call__(self, context: Context) -> datetime | None:
        return await self.function(context)


def runner(
    kind: str,
    *,
    max_attempts: int = RUNNER_ATTEMPTS,
    max_seconds: float = MAX_RUN_SECONDS,
    concurrency: int | None = None,
) -> Callable[[RunnerFunction], Runner]:
    """Makes `async def f(context, key) -> None` the runner of that kind; list it in the manifest's `runners`."""

    def declare(function: RunnerFunction) -> Runner:
        return Runner(kind, function, max_attempts, max_seconds, concurrency)

    return declare


def job(
    kind: str,
    *,
    max_attempts: int = JOB_ATTEMPTS,
    max_seconds: float = MAX_RUN_SECONDS,
    concurrency: int | None = None,
) -> Callable[[JobFunction[A]], Job]:
    """Makes `async def f(context, args: ArgsModel) -> None` the job of that kind; list it in the manifest's `jobs`."""

    def declare(function: JobFunction[A]) -> Job:
        return Job(kind, function, _arguments_model(function), max_attempts, max_seconds, concurrency)

    return declare


def scheduled(
    kind: str, *, max_seconds: float = MAX_RUN_SECONDS, concurrency: int | None = None
) -> Callable[[ScheduledFunction], Schedule]:
    """Makes `async def f(context) -> datetime | None` the schedule of that kind; list it in `schedules`."""

    def declare(function: ScheduledFunction) -> Schedule:
        return Schedule(kind, function, max_seconds, concurrency)

    return declare


def _arguments_model(function: Callable[..., Any]) -> type[BaseModel]:
    hints = [hint for name, hint in get_type_hints(function).items() if name != "return"]
    models = [hint for hint in hints if isinstance(hint, type) and issubclass(hint, BaseModel)]
    if len(models) != 1:
        raise TypeError(f"{function.__qualname__}: annotate the second parameter with a pydantic model")
    return models[0]
