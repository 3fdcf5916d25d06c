"""Reads of departments and the people in them."""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import aliased

from huitouke.kernel.access.models import User
from huitouke.kernel.access.service import NO_PASSWORD
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import NotFound
from huitouke.kernel.locales import translate
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of
from huitouke.kernel.settings import get_settings
from huitouke.modules.organization import sql
from huitouke.modules.organization.models import Department, OwnRole, Staff, StaffDepartment, StaffImport
from huitouke.modules.organization.people_schemas import (
    AddressBookFigures,
    AddressBookOut,
    AddressBookProblem,
    ColleagueOut,
    ContactsOut,
    DepartmentOut,
    DepartmentStep,
    PersonDepartment,
    StaffImportOut,
)
from huitouke.modules.organization.service.address_book import Connection, connected
from huitouke.modules.organization.service.roles import OWN
from huitouke.wechat.errors import TransportReason, explain

PersonState = Literal["here", "sign_in", "listed", "left"]
"""Which people: all who work here, those who sign in, those who don't, or those who have left."""

SHARES: Final = {
    "departments": (0, 3),
    "ids": (3, 8),
    "people": (8, 60),
    "single": (60, 62),
    "apply": (62, 95),
    "leaving": (95, 100),
}
"""How much of a sync's time its phases take, from and to, in percent."""


async def department_page(
    ctx: Context, *, parent_id: UUID | None, q: str | None, cursor: str | None, limit: int
) -> Page[DepartmentOut]:
    """Departments below one (or at the top) in WeCom's order; with `q` those of that name anywhere, with their way."""
    statement = select(Department).order_by(Department.position.desc(), Department.id).limit(limit + 1)
    if q:
        statement = statement.where(Department.name.icontains(q, autoescape=True))
    else:
        statement = statement.where(
            Department.parent_id.is_(None) if parent_id is None else Department.parent_id == parent_id
        )
    if cursor is not None:
        position, after = decode_cursor(cursor, _position, UUID)
        statement = statement.where(
            or_(
                Department.position < position,
                and_(Department.position == position, Department.id > after),
            )
        )
    rows = (await ctx.session.scalars(statement)).all()
    shown = await _departments_out(ctx, rows[:limit], with_path=bool(q))
    page = page_of(rows, limit, lambda row: encode_cursor(row.position, row.id))
    return Page(items=shown, next_cursor=page.next_cursor)


def _position(value: int | str) -> int:
    """Out of a cursor that may be anybody's: within what PostgreSQL can hold."""
    position = int(value)
    if not 0 <= position < 2**32:  # path/90208
        raise ValueError("no position of a department")
    return position


async def department(ctx: Context, department_id: UUID) -> DepartmentOut:
    """One department with the way to it. Raises NotFound."""
    row = await ctx.session.scalar(select(Department).where(Department.id == department_id))
    if row is None:
        raise NotFound(kind="department")
    (shown,) = await _departments_out(ctx, [row], with_path=True)
    return shown


async def _departments_out(ctx: Context, rows: Sequence[Department], *, with_path: bool) -> list[DepartmentOut]:
    if not rows:
        return []
    raw = await connection(ctx)
    ids = [row.id for row in rows]
    people = {row["top"]: row["people"] for row in await raw.fetch(sql.PEOPLE_BELOW, ctx.tenant_id, ids)}
    parents = set(
        await ctx.session.scalars(select(Department.parent_id).where(Department.parent_id.in_(ids)).distinct())
    )
    paths = await _paths(ctx, ids) if with_path else {}
    fixed = await connected(ctx)
    return [
        DepartmentOut(
            id=row.id,
            parent_id=row.parent_id,
            name=row.name,
            from_wecom=row.wecom_id is not None,
            fixed=fixed and row.wecom_id is not None,
            people=people.get(row.id, 0),
            branches=row.id in parents,
            path=paths.get(row.id, []),
        )
        for row in rows
    ]


