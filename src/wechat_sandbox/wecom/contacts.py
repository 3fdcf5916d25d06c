"""Employees, departments, the app itself (path/90196, 90200, 90201, 90208, 95350, 96067, 90227)."""

import base64
import binascii
from bisect import bisect_right
from typing import Any

from wechat_sandbox.address_book import below, in_order, sees, visible_departments
from wechat_sandbox.entities import ROOT_DEPARTMENT, Department, Employee
from wechat_sandbox.errors import ApiError
from wechat_sandbox.wecom.calls import Answer, Call, endpoint

LIST_ID_LIMIT = 10_000


@endpoint("user/get", "GET")
def user_get(call: Call) -> Answer:
    """Without avatar, gender, mobile, email, which new self-built apps no longer receive; raises 60111, 60011."""
    userid = call.query.get("userid", "")
    if not userid or len(userid) > 64:
        raise ApiError(40003)
    employee = call.world.employees.get((call.app.corp_id, userid.lower()))
    if employee is None:
        raise ApiError(60111)
    departments = visible_departments(call.world, call.app)
    if not sees(call.world, call.app, employee, departments):
        raise ApiError(60011)
    return _details(employee, departments)


@endpoint("user/simplelist", "GET")
def user_simplelist(call: Call) -> Answer:
    """The members of a department, with `fetch_child=1` of all below it too (path/90200)."""
    wanted, departments = _department(call, "department_id"), visible_departments(call.world, call.app)
    corp_id = call.app.corp_id
    places = below(call.world, corp_id, wanted) if call.query.get("fetch_child") == "1" else [wanted]
    found = {key: one for place in places for key, one in call.world.members[(corp_id, place)].items()}
    return {"userlist": [_brief(one, departments) for one in found.values()]}


@endpoint("user/list", "GET")
def user_list(call: Call) -> Answer:
    """The members of one department in detail; those below it are asked for one by one (path/90201)."""
    wanted, departments = _department(call, "department_id"), visible_departments(call.world, call.app)
    members = call.world.members[(call.app.corp_id, wanted)].values()
    return {"userlist": [_details(one, departments) for one in members]}


@endpoint("user/list_id", "POST")
def user_list_id(call: Call) -> Answer:
    """Who is in which department, one line per pair, with the 通讯录同步 secret only (path/96067)."""
    limit = call.integer("limit", LIST_ID_LIMIT, minimum=1, maximum=LIST_ID_LIMIT)
    people = call.world.people[call.app.corp_id]
    keys = sorted(people)
    after_key, after_department = _place(call)
    lines: list[dict[str, Any]] = []
    start = bisect_right(keys, after_key) - (1 if after_key in people else 0)
    for key in keys[max(start, 0) :]:
        for department in sorted(people[key].departments):
            if (key, department) <= (after_key, after_department):
                continue
            if len(lines) == limit:
                last = lines[-1]
                return {"next_cursor": _cursor(last["userid"].lower(), last["department"]), "dept_user": lines}
            lines.append({"userid": people[key].userid, "department": department})
    return {"next_cursor": "", "dept_user": lines}


@endpoint("department/list", "GET")
def department_list(call: Call) -> Answer:
    """The departments of the app's visible range (path/90208)."""
    return {"department": [_department_out(call, one) for one in _listed(call)]}


@endpoint("department/simplelist", "GET")
def department_simplelist(call: Call) -> Answer:
    """Ids alone: of the visible range, for 通讯录同步 of the whole corp (path/95350)."""
    listed = _listed(call)
    return {"department_id": [{"id": one.id, "parentid": one.parentid, "order": one.order} for one in listed]}


@endpoint("department/get", "GET")
def department_get(call: Call) -> Answer:
    department = call.world.departments[call.app.corp_id][_department(call, "id")]
    return {"department": _department_out(call, department)}


@endpoint("agent/get", "GET")
def agent_get(call: Call) -> Answer:
    """The app behind the token; another agent id is refused with 301002."""
    app = call.app
    if call.query.get("agentid") != str(app.agentid):
        raise ApiError(301002)
    parties = [ROOT_DEPARTMENT] if app.visible_departments is None else app.visible_departments
    return {
        "agentid": app.agentid,
        "name": app.name,
        "square_logo_url": "",
        "description": "",
        "allow_userinfos": {"user": [{"userid": userid} for userid in app.visible_users]},
        "allow_partys": {"partyid": parties},
        "allow_tags": {"tagid": []},
        "close": 0,
        "redirect_domain": app.trusted_domain,
        "report_location_flag": 0,
        "isreportenter": 0,
        "home_url": "",
    }


def _department(call: Call, name: str) -> int:
    """The department named in the query; raises 60123 for one that is none, 60011 for one out of sight."""
    text = call.query.get(name, "")
    if not text.isdecimal() or int(text) not in call.world.departments[call.app.corp_id]:
        raise ApiError(60123)
    if int(text) not in visible_departments(call.world, call.app):
        raise ApiError(60011)
    return int(text)


def _listed(call: Call) -> list[Department]:
    corp_id, departments = call.app.corp_id, visible_departments(call.world, call.app)
    if "id" in call.query:
        departments &= set(below(call.world, corp_id, _department(call, "id")))
    return list(in_order(call.world, corp_id, departments))


def _department_out(call: Call, department: Department) -> dict[str, Any]:
    members = call.world.members[(department.corp_id, department.id)].values()
    return {
        "id": department.id,
        "name": department.name,
        "name_en": "",
        "department_leader": [one.userid for one in members if department.id in one.leads],
        "parentid": department.parentid,
        "order": department.order,
    }


def _brief(employee: Employee, departments: set[int]) -> dict[str, Any]:
    shown = [one for one in employee.departments if one in departments]
    return {"userid": employee.userid, "name": employee.name, "department": shown}


def _details(employee: Employee, departments: set[int]) -> dict[str, Any]:
    """`department` holds those that the app may see (path/90201); the lists beside it are as long."""
    brief = _brief(employee, departments)
    shown: list[int] = brief["department"]
    return {
        **brief,
        "order": [0 for _ in shown],
        "position": "",
        "status": employee.status if employee.active else 5,
        "isleader": int(bool(employee.leads)),
        "is_leader_in_dept": [int(one in employee.leads) for one in shown],
        "direct_leader": [],
        "main_department": employee.departments[0],
        "alias": "",
        "telephone": "",
        "extattr": {"attrs": []},
    }


def _cursor(key: str, department: int) -> str:
    return base64.urlsafe_b64encode(f"{key} {department}".encode()).decode()


def _place(call: Call) -> tuple[str, int]:
    """Where the page before ended; raises 60268 for a cursor that list_id never gave."""
    cursor = call.text("cursor", max_bytes=1_024, required=False)
    if not cursor:
        return "", 0
    try:
        key, department = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return key, int(department)
    except (ValueError, binascii.Error, UnicodeError):
        raise ApiError(60268) from None
