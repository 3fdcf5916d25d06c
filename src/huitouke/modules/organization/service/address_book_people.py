"""Making departments and people here equal to what was read of the address book. Sets, not loops."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from huitouke.kernel import audit, clock
from huitouke.kernel.access import service as access
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.ids import new_id
from huitouke.modules.organization import sql
from huitouke.modules.organization.service.notifying.choosing import forget_choices
from huitouke.wechat.contacts import Department

MAX_NAME_CHARACTERS: Final = 64
"""Of people and departments in WeCom (path/90195)."""

CHUNK_PEOPLE: Final = 2_000
"""People per transaction: some 100 ms when all of them are new."""


@dataclass(frozen=True, slots=True)
class BookPerson:
    """A person as read. `name` None: beyond the app's sight. Departments are WeCom's numbers."""

    userid: str
    name: str | None
    departments: frozenset[int]
    leads: frozenset[int] = frozenset()

    @property
    def key(self) -> str:
        return self.userid.lower()


@dataclass(frozen=True, slots=True)
class Changes:
    """How many people a chunk added, changed and brought back."""

    added: int = 0
    changed: int = 0
    returned: int = 0


@dataclass(slots=True)
class _Writes:
    """What a chunk has to write."""

    new: list[tuple[UUID, str, str]] = field(default_factory=list)
    changed: list[tuple[UUID, str, str, str]] = field(default_factory=list)
    taken: list[tuple[UUID, UUID, bool]] = field(default_factory=list)
    dropped: list[tuple[UUID, UUID]] = field(default_factory=list)
    renamed: dict[UUID, str] = field(default_factory=dict)
    moved: set[UUID] = field(default_factory=set)
    returned: int = 0


async def stage_people(ctx: Context, people: Sequence[BookPerson]) -> None:
    """Keeps what was read until all is; the same person again is put together."""
    if people:
        raw = await connection(ctx)
        await raw.execute(sql.STAGE_PEOPLE, ctx.tenant_id, *_columns(together(people)))


def together(people: Iterable[BookPerson]) -> list[BookPerson]:
    """Everybody once, with all departments they were read in."""
    found: dict[str, BookPerson] = {}
    for one in people:
        known = found.get(one.key)
        found[one.key] = (
            one
            if known is None
            else BookPerson(
                one.userid, one.name or known.name, known.departments | one.departments, known.leads | one.leads
            )
        )
    return list(found.values())


async def compare_staged(ctx: Context, after: str) -> tuple[Changes, str, int]:
    """Writes what differs for the next chunk behind the key `after`; gives the last key and how many there were."""
    raw = await connection(ctx)
    rows = await raw.fetch(sql.COMPARE_STAGED, ctx.tenant_id, after, CHUNK_PEOPLE)
    changes = await _write(ctx, rows)
    return changes, rows[-1]["userid_key"] if rows else after, len(rows)


async def compare_given(ctx: Context, people: Sequence[BookPerson]) -> Changes:
    """Writes what differs for these people."""
    raw = await connection(ctx)
    return await _write(ctx, await raw.fetch(sql.COMPARE_GIVEN, ctx.tenant_id, *_columns(together(people))))


async def leave(ctx: Context, staff_ids: Sequence[UUID]) -> int:
    """Marks people as left: their sign-in ends, their history stays. Gives how many were not before."""
    raw = await connection(ctx)
    rows = await raw.fetch(sql.MARK_LEFT, ctx.tenant_id, list(staff_ids), clock.now())
    signed_in = [row for row in rows if row["user_id"] is not None]
    await access.end_memberships(ctx, [row["user_id"] for row in signed_in])
    await forget_choices(ctx, [row["id"] for row in rows])
    await audit.record_many(
        ctx, "organization.staff_left", "staff", [row["id"] for row in signed_in], after={"because": "address_book"}
    )
    return len(rows)


async def known_departments(ctx: Context) -> dict[int, UUID]:
    """Our departments by WeCom's numbers."""
    raw = await connection(ctx)
    rows = await raw.fetch(
        "SELECT wecom_id, id FROM departments WHERE tenant_id = $1 AND wecom_id IS NOT NULL", ctx.tenant_id
    )
    return {row["wecom_id"]: row["id"] for row in rows}


