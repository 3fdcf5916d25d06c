"""How far roles see: a role's data scope as ids, the condition that stands on them, and who sees what is somebody's."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, cast
from uuid import UUID

import structlog
from sqlalchemy import ARRAY, ColumnElement, CompoundSelect, Uuid, any_, false, func, literal, or_, select

from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.context import ALL_DATA, Context, DataScope, Scope
from huitouke.kernel.database import connection
from huitouke.kernel.scoping import Owners
from huitouke.modules.organization.models import OwnRole, RoleDepartment, Staff, StaffDepartment
from huitouke.modules.organization.service.roles import OWN

MAX_DEPARTMENTS: Final = 3_000
"""Departments that one person's scope may name; who has more below them sees the first ones only."""

DEPARTMENTS_BELOW: Final = """
WITH RECURSIVE below AS (
    SELECT id FROM departments WHERE tenant_id = $1 AND id = ANY($2::uuid[])
    UNION
    SELECT d.id FROM departments d JOIN below b ON d.parent_id = b.id WHERE d.tenant_id = $1
)
SELECT id FROM below LIMIT $3
"""
"""UNION, not UNION ALL: it ends even where a tree has come to be a circle. Index (tenant_id, parent_id)."""

DEPARTMENTS_ABOVE: Final = """
WITH RECURSIVE above AS (
    SELECT id, parent_id FROM departments WHERE tenant_id = $1 AND id = ANY($2::uuid[])
    UNION
    SELECT d.id, d.parent_id FROM departments d JOIN above a ON d.id = a.parent_id WHERE d.tenant_id = $1
)
SELECT DISTINCT id FROM above
"""

_MEMBERS: Final = StaffDepartment.__table__.alias("members_in_scope")

log = structlog.get_logger(__name__)


async def scope_of(ctx: Context, staff_id: UUID, role: str, role_id: UUID | None, kind: str | None) -> Scope:
    """How far a person with that role sees. Presets see all, `kind` is that of an own role."""
    if role != OWN or kind == "all":
        return ALL_DATA
    roots: set[UUID] = set()
    if kind in ("department", "department_below"):
        mine = select(StaffDepartment.department_id).where(StaffDepartment.staff_id == staff_id)
        roots.update(await ctx.session.scalars(mine.limit(MAX_DEPARTMENTS)))
    elif kind == "chosen":
        roots.update(await chosen_departments(ctx, cast(UUID, role_id)))
    found = roots if kind == "department" else await _below(ctx, roots)
    return DataScope(frozenset({staff_id}), frozenset(found))


async def chosen_departments(ctx: Context, role_id: UUID) -> list[UUID]:
    """The departments that a role with the scope `chosen` names, without those below them."""
    chosen = select(RoleDepartment.department_id).where(RoleDepartment.role_id == role_id)
    return list(await ctx.session.scalars(chosen.order_by(RoleDepartment.department_id).limit(MAX_DEPARTMENTS)))


