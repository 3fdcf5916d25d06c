"""Employees, the one department, the app itself (path/90196, 90227)."""

from typing import Any

from wechat_sandbox.entities import Employee
from wechat_sandbox.errors import ApiError
from wechat_sandbox.wecom.calls import Answer, Call, endpoint

ROOT_DEPARTMENT = 1


@endpoint("user/get", "GET")
def user_get(call: Call) -> Answer:
    """Without avatar, gender, mobile, email, which new self-built apps no longer receive; raises 60111."""
    userid = call.query.get("userid", "")
    if not userid or len(userid) > 64:
        raise ApiError(40003)
    employee = call.world.employees.get((call.app.corp_id, userid.lower()))
    if employee is None:
        raise ApiError(60111)
    return {
        **_brief(employee),
        "order": [0],
        "position": "",
        "status": 1 if employee.active else 5,
        "isleader": 0,
        "is_leader_in_dept": [0],
        "direct_leader": [],
        "main_department": ROOT_DEPARTMENT,
        "alias": "",
        "telephone": "",
        "extattr": {"attrs": []},
    }


@endpoint("user/simplelist", "GET")
def user_simplelist(call: Call) -> Answer:
    """All employees: the sandbox's corps have one department."""
    if call.query.get("department_id") != str(ROOT_DEPARTMENT):
        raise ApiError(60123)
    return {"userlist": [_brief(one) for one in call.world.corp_employees(call.app.corp_id)]}


@endpoint("department/list", "GET")
def department_list(call: Call) -> Answer:
    if call.query.get("id", str(ROOT_DEPARTMENT)) != str(ROOT_DEPARTMENT):
        raise ApiError(60123)
    corp = call.world.corps[call.app.corp_id]
    root = {
        "id": ROOT_DEPARTMENT, "name": corp.name, "name_en": "", "department_leader": [], "parentid": 0,
        "order": 100_000_000,
    }  # fmt: skip
    return {"department": [root]}


@endpoint("agent/get", "GET")
def agent_get(call: Call) -> Answer:
    """The app behind the token; another agent id is refused with 301002."""
    app = call.app
    if call.query.get("agentid") != str(app.agentid):
        raise ApiError(301002)
    users = [{"userid": one.userid} for one in call.world.corp_employees(app.corp_id)]
    return {
        "agentid": app.agentid,
        "name": app.name,
        "square_logo_url": "",
        "description": "",
        "allow_userinfos": {"user": users},
        "allow_partys": {"partyid": [ROOT_DEPARTMENT]},
        "allow_tags": {"tagid": []},
        "close": 0,
        "redirect_domain": "",
        "report_location_flag": 0,
        "isreportenter": 0,
        "home_url": "",
    }


def _brief(employee: Employee) -> dict[str, Any]:
    return {"userid": employee.userid, "name": employee.name, "department": [ROOT_DEPARTMENT]}
