"""The console's routes about departments, the people in them, and the address book they come from."""

import asyncio
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Response

from huitouke.kernel.context import Context
from huitouke.kernel.http import ConsoleContext, ConsoleTransaction, requires
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from huitouke.kernel.settings import get_settings
from huitouke.modules.organization import people_queries as queries
from huitouke.modules.organization import staff_sheet
from huitouke.modules.organization.people_queries import PersonState
from huitouke.modules.organization.people_schemas import (
    AddressBookIn,
    AddressBookState,
    ColleagueOut,
    ContactsIn,
    DepartmentIn,
    DepartmentOut,
    DepartmentPatch,
    InvitationIn,
    LeavingIn,
    PersonIn,
    PersonPlaces,
    StaffImportOut,
    StaffImportStart,
)
from huitouke.modules.organization.schemas import StaffLinkOut
from huitouke.modules.organization.service import address_book, departments, people, staff_imports, wecom_app

router = APIRouter(prefix="/api", tags=["organization"])
_view = requires("organization.view", "organization.manage")
_manage = requires("organization.manage")

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Words = Annotated[str | None, Query(max_length=64, description="Part of the name.")]


@router.get("/departments", operation_id="organization_departments", dependencies=[_view])
async def list_departments(
    ctx: ConsoleTransaction,
    parent_id: Annotated[UUID | None, Query(description="Those below it; without it those at the top.")] = None,
    q: Words = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[DepartmentOut]:
    """One level of the tree, or with `q` the departments of that name wherever they stand."""
    return await queries.department_page(ctx, parent_id=parent_id, q=q, cursor=cursor, limit=limit)


@router.post("/departments", status_code=201, operation_id="organization_add_department", dependencies=[_manage])
async def add_department(body: DepartmentIn, ctx: ConsoleTransaction) -> DepartmentOut:
    """Makes a department."""
    made = await departments.create_department(ctx, body.name, body.parent_id)
    return await queries.department(ctx, made.id)


@router.get("/departments/{department_id}", operation_id="organization_department", dependencies=[_view])
async def get_department(department_id: UUID, ctx: ConsoleTransaction) -> DepartmentOut:
    """One department with the way to it."""
    return await queries.department(ctx, department_id)


@router.patch("/departments/{department_id}", operation_id="organization_change_department", dependencies=[_manage])
async def change_department(department_id: UUID, body: DepartmentPatch, ctx: ConsoleTransaction) -> DepartmentOut:
    """Renames or moves a department that is not WeCom's."""
    moved = "parent_id" in body.model_fields_set
    change = departments.DepartmentChange(body.name, moved, body.parent_id)
    await departments.update_department(ctx, department_id, change)
    return await queries.department(ctx, department_id)


@router.delete(
    "/departments/{department_id}",
    status_code=204,
    operation_id="organization_delete_department",
    dependencies=[_manage],
)
async def delete_department(department_id: UUID, ctx: ConsoleTransaction) -> None:
    """Takes an empty department away."""
    await departments.delete_department(ctx, department_id)


@router.get("/people", operation_id="organization_people", dependencies=[_view])
async def list_people(
    ctx: ConsoleTransaction,
    department_id: Annotated[UUID | None, Query(description="Who is in this department.")] = None,
    below: Annotated[bool, Query(description="And in those below it.")] = True,
    q: Annotated[str | None, Query(max_length=64, description="Part of the name or of the WeCom account.")] = None,
    state: Annotated[PersonState, Query(description="here: all who work here.")] = "here",
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[ColleagueOut]:
    """Everybody who works here, whether they sign in or not."""
    return await queries.people_page(
        ctx, department_id=department_id, below=below, q=q, state=state, cursor=cursor, limit=limit
    )


@router.post("/people", status_code=201, operation_id="organization_add_person", dependencies=[_manage])
async def add_person(body: PersonIn, ctx: ConsoleTransaction) -> ColleagueOut:
    """Enters a person who doesn't sign in yet."""
    added = await people.add_person(ctx, people.NewPerson(body.name, body.wecom_userid, body.department_ids))
    return await queries.person(ctx, added.id)


@router.get(
    "/people/template",
    operation_id="organization_staff_template",
    dependencies=[_manage],
    response_class=Response,
    responses={200: {"content": {XLSX: {}}}},
)
async def staff_template(context: ConsoleContext) -> Response:
    """An Excel file with the right columns and two examples."""
    name = quote("员工模板.xlsx" if context.locale.startswith("zh") else "staff.xlsx")
    return Response(
        await asyncio.to_thread(staff_sheet.template, context.locale),
        media_type=XLSX,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )


@router.post("/people/imports", status_code=201, operation_id="organization_preview_staff", dependencies=[_manage])
async def preview_staff(body: StaffImportStart, context: ConsoleContext) -> StaffImportOut:
    """Reads an uploaded file and says who would be taken in. A file that can't be read is state `failed`."""
    return queries.import_out(await staff_imports.preview(context, body.file_id), context.locale)


@router.get("/people/imports/{staff_import_id}", operation_id="organization_staff_import", dependencies=[_manage])
async def get_staff_import(staff_import_id: UUID, ctx: ConsoleTransaction) -> StaffImportOut:
    """How far an import is."""
    return queries.import_out(await staff_imports.import_of(ctx, staff_import_id), ctx.locale)


@router.post("/people/imports/{staff_import_id}/apply", operation_id="organization_apply_staff", dependencies=[_manage])
async def apply_staff_import(staff_import_id: UUID, ctx: ConsoleTransaction) -> StaffImportOut:
    """Takes a previewed file in; goes on in the background."""
    return queries.import_out(await staff_imports.apply(ctx, staff_import_id), ctx.locale)


@router.get("/people/{staff_id}", operation_id="organization_person", dependencies=[_view])
async def get_person(staff_id: UUID, ctx: ConsoleTransaction) -> ColleagueOut:
    """One person."""
    return await queries.person(ctx, staff_id)


@router.put("/people/{staff_id}/departments", operation_id="organization_place_person", dependencies=[_manage])
async def place_person(staff_id: UUID, body: PersonPlaces, ctx: ConsoleTransaction) -> ColleagueOut:
    """Puts a person into these departments and no others."""
    await people.put_in_departments(ctx, staff_id, body.department_ids)
    return await queries.person(ctx, staff_id)


@router.post("/people/{staff_id}/invite", operation_id="organization_invite_person", dependencies=[_manage])
async def invite_person(staff_id: UUID, body: InvitationIn, ctx: ConsoleTransaction) -> StaffLinkOut:
    """Gives a person a sign-in name and a link with which they set their password."""
    link = await people.invite(ctx, staff_id, body.sign_in_name, body.role)
    url = f"{get_settings().public_url}/join#{link.token.reveal()}"
    return StaffLinkOut(url=url, kind=link.kind, expires_at=link.expires_at)


@router.post("/people/{staff_id}/resign", operation_id="organization_resign_person", dependencies=[_manage])
async def resign_person(staff_id: UUID, ctx: ConsoleTransaction) -> ColleagueOut:
    """The person has left: signed out at once; what they did stays."""
    await people.resign(ctx, staff_id)
    return await queries.person(ctx, staff_id)


@router.post("/people/{staff_id}/return", operation_id="organization_take_back_person", dependencies=[_manage])
async def take_back_person(staff_id: UUID, ctx: ConsoleTransaction) -> ColleagueOut:
    """Somebody who left works here again."""
    await people.take_back(ctx, staff_id)
    return await queries.person(ctx, staff_id)


@router.get("/address-book", operation_id="organization_address_book", dependencies=[_manage])
async def get_address_book(ctx: ConsoleTransaction) -> AddressBookState:
    """How the address book is connected and how its sync is."""
    return await _shown(ctx)


@router.put("/address-book", operation_id="organization_connect_address_book", dependencies=[_manage])
async def connect_address_book(body: AddressBookIn, ctx: ConsoleTransaction) -> AddressBookState:
    """Reads the address book through that app from now on; the first sync begins at once."""
    await address_book.connect(ctx, await wecom_app(ctx, body.wecom_app_id))
    return await _shown(ctx)


@router.delete(
    "/address-book", status_code=204, operation_id="organization_disconnect_address_book", dependencies=[_manage]
)
async def disconnect_address_book(ctx: ConsoleTransaction) -> None:
    """Stops reading it; people and departments stay."""
    await address_book.disconnect(ctx)


@router.put("/address-book/contacts", operation_id="organization_set_contacts_secret", dependencies=[_manage])
async def set_contacts_secret(body: ContactsIn, ctx: ConsoleTransaction) -> AddressBookState:
    """Takes the secret of 通讯录同步 and makes the values for its callback."""
    await address_book.set_contacts_secret(ctx, body.secret)
    return await _shown(ctx)


@router.delete("/address-book/contacts", operation_id="organization_remove_contacts_secret", dependencies=[_manage])
async def remove_contacts_secret(ctx: ConsoleTransaction) -> AddressBookState:
    """Reads by department again, once a night."""
    await address_book.remove_contacts_secret(ctx)
    return await _shown(ctx)


@router.post("/address-book/sync", operation_id="organization_sync_address_book", dependencies=[_manage])
async def sync_address_book(ctx: ConsoleTransaction) -> AddressBookState:
    """Begins a sync now, or takes up one that waits."""
    await address_book.start_sync(ctx)
    return await _shown(ctx)


@router.post("/address-book/leaving", operation_id="organization_confirm_leaving", dependencies=[_manage])
async def confirm_leaving(body: LeavingIn, ctx: ConsoleTransaction) -> AddressBookState:
    """So many people have really left: the sync goes on."""
    await address_book.confirm_leaving(ctx, body.leaving)
    return await _shown(ctx)


async def _shown(ctx: Context) -> AddressBookState:
    found = await address_book.connection_of(ctx)
    return AddressBookState(book=None if found is None else queries.address_book_out(found, ctx.locale))
