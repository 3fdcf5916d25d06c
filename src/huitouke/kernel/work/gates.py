"""Typed calls of the gates of work (`kernel/sql/gates.sql`), over one connection of the worker's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from huitouke.kernel.database import Database
from huitouke.kernel.dedicated import DedicatedConnection
from huitouke.kernel.errors import storable
from huitouke.kernel.ids import new_id
from huitouke.kernel.work.kinds import Lease

PER_TENANT_LIMIT: Final = 50
"""Rows a tenant gets in one round, so that none makes the others wait."""
TENANTS_LIMIT: Final = 100
"""Tenants asked in one round."""
WINDOW: Final = 5_000
"""Entries that one look behind the low-water mark reads."""
DUE_LIMIT: Final = 1_000
FROM_THE_BEGINNING: Final = -1
"""As the place to look behind: a sweep that takes no earlier sweep's word (sql/find_work.sql)."""

Outcome = Literal["done", "retry", "back", "dead"]


@dataclass(frozen=True, slots=True)
class Claimed:
    """An item that this worker holds. `arguments` is the JSON of a job, None for a wake-up."""

    lease: Lease
    arguments: str | None
    requested: int
    attempts: int
    request_id: str | None
    created_at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of an item. `run_at`: when to try again, or a schedule's next time."""

    item: Claimed
    outcome: Outcome
    run_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant has ready work from `seq` on."""

    tenant_id: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class LanePlace:
    """A tenant's lane has events from `seq` on."""

    tenant_id: UUID
    lane: int
    seq: int


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer to one `Finished`: whether the lease was lost, and where the item stands if it is ready again."""

    lost: bool
    again: Place | None


class WorkGates:
    """The gates. Every call is one statement and one round trip."""

    def __init__(self, database: Database) -> None:
        # What a crash takes back leaves the item as it was, and it is done again.
        self._connection = DedicatedConnection(database, durable=False)

    async def close(self) -> None:
        await self._connection.close()

    async def heartbeat(
        self, worker_id: UUID, host: str, pid: int, *, renew: bool = True, sweep: bool = False
    ) -> list[Place]:
        """Says that the worker lives, renews its leases; gives what it took over from others."""
        return _places(
            await self._fetch("SELECT * FROM work_heartbeat($1, $2, $3, $4, $5)", worker_id, host, pid, renew, sweep)
        )

    async def farewell(self, worker_id: UUID) -> list[Place]:
        """The worker ends; gives what the others can take now."""
        return _places(await self._fetch("SELECT * FROM work_farewell($1)", worker_id))

    async def find(self, after: int | None) -> tuple[int, list[Place]]:
        """The head of the queue, and tenants with ready work behind `after` (None: a sweep over all there can be)."""
        rows = await self._fetch("SELECT * FROM find_work($1, $2)", after, WINDOW)
        return rows[0]["seq"], _places(rows[1:])

    async def find_lanes(self, after: int | None) -> tuple[int, list[LanePlace]]:
        """The head of the queue of events, and lanes with events behind `after` (None: a sweep)."""
        rows = await self._fetch("SELECT * FROM claim_events($1, $2)", after, WINDOW)
        return rows[0]["seq"], [LanePlace(row["tenant_id"], row["lane"], row["seq"]) for row in rows[1:]]

    async def claim(
        self, worker_id: UUID, kinds: Mapping[str, int | None], marks: Sequence[tuple[UUID, int]], per_tenant: int
    ) -> list[Claimed]:
        """Leases up to `per_tenant` items of each tenant behind its mark, and of each kind as many as have room."""
        rows = await self._fetch(
            "SELECT * FROM claim_work($1, $2, $3, $4, $5, $6)",
            worker_id,
            list(kinds),
            list(kinds.values()),
            [tenant_id for tenant_id, _ in marks],
            [mark for _, mark in marks],
            min(per_tenant, PER_TENANT_LIMIT),
        )
        return [
            Claimed(
                lease=Lease(worker_id, row["tenant_id"], row["kind"], row["key"], row["lease_number"]),
                arguments=row["arguments"],
                requested=row["requested"],
                attempts=row["attempts"],
                request_id=row["request_id"],
                created_at=row["created_at"],
                seq=row["seq"],
            )
            for row in rows
        ]

    async def finish(self, worker_id: UUID, now: datetime, results: Sequence[Finished]) -> dict[int, Stored]:
        """Stores results; gives the answer per index of `results`. One that is missing was locked: try again."""
        leases = [result.item.lease for result in results]
        rows = await self._fetch(
            "SELECT * FROM finish_work($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            worker_id,
            now,
            list(range(len(results))),
            [lease.tenant_id for lease in leases],
            [lease.kind for lease in leases],
            [lease.key for lease in leases],
            [lease.number for lease in leases],
            [result.item.requested for result in results],
            [result.outcome for result in results],
            [result.run_at for result in results],
            [storable(result.error) if result.error is not None else None for result in results],
            [new_id() if result.outcome == "dead" else None for result in results],
        )
        return {
            row["place"]: Stored(
                lost=row["lost"],
                again=Place(row["tenant_id"], row["seq"]) if row["seq"] is not None else None,
            )
            for row in rows
        }

    async def due(self, now: datetime, after: datetime | None) -> tuple[list[Place], datetime | None]:
        """Makes ready what is due; gives it, and the next time at which something will be."""
        rows = await self._fetch("SELECT * FROM due_work($1, $2, $3)", now, after, DUE_LIMIT)
        upcoming = [row["due_at"] for row in rows if row["due_at"] is not None]
        return _places([row for row in rows if row["seq"] is not None]), min(upcoming, default=None)

    async def make_partitions(self, now: datetime) -> int:
        """Keeps the partitions three months ahead."""
        rows = await self._fetch("SELECT make_partitions($1) AS made", now)
        return int(rows[0]["made"])

    async def expire(self, now: datetime, limit: int) -> int:
        """Deletes up to `limit` rows per table that have outlived their use."""
        rows = await self._fetch("SELECT expire_rows($1, $2) AS deleted", now, limit)
        return int(rows[0]["deleted"])

    async def _fetch(self, statement: str, *arguments: Any) -> list[Any]:
        async with self._connection.held() as connection:
            return list(await connection.fetch(statement, *arguments))


def _places(rows: Sequence[Any]) -> list[Place]:
    return [Place(row["tenant_id"], row["seq"]) for row in rows]