async def _paths(ctx: Context, ids: Sequence[UUID]) -> dict[UUID, list[DepartmentStep]]:
    """The way from the top down to each, in one query."""
    above = aliased(Department)
    line = (
        select(Department.id.label("bottom"), Department.id, Department.parent_id, Department.name)
        .where(Department.tenant_id == ctx.tenant_id, Department.id.in_(ids))
        .cte("line", recursive=True)
    )
    line = line.union(
        select(line.c.bottom, above.id, above.parent_id, above.name).where(
            above.tenant_id == ctx.tenant_id, above.id == line.c.parent_id
        )
    )
    found: dict[UUID, dict[UUID, tuple[UUID | None, str]]] = {}
    for row in await ctx.session.execute(select(line.c.bottom, line.c.id, line.c.parent_id, line.c.name)):
        found.setdefault(row.bottom, {})[row.id] = (row.parent_id, row.name)
    return {bottom: _upwards(bottom, steps) for bottom, steps in found.items()}


def _upwards(bottom: UUID, steps: dict[UUID, tuple[UUID | None, str]]) -> list[DepartmentStep]:
    path: list[DepartmentStep] = []
    at: UUID | None = bottom
    while at is not None and at in steps and len(path) <= len(steps):
        path.append(DepartmentStep(id=at, name=steps[at][1]))
        at = steps[at][0]
    return path[::-1]


async def people_page(
    ctx: Context,
    *,
    department_id: UUID | None,
    below: bool,
    q: str | None,
    state: PersonState,
    cursor: str | None,
    limit: int,
) -> Page[ColleagueOut]:
    """People in the order in which they were entered; nobody for a department that is none."""
    statement = _people().order_by(Staff.id).limit(limit + 1).where(*_of_state(state))
    if department_id is not None:
        statement = statement.where(await _in_department(ctx, department_id, below=below))
    if q:
        statement = statement.where(
            or_(Staff.name.icontains(q, autoescape=True), Staff.wecom_userid.icontains(q, autoescape=True))
        )
    if cursor is not None:
        (after,) = decode_cursor(cursor, UUID)
        statement = statement.where(Staff.id > after)
    rows = (await ctx.session.execute(statement)).all()
    page = page_of(rows, limit, lambda row: encode_cursor(row.Staff.id))
    places = await _places(ctx, [row.Staff.id for row in page.items])
    fixed = await connected(ctx)
    return Page(
        items=[_person_out(*row, places.get(row.Staff.id, []), fixed) for row in page.items],
        next_cursor=page.next_cursor,
    )


async def person(ctx: Context, staff_id: UUID) -> ColleagueOut:
    """One person. Raises NotFound."""
    row = (await ctx.session.execute(_people().where(Staff.id == staff_id))).one_or_none()
    if row is None:
        raise NotFound(kind="staff")
    places = await _places(ctx, [staff_id])
    return _person_out(*row, places.get(staff_id, []), await connected(ctx))


def _people() -> Select[Staff, str | None, bool | None, str | None]:
    invited = (User.password_hash == NO_PASSWORD).label("invited")
    return (
        select(Staff, User.sign_in_name, invited, OwnRole.name)
        .outerjoin(User, User.id == Staff.user_id)
        .outerjoin(OwnRole, OwnRole.id == Staff.role_id)
    )


def _of_state(state: PersonState) -> tuple[ColumnElement[bool], ...]:
    match state:
        case "here":
            return (Staff.state != "left",)
        case "sign_in":
            return (Staff.state != "left", Staff.user_id.is_not(None))
        case "listed":
            return (Staff.state != "left", Staff.user_id.is_(None))
        case "left":
            return (Staff.state == "left",)


async def _in_department(ctx: Context, department_id: UUID, *, below: bool) -> ColumnElement[bool]:
    raw = await connection(ctx)
    found = [row["id"] for row in await raw.fetch(sql.BELOW, ctx.tenant_id, department_id)]
    return exists().where(
        StaffDepartment.tenant_id == ctx.tenant_id,
        StaffDepartment.staff_id == Staff.id,
        StaffDepartment.department_id.in_(found if below else [department_id]),
    )


