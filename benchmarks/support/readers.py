"""Two readers of one event, of the kind that modules have: each writes a row per event, in one statement a batch."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import ClassVar, Final

from pydantic import BaseModel

from benchmarks.support.event_data import EVENT_TYPE
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.events import Event, Received, on
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import Module
from huitouke.kernel.work import job


class Happened(Event):
    """Somebody bought something."""

    event_type: ClassVar[str] = EVENT_TYPE

    seq: int
    amount_fen: int
    channel: str


class Runs:
    """How many (event, handler) runs this process has done."""

    def __init__(self) -> None:
        self.done = 0


class Began:
    """When the run began that somebody waits for."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.at = 0.0

    def clear(self) -> None:
        self.event.clear()

    def now(self) -> None:
        self.at = monotonic()
        self.event.set()


runs = Runs()
began = Began()

GIVE_POINTS: Final = """
INSERT INTO benchmark_points (tenant_id, event_id, customer_id, points, at)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::timestamptz[])
"""

NOTE_VISITS: Final = """
INSERT INTO benchmark_visits (tenant_id, id, customer_id, channel, seq, at)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::timestamptz[])
"""


class _Bought(BaseModel):
    amount_fen: int


@on(EVENT_TYPE)
async def give_points(ctx: Context, events: Sequence[Received[_Bought]]) -> None:
    """A point per yuan."""
    raw = await connection(ctx)
    await raw.execute(
        GIVE_POINTS,
        ctx.tenant_id,
        [event.id for event in events],
        [event.customer_id for event in events],
        [event.payload.amount_fen // 100 for event in events],
        [event.occurred_at for event in events],
    )
    runs.done += len(events)


class _Visited(BaseModel):
    seq: int
    channel: str


@on(EVENT_TYPE)
async def note_visits(ctx: Context, events: Sequence[Received[_Visited]]) -> None:
    """A line per visit."""
    if events[-1].payload.seq == -1:
        began.now()
    raw = await connection(ctx)
    await raw.execute(
        NOTE_VISITS,
        ctx.tenant_id,
        [new_id() for _ in events],
        [event.customer_id for event in events],
        [event.payload.channel for event in events],
        [event.payload.seq for event in events],
        [event.occurred_at for event in events],
    )
    runs.done += len(events)


class Noted(BaseModel):
    """`note`: somebody waits for this one."""

    note: bool = False


@job("benchmark.job")
async def do_job(context: Context, args: Noted) -> None:
    """Writes one row."""
    if args.note:
        began.now()
    async with transaction(context) as ctx:
        raw = await connection(ctx)
        await raw.execute(
            "INSERT INTO benchmark_visits VALUES ($1, $2, $2, 'job', 0, clock_timestamp())", ctx.tenant_id, new_id()
        )


MODULE: Final = Module(name="benchmark", events=(Happened,), handlers=(give_points, note_visits), jobs=(do_job,))
