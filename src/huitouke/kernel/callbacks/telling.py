"""Telling workers of what callbacks have woken: at once, and again after a moment while it goes on waiting."""

import asyncio
from collections import OrderedDict
from typing import Final
from uuid import UUID

from huitouke.kernel.notify import Signal, Topic, send

AGAIN_SECONDS: Final = 0.025
"""A flood for thousands of accounts that wait already is one signal per merchant and this time."""

REMEMBERED: Final = 10_000


class Telling:
    """What this process has told the workers.

    A worker passes over rows that are locked, and forgets that it was told. An account's row is locked by each
    callback that wakes it once more, so a worker may come just then: whoever finds an account waiting tells of it
    again, after the commit. Each time anew would be hundreds of signals a commit in a flood.
    """

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[UUID, int], None] = OrderedDict()
        self._again: dict[UUID, int] = {}

    def waits(self, tenant_id: UUID, seq: int) -> None:
        """Something of the tenant waits at that place of the queue."""
        if (tenant_id, seq) not in self._told:
            self._told[tenant_id, seq] = None
            if len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
            send(Signal(Topic.WORK, tenant_id, "", seq))
            return
        if not self._again:
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._tell_again)
        self._again[tenant_id] = min(seq, self._again.get(tenant_id, seq))

    def _tell_again(self) -> None:
        again, self._again = self._again, {}
        for tenant_id, seq in again.items():
            send(Signal(Topic.WORK, tenant_id, "", seq))