async def write_departments(ctx: Context, listed: Sequence[Department]) -> int:
    """Adds, renames and moves; what is no longer listed stays until `drop_departments`. Gives how many changed.

    A name that wasn't told (a department beyond the app's sight) leaves the known one.
    """
    raw = await connection(ctx)
    rows = await raw.fetch(
        "SELECT id, parent_id, name, position, wecom_id FROM departments"
        " WHERE tenant_id = $1 AND wecom_id IS NOT NULL FOR UPDATE",
        ctx.tenant_id,
    )
    known = {row["wecom_id"]: row for row in rows}
    ids = {one.id: known[one.id]["id"] if one.id in known else new_id() for one in listed}
    new, changed = [], []
    for one in listed:
        before = known.get(one.id)
        parent, name = ids.get(one.parentid), _cut(one.name)
        if before is None:
            new.append((ids[one.id], parent, name or f"部门 {one.id}", one.order, one.id))
            continue
        after = (before["id"], parent, name or before["name"], one.order)
        if after[1:] != (before["parent_id"], before["name"], before["position"]):
            changed.append(after)
    now = clock.now()
    if new:
        await raw.execute(sql.ADD_DEPARTMENTS, ctx.tenant_id, *_turned(new, 5), now)
    if changed:
        await raw.execute(sql.CHANGE_DEPARTMENTS, ctx.tenant_id, *_turned(changed, 4), now)
    return len(new) + len(changed)


async def drop_departments(ctx: Context, listed: Iterable[int]) -> int:
    """Takes away WeCom's departments that are no longer listed; what was made here below them moves to the top."""
    raw = await connection(ctx)
    stay = set(listed)
    gone = [ours for wecom_id, ours in (await known_departments(ctx)).items() if wecom_id not in stay]
    if gone:
        await raw.execute(sql.FREE_CHILDREN, ctx.tenant_id, gone, clock.now())
        await raw.execute(sql.DROP_DEPARTMENTS, ctx.tenant_id, gone)
    return len(gone)


async def _write(ctx: Context, rows: Sequence[asyncpg.Record]) -> Changes:
    departments = await known_departments(ctx)
    writes = _Writes()
    for row in rows:
        _compare(row, departments, writes)
    await _store(ctx, writes)
    changed = writes.moved | {one[0] for one in writes.changed}
    return Changes(len(writes.new), len(changed - {one[0] for one in writes.new}), writes.returned)


def _compare(row: asyncpg.Record, departments: Mapping[int, UUID], writes: _Writes) -> None:
    staff_id: UUID = row["id"] or new_id()
    name = _cut(row["name"] or "")
    if row["id"] is None:
        writes.new.append((staff_id, name or row["userid"], row["userid"]))
    else:
        state = _state(row)
        after = (name or row["known_name"], row["userid"], "wecom", state)
        if after != (row["known_name"], row["wecom_userid"], row["source"], row["state"]):
            writes.changed.append((staff_id, after[0], after[1], state))
            writes.returned += state != row["state"]
            if after[0] != row["known_name"] and row["user_id"] is not None:
                writes.renamed[row["user_id"]] = after[0]
    leads = {departments[one] for one in row["leads"] if one in departments}
    wanted = {ours: ours in leads for one in row["departments"] if (ours := departments.get(one)) is not None}
    led = set(row["known_leads"])
    before = {one: one in led for one in row["known_departments"]}
    taken = [(staff_id, one, leads) for one, leads in wanted.items() if before.get(one) is not leads]
    dropped = [(staff_id, one) for one in before if one not in wanted]
    if taken or dropped:
        writes.moved.add(staff_id)
        writes.taken += taken
        writes.dropped += dropped


def _state(row: asyncpg.Record) -> str:
    """Whom somebody here marked as left stays so. Who is back and had a sign-in gets it again by hand alone."""
    if row["state"] != "left" or row["left_because"] != "address_book":
        return str(row["state"])
    return "active" if row["user_id"] is None else "disabled"


async def _store(ctx: Context, writes: _Writes) -> None:
    raw = await connection(ctx)
    now: datetime = clock.now()
    if writes.new:
        await raw.execute(sql.ADD_PEOPLE, ctx.tenant_id, *_turned(writes.new, 3), now, "wecom")
    if writes.changed:
        await raw.execute(sql.CHANGE_PEOPLE, ctx.tenant_id, *_turned(writes.changed, 4))
    if writes.dropped:
        await raw.execute(sql.LEAVE_PLACES, ctx.tenant_id, *_turned(writes.dropped, 2))
    if writes.taken:
        await raw.execute(sql.TAKE_PLACES, ctx.tenant_id, *_turned(writes.taken, 3))
    if writes.renamed:
        await access.rename_users(ctx, writes.renamed)


def _columns(people: Sequence[BookPerson]) -> tuple[list[str], list[str], list[str | None], list[str], list[str]]:
    """As the statements take them; arrays as texts, since arrays of arrays must be of one length."""
    return (
        [one.key for one in people],
        [one.userid for one in people],
        [one.name for one in people],
        [_array(one.departments) for one in people],
        [_array(one.leads) for one in people],
    )


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(str(one) for one in sorted(numbers)) + "}"


def _turned(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[column] for row in rows] for column in range(width)]


def _cut(name: str) -> str:
    return " ".join(name.split())[:MAX_NAME_CHARACTERS]
