"""The tree of a corp's departments, who is in it, and how far an app sees (path/90196)."""

from collections.abc import Iterable, Iterator, Mapping

from wechat_sandbox.entities import ROOT_DEPARTMENT, App, Department, Employee
from wechat_sandbox.world import World


def below(world: World, corp_id: str, department_id: int) -> list[int]:
    """The department and all below it, parents before children."""
    found = [department_id]
    for one in found:  # grows while it is walked
        found.extend(sorted(world.children[(corp_id, one)]))
    return found


def visible_departments(world: World, app: App) -> set[int]:
    """The departments of the app's visible range."""
    if app.visible_departments is None:
        return set(world.departments[app.corp_id])
    known = world.departments[app.corp_id]
    return {one for top in app.visible_departments if top in known for one in below(world, app.corp_id, top)}


def sees(world: World, app: App, employee: Employee, departments: set[int] | None = None) -> bool:
    """Whether the employee is in the app's visible range; `departments`: those, where the caller has them already."""
    if app.visible_departments is None:
        return True
    if any(employee.userid.lower() == userid.lower() for userid in app.visible_users):
        return True
    range_of_app = visible_departments(world, app) if departments is None else departments
    return not range_of_app.isdisjoint(employee.departments)


def visible_employees(world: World, app: App) -> list[Employee]:
    """All employees in the app's visible range."""
    departments = visible_departments(world, app)
    return [one for one in world.corp_employees(app.corp_id) if sees(world, app, one, departments)]


def in_order(world: World, corp_id: str, departments: Iterable[int]) -> Iterator[Department]:
    """The departments, parents before children."""
    wanted = set(departments)
    for one in below(world, corp_id, ROOT_DEPARTMENT):
        if one in wanted:
            yield world.departments[corp_id][one]


def tell(world: World, corp_id: str, change: str, fields: Mapping[str, str | int]) -> None:
    """change_contact for 通讯录同步, with the few fields it gets since 2022-08-15 (path/90970, 90971)."""
    event: dict[str, str | int] = {
        "FromUserName": "sys",
        "CreateTime": int(world.clock.now()),
        "MsgType": "event",
        "Event": "change_contact",
        "ChangeType": change,
    }
    for app in world.corp_apps(corp_id):
        if app.contact_sync and app.enabled:
            world.sender.post(app, "change_contact", {**event, **fields})