def of_people_in(tenant_id: UUID, scope: DataScope, staff_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Whether the person in that column is one of those whose customers the scope shows."""
    ways: list[ColumnElement[bool]] = []
    if scope.staff_ids:
        ways.append(staff_id == any_(_ids(scope.staff_ids)))
    if scope.department_ids:
        members = (
            _MEMBERS.c.tenant_id == literal(tenant_id, Uuid()),
            _MEMBERS.c.department_id == any_(_ids(scope.department_ids)),
        )
        ways.append(staff_id.in_(select(_MEMBERS.c.staff_id).where(*members)))
    return or_(*ways) if ways else false()


def people_in(tenant_id: UUID, scope: DataScope) -> CompoundSelect[UUID]:
    """The ids of the people whose customers the scope shows; some come twice. To go from them to what is theirs, where
    `of_people_in` goes from each thing to its people."""
    members = select(_MEMBERS.c.staff_id).where(
        _MEMBERS.c.tenant_id == literal(tenant_id, Uuid()),
        _MEMBERS.c.department_id == any_(_ids(scope.department_ids)),
    )
    return select(func.unnest(_ids(scope.staff_ids))).union_all(members)


def audit_in_scope(tenant_id: UUID, scope: DataScope) -> ColumnElement[bool]:
    """Entries of people in scope. What jobs did, and people who are no staff, is for those who see all."""
    return of_people_in(tenant_id, scope, AuditEntry.__table__.c.actor_id)


async def owners_of(ctx: Context, staff_ids: Mapping[UUID, Iterable[UUID]]) -> dict[UUID, Owners]:
    """To whom each thing belongs, by the people to whom it belongs: their departments are added. One query."""
    people = {one: frozenset(found) for one, found in staff_ids.items()}
    wanted = frozenset().union(*people.values())
    departments: dict[UUID, set[UUID]] = {}
    if wanted:
        rows = await ctx.session.execute(
            select(StaffDepartment.staff_id, StaffDepartment.department_id).where(StaffDepartment.staff_id.in_(wanted))
        )
        for row in rows:
            departments.setdefault(row.staff_id, set()).add(row.department_id)
    return {
        one: Owners(found, frozenset().union(*(departments.get(staff_id, ()) for staff_id in found)))
        for one, found in people.items()
    }


async def who_see(ctx: Context, people: Sequence[tuple[UUID, str, UUID | None, str | None]], of: Owners) -> set[UUID]:
    """Those of the people (staff id, role, own role's id, its data scope) who see what belongs to `of`.

    Asked from the side of what is seen, so that its cost doesn't grow with the people: the departments of its owners
    and those above them, once for all.
    """
    if not of.staff_ids:
        return {staff_id for staff_id, *_ in people}
    above = await _above(ctx, of.department_ids)
    in_department = await _in_departments(ctx, above, [staff_id for staff_id, *_ in people])
    choosing = await _choosing(ctx, above)

    def sees(staff_id: UUID, role: str, role_id: UUID | None, kind: str | None) -> bool:
        if role != OWN or kind == "all" or staff_id in of.staff_ids:
            return True
        mine = in_department.get(staff_id, frozenset())
        match kind:
            case "department":
                return not mine.isdisjoint(of.department_ids)
            case "department_below":
                return bool(mine)
            case "chosen":
                return role_id in choosing
            case _:
                return False

    return {staff_id for staff_id, role, role_id, kind in people if sees(staff_id, role, role_id, kind)}


async def sees(ctx: Context, staff: Staff, of: Owners) -> bool:
    """Whether that person sees what belongs to `of`. Two queries, four where their role doesn't see all."""
    own = select(OwnRole.data_scope).where(OwnRole.id == staff.role_id)
    kind = await ctx.session.scalar(own) if staff.role == OWN else None
    return of.seen_within(await scope_of(ctx, staff.id, staff.role, staff.role_id, kind))


async def _below(ctx: Context, roots: Collection[UUID]) -> set[UUID]:
    """The departments and all below them, at most MAX_DEPARTMENTS."""
    if not roots:
        return set()
    raw = await connection(ctx)
    rows = await raw.fetch(DEPARTMENTS_BELOW, ctx.tenant_id, list(roots), MAX_DEPARTMENTS + 1)
    if len(rows) > MAX_DEPARTMENTS:
        log.warning("organization.scope_too_large", tenant_id=str(ctx.tenant_id), departments=MAX_DEPARTMENTS)
    return {row["id"] for row in rows[:MAX_DEPARTMENTS]}


async def _above(ctx: Context, departments: Collection[UUID]) -> set[UUID]:
    """The departments and all above them."""
    if not departments:
        return set()
    raw = await connection(ctx)
    return {row["id"] for row in await raw.fetch(DEPARTMENTS_ABOVE, ctx.tenant_id, list(departments))}


async def _in_departments(
    ctx: Context, departments: Collection[UUID], people: Collection[UUID]
) -> dict[UUID, frozenset[UUID]]:
    found: dict[UUID, set[UUID]] = {}
    rows = await ctx.session.execute(
        select(StaffDepartment.staff_id, StaffDepartment.department_id).where(
            StaffDepartment.staff_id.in_(people), StaffDepartment.department_id.in_(departments)
        )
    )
    for row in rows:
        found.setdefault(row.staff_id, set()).add(row.department_id)
    return {staff_id: frozenset(ids) for staff_id, ids in found.items()}


async def _choosing(ctx: Context, departments: Collection[UUID]) -> set[UUID]:
    """The roles that name one of the departments."""
    chosen = select(RoleDepartment.role_id).where(RoleDepartment.department_id.in_(departments))
    return set(await ctx.session.scalars(chosen))


def _ids(found: Iterable[UUID]) -> Any:
    return literal(list(found), ARRAY(Uuid()))
