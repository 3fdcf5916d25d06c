"""What a module offers so that its rows grow on screens by themselves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from pydantic import BaseModel

from huitouke.kernel.context import Context


class Stream(Protocol):
    """A kind of numbered stream, e.g. `conversation`. Every change of one stream carries the next number.

    The number is raised by the UPDATE that the change makes anyway, so commit order and number order are the same.
    All functions run inside a read-only use of a tenant's transaction. A stream with an attribute `follows` has no
    numbers of its own: it shows what another stream's changes mean to other people, and grows when that one does.
    """

    @property
    def name(self) -> str:
        """Its name on the wire."""
        ...

    async def frames(self, ctx: Context, id: UUID, after_seq: int, limit: int) -> Sequence[BaseModel]:
        """What has changed since `after_seq`, as frames with an integer `seq`, in order, at most `limit`.

        A row that changed twice may give one frame with its newest state.
        """
        ...

    async def heads(self, ctx: Context, ids: Sequence[UUID]) -> dict[UUID, int]:
        """The highest number of each stream."""
        ...

    async def visible(self, ctx: Context, ids: Sequence[UUID]) -> set[UUID]:
        """Which of them the context's actor may see, by the same rule as the lists."""
        ...

    async def changed_since(self, ctx: Context, since: datetime, limit: int) -> Sequence[UUID]:
        """The streams that the actor may see and that changed since then, newest first, at most `limit`."""
        ...