async def _places(ctx: Context, staff_ids: Sequence[UUID]) -> dict[UUID, list[PersonDepartment]]:
    if not staff_ids:
        return {}
    rows = await ctx.session.execute(
        select(StaffDepartment.staff_id, Department.id, Department.name, StaffDepartment.leads)
        .join(Department, Department.id == StaffDepartment.department_id)
        .where(StaffDepartment.staff_id.in_(staff_ids))
        .order_by(Department.position.desc(), Department.id)
    )
    found: dict[UUID, list[PersonDepartment]] = {}
    for row in rows:
        found.setdefault(row.staff_id, []).append(PersonDepartment(id=row.id, name=row.name, leads=row.leads))
    return found


def _person_out(
    row: Staff,
    sign_in_name: str | None,
    invited: bool | None,
    role_name: str | None,
    departments: list[PersonDepartment],
    fixed: bool,
) -> ColleagueOut:
    signs_in = row.user_id is not None
    state = row.state
    if state == "active":
        state = "listed" if not signs_in else "invited" if invited else "active"
    return ColleagueOut.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "wecom_userid": row.wecom_userid,
            "state": state,
            "sign_in_name": sign_in_name,
            "role": row.role if signs_in else None,
            "role_id": row.role_id if signs_in and row.role == OWN else None,
            "role_name": role_name if signs_in and row.role == OWN else None,
            "source": row.source,
            "fixed": fixed and row.source == "wecom",
            "departments": departments,
            "left_at": row.left_at,
            "created_at": row.created_at,
        }
    )


def import_out(row: StaffImport, locale: str) -> StaffImportOut:
    """The import as the API shows it, with the errors' sentences in that language."""
    return StaffImportOut.model_validate(
        {
            **{name: getattr(row, name) for name in StaffImportOut.model_fields},
            "failure": translate(locale, f"imports.{row.failure}") if row.failure else None,
            "errors": [
                {**one, "message": translate(locale, f"imports.row.{one['reason']}", **one["params"])}
                for one in row.errors
            ],
        }
    )


def address_book_out(connection: Connection, locale: str) -> AddressBookOut:
    """The connection as the page shows it."""
    book = connection.book
    return AddressBookOut.model_validate(
        {
            "wecom_app_id": book.wecom_app_id,
            "wecom_app_name": connection.app.name,
            "contacts": _contacts_out(connection),
            "state": book.state,
            "phase": book.phase,
            "done": book.done,
            "total": book.total,
            "percent": _percent(book.phase, book.done, book.total),
            "leaving": book.leaving if book.state == "asking" else None,
            "problem": _problem_out(book.problem, book.problem_place, locale),
            "due_at": book.due_at,
            "last": None
            if book.last is None or book.finished_at is None
            else AddressBookFigures(**book.last, finished_at=book.finished_at),
        }
    )


def _contacts_out(connection: Connection) -> ContactsOut | None:
    endpoint = connection.endpoint
    if endpoint is None:
        return None
    return ContactsOut(
        callback_url=f"{get_settings().public_url}/callbacks/{endpoint.kind}/{endpoint.callback_id}",
        callback_token=endpoint.token.reveal(),
        callback_aes_key=endpoint.aes_key.reveal(),
        heard_at=connection.heard_at,
    )


def _problem_out(code: str | None, place: str | None, locale: str) -> AddressBookProblem | None:
    if code is None:
        return None
    known = int(code) if code.lstrip("-").isdecimal() else TransportReason(code)
    return AddressBookProblem.model_validate({"code": code, "place": place or "app", "message": explain(known, locale)})


def _percent(phase: str | None, done: int, total: int) -> int:
    if phase is None:
        return 100
    first, last = SHARES[phase]
    part = min(done / total, 1.0) if total else 0.0
    return round(first + (last - first) * part)
