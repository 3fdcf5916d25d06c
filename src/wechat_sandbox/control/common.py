"""What all routers of the control API share: the world, look-ups that answer 404, the documented refusals."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request

from wechat_sandbox.control.schemas import ErrorOut
from wechat_sandbox.entities import App, Corp, Customer, Employee, KfAccount
from wechat_sandbox.errors import ControlError, not_found
from wechat_sandbox.world import World

REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorOut, "description": "Something named in the path or the query does not exist"},
    409: {"model": ErrorOut, "description": "Not possible in the present state"},
}


def get_world(request: Request) -> World:
    world = request.app.state.world
    assert isinstance(world, World)
    return world


TheWorld = Annotated[World, Depends(get_world)]
CorpId = Annotated[str | None, Query(max_length=64, description="Default: the first corp")]


def corp_of(world: World, corp_id: str | None) -> Corp:
    """The named corp, else the first; 404 when there is none."""
    if corp_id is None:
        first = next(iter(world.corps.values()), None)
        if first is None:
            raise ControlError(404, "not_found", "There is no corp yet: POST /sandbox/setup makes one.")
        return first
    if (corp := world.corps.get(corp_id)) is None:
        raise not_found("corp", corp_id)
    return corp


def app_of(world: World, corp_id: str | None, agentid: int) -> App:
    corp = corp_of(world, corp_id)
    if (app := world.apps.get((corp.corp_id, agentid))) is None:
        raise not_found("app", str(agentid))
    return app


def employee_of(world: World, corp_id: str | None, userid: str) -> Employee:
    """Without a corp: the first corp that has this employee."""
    if corp_id is not None:
        found = world.employees.get((corp_of(world, corp_id).corp_id, userid.lower()))
    else:
        found = next((one for (_, key), one in world.employees.items() if key == userid.lower()), None)
    if found is None:
        raise not_found("employee", userid)
    return found


def customer_of(world: World, external_userid: str) -> Customer:
    if (customer := world.customers.get(external_userid)) is None:
        raise not_found("customer", external_userid)
    return customer


def kf_account_of(world: World, open_kfid: str) -> KfAccount:
    account = world.accounts.get(open_kfid)
    if account is None or account.deleted:
        raise not_found("account", open_kfid)
    return account
