"""Runs that share a transaction: what several runs of a tenant hand in at the same time is done set by set.

A run that is alone pays what it would pay anyway. Where many run at once (50 customers write in the same second) their
statements, and their waits for the disk, become those of a few groups: while one group is being done, the next one
gathers by itself.

    _begins = Gathering(begin_many)

    @runner("send")
    async def send(context, key):
        delivery = await _begins(context, UUID(key))
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.database.away import is_away
from huitouke.kernel.work.kinds import LeaseLost
from huitouke.kernel.work.requests import fence_many

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST: Final = 50
"""Items of one transaction."""

AT_ONCE: Final = 2
"""Transactions of one tenant and kind at the same time: while one waits for the disk, the other computes."""


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Item, Result]):
    context: Context
    item: Item
    done: "asyncio.Future[Result]"


@dataclass(slots=True)
class _Queue(Generic[Item, Result]):
    """What one tenant's runs wait for in this process."""

    waiting: "list[_Entry[Item, Result]]" = field(default_factory=list)
    serving: "set[asyncio.Task[None]]" = field(default_factory=set)


class Gathering(Generic[Item, Result]):
    """A step of runs that is done for many at once, in one transaction that is fenced with each run's lease.

    `together` gets the items of at most `most` runs and gives as many results, in their order. When it fails, each
    item is done alone, so that a bad one fails by itself. What only reads needs no fence (`fenced=False`).
    """

    def __init__(
        self,
        together: Callable[[Context, Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        most: int = MOST,
        at_once: int = AT_ONCE,
        fenced: bool = True,
    ) -> None:
        self._together = together
        self._most = most
        self._at_once = at_once
        self._fenced = fenced
        self._queues: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[UUID, _Queue[Item, Result]]] = (
            WeakKeyDictionary()
        )

    async def __call__(self, context: Context, item: Item) -> Result:
        """The item's result, once its transaction has committed.

        Raises:
            LeaseLost: the run's work was given to another worker; nothing of it was stored.
            whatever `together` raises for this item.
        """
        loop = asyncio.get_running_loop()
        queue = self._queues.setdefault(loop, {}).setdefault(context.tenant_id, _Queue())
        done: asyncio.Future[Result] = loop.create_future()
        queue.waiting.append(_Entry(context, item, done))
        if len(queue.serving) < self._at_once:
            serving = loop.create_task(self._serve(context.tenant_id, queue), context=contextvars.Context())
            queue.serving.add(serving)
            serving.add_done_callback(queue.serving.discard)
        return await done

    async def _serve(self, tenant_id: UUID, queue: _Queue[Item, Result]) -> None:
        """Group after group until nothing waits."""
        structlog.contextvars.bind_contextvars(tenant_id=str(tenant_id))
        await asyncio.sleep(0)  # runs that were claimed together hand in within one turn of the loop
        while queue.waiting:
            group, queue.waiting = queue.waiting[: self._most], queue.waiting[self._most :]
            await self._do(group)

    async def _do(self, group: Sequence[_Entry[Item, Result]]) -> None:
        wanted = [entry for entry in group if not entry.done.done()]  # others were cancelled while they waited
        if not wanted:
            return
        try:
            results = await self._in_one_transaction(wanted)
        except Exception as error:  # noqa: BLE001 - it goes to the runs that wait
            if len(wanted) > 1 and not is_away(error):
                for entry in wanted:
                    await self._do([entry])
                return
            results = [error] * len(wanted)
        except BaseException:
            for entry in wanted:
                entry.done.cancel()
            raise
        for entry, result in zip(wanted, results, strict=True):
            if entry.done.done():
                continue
            if isinstance(result, Exception):
                entry.done.set_exception(result)
            else:
                entry.done.set_result(result)

    async def _in_one_transaction(self, group: Sequence[_Entry[Item, Result]]) -> "Sequence[Result | Exception]":
        first = group[0].context
        shared = first if len(group) == 1 else replace(first, request_id=None, causation_id=None)
        async with transaction(shared) as ctx:
            held = [True] * len(group)
            if self._fenced:
                held = await fence_many(ctx, [entry.context for entry in group])
            done = iter(await self._together(ctx, [e.item for e, mine in zip(group, held, strict=True) if mine]))
        return [next(done) if mine else LeaseLost(repr(e.item)) for e, mine in zip(group, held, strict=True)]
