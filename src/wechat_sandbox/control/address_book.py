"""The address book on the admin pages: departments and who is in them. Each change is told to 通讯录同步."""

from bisect import bisect_right
from typing import Annotated

from fastapi import APIRouter, Query

from wechat_sandbox.address_book import below, in_order, tell
from wechat_sandbox.control.common import REFUSALS, CorpId, TheWorld, corp_of, employee_of
from wechat_sandbox.control.schemas import (
    AddressBookInput,
    AddressBookOut,
    DepartmentInput,
    DepartmentOut,
    DepartmentPatch,
    Done,
    EmployeeOut,
    FillInput,
    MemberInput,
    MemberPatch,
)
from wechat_sandbox.control.views import employee_out
from wechat_sandbox.entities import ROOT_DEPARTMENT, Department, Employee
from wechat_sandbox.errors import conflict, not_found
from wechat_sandbox.world import World

DEPARTMENT_LIMIT = 20_000
EMPLOYEE_LIMIT = 200_000

router = APIRouter(prefix="/sandbox/address-book", tags=["address book"], responses=REFUSALS)


@router.get("", operation_id="get_address_book")
async def get_address_book(world: TheWorld, corp_id: CorpId = None) -> AddressBookOut:
    return _size(world, corp_of(world, corp_id).corp_id)


@router.post("", operation_id="add_to_address_book")
async def add_to_address_book(world: TheWorld, wanted: AddressBookInput, corp_id: CorpId = None) -> AddressBookOut:
    """Departments and employees, as many as 10,000 of each at once."""
    corp = corp_of(world, corp_id).corp_id
    for department in wanted.departments:
        _add_department(world, corp, department, wanted.tell)
    for employee in wanted.employees:
        _add_employee(world, corp, employee, wanted.tell)
    return _size(world, corp)


