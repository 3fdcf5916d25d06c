"""A file of people on its way in: looked at first, then taken in chunk by chunk by a job."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select

from huitouke.kernel import audit, clock
from huitouke.kernel.context import ActorKind, Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.files import service as files
from huitouke.kernel.ids import new_id
from huitouke.kernel.realtime import hint
from huitouke.kernel.sheets import Table, UnreadableFile, read_table
from huitouke.kernel.work import enqueue, fence
from huitouke.modules.organization import sql
from huitouke.modules.organization.models import Department, StaffImport
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.address_book import connected
from huitouke.modules.organization.staff_sheet import (
    MAX_ERRORS_SHOWN,
    SAMPLE_ROWS,
    Path,
    ReadPeople,
    ReadPerson,
    read_people,
)

PURPOSE: Final = "staff_import"
APPLY_JOB: Final = "organization.apply_staff_import"
CHUNK_PEOPLE: Final = 1_000


class ApplyStaffImport(BaseModel):
    """Arguments of the job."""

    import_id: UUID


@dataclass(slots=True)
class _Writes:
    """What a chunk has to write."""

    new: list[tuple[UUID, str, str | None]] = field(default_factory=list)
    renamed: list[tuple[UUID, str]] = field(default_factory=list)
    taken: list[tuple[UUID, UUID]] = field(default_factory=list)
    dropped: list[tuple[UUID, UUID]] = field(default_factory=list)
    changed: set[UUID] = field(default_factory=set)
    skipped: int = 0


async def preview(context: Context, file_id: UUID) -> StaffImport:
    """Reads an uploaded file and keeps what was found; one that can't be read gives an import in state `failed`.

    No transaction is open while the file is parsed. Raises NotFound, AddressBookDecides.
    """
    async with transaction(context) as ctx:
        if await connected(ctx):
            raise problems.AddressBookDecides
        file = await files.get(ctx, file_id)
        if file.purpose != PURPOSE:
            raise NotFound(field="file_id")
        data = await files.read_bytes(ctx, file_id)
    table, read, failure = await asyncio.to_thread(_read, data)
    async with transaction(context) as ctx:
        row = StaffImport(
            id=new_id(),
            file_id=file_id,
            file_name=file.name,
            state="failed" if failure else "previewed",
            rows_total=len(table.rows),
            rows_failed=len(read.problems),
            rows_done=0,
            added=0,
            changed=0,
            skipped=0,
            sample=[_shown(one) for one in read.people[:SAMPLE_ROWS]],
            errors=[one.stored() for one in read.problems[:MAX_ERRORS_SHOWN]],
            failure=failure,
            created_at=clock.now(),
            created_by=ctx.actor.id if ctx.actor.kind is ActorKind.STAFF else None,
        )
        ctx.session.add(row)
        await ctx.session.flush()
        await files.attach(ctx, file_id, "staff_import", row.id)
        return row


async def import_of(ctx: Context, import_id: UUID, *, lock: bool = False) -> StaffImport:
    """The import of that id. Raises NotFound."""
    found = select(StaffImport).where(StaffImport.id == import_id)
    row = await ctx.session.scalar(found.with_for_update() if lock else found)
    if row is None:
        raise NotFound(kind="staff_import")
    return row


async def apply(ctx: Context, import_id: UUID) -> StaffImport:
    """Starts taking a previewed import in: who is new is added, who is known gets the departments of the file.

    Raises NotFound, AddressBookDecides, ImportNotPreviewed.
    """
    row = await import_of(ctx, import_id, lock=True)
    if row.state != "previewed":
        raise problems.ImportNotPreviewed(state=row.state)
    if await connected(ctx):
        raise problems.AddressBookDecides
    row.state = "applying"
    await audit.record(ctx, "organization.staff_import_applied", "staff_import", row.id, after={"file": row.file_name})
    await enqueue(ctx, APPLY_JOB, ApplyStaffImport(import_id=row.id), idempotency_key=f"import:{row.id}")
    return row


async def run(context: Context, import_id: UUID) -> None:
    """Takes an import in; goes on where a killed run stopped. The job behind `apply`."""
    async with transaction(context) as ctx:
        row = await import_of(ctx, import_id)
        if row.state != "applying":
            return
        data, done = await files.read_bytes(ctx, row.file_id), row.rows_done
    _, read, _ = await asyncio.to_thread(_read, data)
    for start in range(done, len(read.people), CHUNK_PEOPLE):
        await _take(context, import_id, start, read.people[start : start + CHUNK_PEOPLE])
    async with transaction(context) as ctx:
        await fence(ctx)
        row = await import_of(ctx, import_id, lock=True)
        row.state, row.finished_at = "done", clock.now()
        hint(ctx, "staff_import", row.id)
        hint(ctx, "staff")


async def _take(context: Context, import_id: UUID, start: int, people: Sequence[ReadPerson]) -> None:
    async with transaction(context) as ctx:
        await fence(ctx)
        row = await import_of(ctx, import_id, lock=True)
        if row.rows_done != start:
            return
        places = await _departments(ctx, {path for one in people for path in one.departments})
        writes = await _compare(ctx, people, places)
        await _store(ctx, writes)
        row.rows_done = start + len(people)
        row.added += len(writes.new)
        row.changed += len(writes.changed)
        row.skipped += writes.skipped
        hint(ctx, "staff_import", row.id)


async def _departments(ctx: Context, wanted: set[Path]) -> dict[Path, UUID]:
    """The departments of these paths; what is missing is made, level by level."""
    if not wanted:
        return {}
    rows = await ctx.session.execute(
        select(Department.id, Department.parent_id, Department.name).order_by(Department.id)
    )
    known: dict[tuple[UUID | None, str], UUID] = {}
    for row in rows:
        known.setdefault((row.parent_id, row.name), row.id)
    found: dict[Path, UUID] = {}
    new: list[tuple[UUID, UUID | None, str]] = []
    for path in sorted(wanted):
        above: UUID | None = None
        for name in path:
            here = known.get((above, name))
            if here is None:
                here = new_id()
                known[above, name] = here
                new.append((here, above, name))
            above = here
        assert above is not None, "a path has at least one level"
        found[path] = above
    if new:
        raw = await connection(ctx)
        ids, parents, names = ([row[place] for row in new] for place in range(3))
        nothing = [None] * len(new)
        await raw.execute(sql.ADD_DEPARTMENTS, ctx.tenant_id, ids, parents, names, [0] * len(new), nothing, clock.now())
    return found


async def _compare(ctx: Context, people: Sequence[ReadPerson], places: Mapping[Path, UUID]) -> _Writes:
    raw = await connection(ctx)
    rows = await raw.fetch(
        sql.SAME_PEOPLE,
        ctx.tenant_id,
        [one.wecom_userid.lower() for one in people if one.wecom_userid],
        [one.name for one in people if not one.wecom_userid],
    )
    by_account = {row["wecom_key"]: row for row in rows if row["wecom_key"] is not None}
    by_name: dict[str, list[Any]] = {}
    for row in rows:
        by_name.setdefault(row["name"], []).append(row)
    writes = _Writes()
    for one in people:
        same = by_account.get(one.wecom_userid.lower()) if one.wecom_userid else None
        namesakes = [] if one.wecom_userid else by_name.get(one.name, [])
        if len(namesakes) > 1:
            writes.skipped += 1
            continue
        known = same if same is not None else namesakes[0] if namesakes else None
        wanted = {places[path] for path in one.departments}
        if known is None:
            staff_id = new_id()
            writes.new.append((staff_id, one.name, one.wecom_userid or None))
            writes.taken += [(staff_id, place) for place in wanted]
        else:
            _differ(one, known, wanted, writes)
    return writes


def _differ(one: ReadPerson, known: Any, wanted: set[UUID], writes: _Writes) -> None:
    if known["state"] == "left":
        writes.skipped += 1
        return
    staff_id, before = known["id"], set(known["departments"])
    if known["name"] != one.name:
        writes.renamed.append((staff_id, one.name))
        writes.changed.add(staff_id)
    if wanted and wanted != before:
        writes.taken += [(staff_id, place) for place in wanted - before]
        writes.dropped += [(staff_id, place) for place in before - wanted]
        writes.changed.add(staff_id)
    writes.skipped += staff_id not in writes.changed


async def _store(ctx: Context, writes: _Writes) -> None:
    raw = await connection(ctx)
    if writes.new:
        columns = [[row[place] for row in writes.new] for place in range(3)]
        await raw.execute(sql.ADD_PEOPLE, ctx.tenant_id, *columns, clock.now(), "import")
    if writes.renamed:
        columns = [[row[place] for row in writes.renamed] for place in range(2)]
        await raw.execute(sql.RENAME_PEOPLE, ctx.tenant_id, *columns)
    if writes.dropped:
        columns = [[row[place] for row in writes.dropped] for place in range(2)]
        await raw.execute(sql.LEAVE_PLACES, ctx.tenant_id, *columns)
    if writes.taken:
        columns = [[row[place] for row in writes.taken] for place in range(2)]
        await raw.execute(sql.TAKE_PLACES, ctx.tenant_id, *columns, [False] * len(writes.taken))


def _read(data: bytes) -> tuple[Table, ReadPeople, str | None]:
    try:
        table = read_table(data)
    except UnreadableFile as error:
        return Table([]), ReadPeople(), error.reason
    read = read_people(table)
    failure = None if read.people or read.problems else "no_people"
    return table, read, failure


def _shown(one: ReadPerson) -> dict[str, Any]:
    return {
        "row": one.row,
        "name": one.name,
        "wecom_userid": one.wecom_userid,
        "departments": ["/".join(path) for path in one.departments],
    }
