"""Departments that are made here: adding, renaming, moving, deleting. WeCom's are changed in WeCom."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import exists, func, select

from huitouke.kernel import audit, clock, realtime
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.modules.organization import sql
from huitouke.modules.organization.models import Department, Staff, StaffDepartment
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.address_book import connected
from huitouke.modules.organization.service.granting import refuse_departments_beyond

MAX_NAME_CHARACTERS: Final = 32
MAX_DEPARTMENTS: Final = 20_000
MAX_LEVELS: Final = 15
"""As deep as WeCom's own tree may be."""


@dataclass(frozen=True, slots=True)
class DepartmentChange:
    """What to change; `moved` says whether `parent_id` counts, which may be None: to the top."""

    name: str | None = None
    moved: bool = False
    parent_id: UUID | None = None


async def create_department(ctx: Context, name: str, parent_id: UUID | None) -> Department:
    """Adds a department below another one, or at the top.

    Raises InvalidInput, NotFound, TooDeep.
    """
    if (await ctx.session.scalar(select(func.count()).select_from(Department)) or 0) >= MAX_DEPARTMENTS:
        raise InvalidInput(field="name", reason="too_many", maximum=MAX_DEPARTMENTS)
    if parent_id is not None:
        await _line(ctx, parent_id)
    now = clock.now()
    department = Department(
        id=new_id(), parent_id=parent_id, name=_name(name), position=0, created_at=now, updated_at=now
    )
    ctx.session.add(department)
    await ctx.session.flush()
    await audit.record(
        ctx, "organization.department_added", "department", department.id, after={"name": department.name}
    )
    realtime.hint(ctx, kind="department", id=department.id)
    return department


async def update_department(ctx: Context, department_id: UUID, change: DepartmentChange) -> Department:
    """Renames or moves a department.

    Raises NotFound, InvalidInput, AddressBookDecides, DepartmentInCircle, TooDeep, ScopeBeyondYours.
    """
    department = await _own(ctx, department_id)
    before = {"name": department.name}
    if change.name is not None:
        department.name = _name(change.name)
    if change.moved and change.parent_id != department.parent_id:
        if change.parent_id is not None and department_id in await _line(ctx, change.parent_id):
            raise problems.DepartmentInCircle(field="parent_id")
        moved = {department_id} if change.parent_id is None else {department_id, change.parent_id}
        await refuse_departments_beyond(ctx, moved)
        department.parent_id = change.parent_id
        realtime.hint(ctx, kind="rights")
    department.updated_at = clock.now()
    await ctx.session.flush()
    await audit.record(
        ctx,
        "organization.department_changed",
        "department",
        department.id,
        before=before,
        after={"name": department.name, "moved": change.moved},
    )
    realtime.hint(ctx, kind="department", id=department.id)
    return department


async def delete_department(ctx: Context, department_id: UUID) -> None:
    """Takes an empty department away; who has left doesn't count.

    Raises NotFound, AddressBookDecides, DepartmentNotEmpty.
    """
    department = await _own(ctx, department_id)
    below = await ctx.session.scalar(select(exists().where(Department.parent_id == department_id)))
    people = await ctx.session.scalar(
        select(func.count())
        .select_from(StaffDepartment)
        .join(Staff, Staff.id == StaffDepartment.staff_id)
        .where(StaffDepartment.department_id == department_id, Staff.state != "left")
    )
    if below or people:
        raise problems.DepartmentNotEmpty(people=people or 0)
    await ctx.session.delete(department)
    await ctx.session.flush()
    await audit.record(
        ctx, "organization.department_deleted", "department", department_id, before={"name": department.name}
    )
    realtime.hint(ctx, kind="department", id=department_id)


async def departments_there(ctx: Context, department_ids: frozenset[UUID]) -> None:
    """Lets pass departments that all exist. Raises NotFound."""
    found = await ctx.session.scalar(
        select(func.count()).select_from(Department).where(Department.id.in_(department_ids))
    )
    if found != len(department_ids):
        raise NotFound(kind="department", field="department_ids")


async def _own(ctx: Context, department_id: UUID) -> Department:
    """The department, locked, where people here decide about it."""
    department = await ctx.session.scalar(select(Department).where(Department.id == department_id).with_for_update())
    if department is None:
        raise NotFound(kind="department")
    if department.wecom_id is not None and await connected(ctx):
        raise problems.AddressBookDecides
    return department


async def _line(ctx: Context, department_id: UUID) -> set[UUID]:
    """The department and all above it. Raises NotFound, TooDeep where nothing may stand below it."""
    raw = await connection(ctx)
    line = {row["id"] for row in await raw.fetch(sql.LINE_ABOVE, ctx.tenant_id, department_id)}
    if not line:
        raise NotFound(kind="department", field="parent_id")
    if len(line) >= MAX_LEVELS:
        raise problems.TooDeep(field="parent_id", maximum=MAX_LEVELS)
    return line


def _name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > MAX_NAME_CHARACTERS:
        raise InvalidInput(field="name", reason="length", maximum=MAX_NAME_CHARACTERS)
    return cleaned