@router.post("/fill", operation_id="fill_address_book")
async def fill_address_book(world: TheWorld, wanted: FillInput, corp_id: CorpId = None) -> AddressBookOut:
    """Many made-up departments and employees, without callbacks; every tenth employee is in two departments."""
    corp = corp_of(world, corp_id).corp_id
    made = [ROOT_DEPARTMENT]
    first = max(world.departments[corp]) + 1
    for number in range(wanted.departments):
        parent = made[number // wanted.fan_out]
        world.add(Department(corp, first + number, f"部门{first + number}", parent, wanted.departments - number))
        made.append(first + number)
    _check_room(world, corp)
    start = len(world.people[corp])
    for number in range(start, start + wanted.employees):
        places = [made[number % len(made)]]
        if number % 10 == 0 and len(made) > 1:
            places.append(made[(number + 1) % len(made)])
        leads = places[:1] if number < len(made) else []
        world.add(Employee(corp, f"Member{number:06d}", f"员工{number}", departments=places, leads=leads))
    return _size(world, corp)


@router.get("/departments", operation_id="list_departments")
async def list_departments(world: TheWorld, corp_id: CorpId = None) -> list[DepartmentOut]:
    """All departments, parents before children."""
    corp = corp_of(world, corp_id).corp_id
    return [_department_out(one) for one in in_order(world, corp, world.departments[corp])]


@router.patch("/departments/{department_id}", operation_id="update_department")
async def update_department(
    world: TheWorld, department_id: int, patch: DepartmentPatch, corp_id: CorpId = None
) -> DepartmentOut:
    """Renames, moves or orders. Only a move is told (path/90971)."""
    department = _department(world, corp_of(world, corp_id).corp_id, department_id)
    moves = patch.parentid is not None and patch.parentid != department.parentid
    if patch.parentid is not None and moves:
        _department(world, department.corp_id, patch.parentid)
        if department.id == ROOT_DEPARTMENT or patch.parentid in below(world, department.corp_id, department.id):
            raise conflict("A department can't stand below itself, and the root stands below none.")
    world.forget_department(department)
    department.name = patch.name if patch.name is not None else department.name
    department.parentid = patch.parentid if patch.parentid is not None else department.parentid
    department.order = patch.order if patch.order is not None else department.order
    world.add(department)
    if moves:
        tell(world, department.corp_id, "update_party", {"Id": department.id, "ParentId": department.parentid})
    return _department_out(department)


@router.delete("/departments/{department_id}", operation_id="delete_department")
async def delete_department(world: TheWorld, department_id: int, corp_id: CorpId = None) -> Done:
    """Only an empty one, as in reality (60005, 60006)."""
    department = _department(world, corp_of(world, corp_id).corp_id, department_id)
    place = (department.corp_id, department.id)
    if department.id == ROOT_DEPARTMENT or world.members[place] or world.children[place]:
        raise conflict("The root, and departments with members or departments below them, can't be deleted.")
    world.forget_department(department)
    tell(world, department.corp_id, "delete_party", {"Id": department.id})
    return Done()


@router.get("/employees", operation_id="page_employees")
async def page_employees(
    world: TheWorld,
    corp_id: CorpId = None,
    after: Annotated[str, Query(max_length=64, description="The last userid of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
) -> list[EmployeeOut]:
    """Employees in the order of their userids."""
    people = world.people[corp_of(world, corp_id).corp_id]
    keys = sorted(people)
    start = bisect_right(keys, after.lower())
    return [employee_out(world, people[key]) for key in keys[start : start + limit]]


@router.patch("/employees/{userid}", operation_id="update_employee")
async def update_employee(world: TheWorld, userid: str, patch: MemberPatch, corp_id: CorpId = None) -> EmployeeOut:
    """Changes an employee. A new userid and other departments or leads are told, a new name is not (path/90970)."""
    employee = employee_of(world, corp_id, userid)
    before = employee.userid, employee.departments, employee.leads
    new_userid = patch.userid if patch.userid is not None else employee.userid
    other = world.employees.get((employee.corp_id, new_userid.lower()))
    if other is not None and other is not employee:
        raise conflict("Another employee has this userid.")
    for one in patch.departments or ():
        _department(world, employee.corp_id, one)
    world.forget_employee(employee)
    employee.userid = new_userid
    employee.status = patch.status if patch.status is not None else employee.status
    employee.name = patch.name if patch.name is not None else employee.name
    employee.departments = patch.departments if patch.departments is not None else employee.departments
    wanted_leads = patch.leads if patch.leads is not None else employee.leads
    employee.leads = [one for one in wanted_leads if one in employee.departments]
    world.add(employee)
    if before != (employee.userid, employee.departments, employee.leads):
        fields = {"UserID": before[0]}
        if employee.userid != before[0]:
            fields["NewUserID"] = employee.userid
        if (employee.departments, employee.leads) != before[1:]:
            fields["Department"] = ",".join(str(one) for one in employee.departments)
        tell(world, employee.corp_id, "update_user", fields)
    return employee_out(world, employee)


def _add_department(world: World, corp: str, wanted: DepartmentInput, told: bool) -> None:
    known = world.departments[corp]
    if wanted.id in known:
        return
    parent = _department(world, corp, wanted.parentid)
    department = Department(corp, wanted.id or max(known) + 1, wanted.name, parent.id, wanted.order)
    world.add(department)
    _check_room(world, corp)
    if told:
        tell(world, corp, "create_party", {"Id": department.id, "ParentId": department.parentid})


def _add_employee(world: World, corp: str, wanted: MemberInput, told: bool) -> None:
    if (corp, wanted.userid.lower()) in world.employees:
        return
    for one in wanted.departments:
        _department(world, corp, one)
    leads = [one for one in wanted.leads if one in wanted.departments]
    employee = Employee(corp, wanted.userid, wanted.name, departments=wanted.departments, leads=leads)
    world.add(employee)
    _check_room(world, corp)
    if told:
        places = ",".join(str(one) for one in employee.departments)
        tell(world, corp, "create_user", {"UserID": employee.userid, "Department": places})


def _check_room(world: World, corp: str) -> None:
    if len(world.departments[corp]) > DEPARTMENT_LIMIT or len(world.people[corp]) > EMPLOYEE_LIMIT:
        raise conflict(f"A corp has at most {DEPARTMENT_LIMIT} departments and {EMPLOYEE_LIMIT} employees.")


def _department(world: World, corp: str, department_id: int) -> Department:
    if (department := world.departments[corp].get(department_id)) is None:
        raise not_found("department", str(department_id))
    return department


def _department_out(one: Department) -> DepartmentOut:
    return DepartmentOut(corp_id=one.corp_id, id=one.id, name=one.name, parentid=one.parentid, order=one.order)


def _size(world: World, corp: str) -> AddressBookOut:
    return AddressBookOut(departments=len(world.departments[corp]), employees=len(world.people[corp]))
