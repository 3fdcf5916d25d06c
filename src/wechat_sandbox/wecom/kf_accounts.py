"""微信客服: accounts, links, servicers, session states (path/94661, 94662, 94665, 94645, 94669)."""

from typing import Any

from wechat_sandbox.address_book import sees
from wechat_sandbox.entities import STATUS_ACTIVE, KfAccount, Servicer
from wechat_sandbox.errors import ERRMSG, ApiError
from wechat_sandbox.ids import new_open_kfid
from wechat_sandbox.kf.links import make_link
from wechat_sandbox.kf.sessions import (
    account_of,
    api_transition,
    managed_account,
    session_of,
)
from wechat_sandbox.media import live_media
from wechat_sandbox.wecom.calls import Answer, Call, check_name_characters, endpoint

ACCOUNT_LIMIT = 5_000
NAME_LIMIT_CHARACTERS = 16
SERVICER_LIMIT = 500
SCENE_LIMIT_BYTES = 32


@endpoint("kf/account/add", "POST")
def account_add(call: Call) -> Answer:
    """A new account, under the management of the app that makes it."""
    name = _name(call)
    avatar = call.text("media_id", max_bytes=128, missing=41006)
    live_media(call.world, call.app.corp_id, avatar)
    if len(call.world.corp_accounts(call.app.corp_id)) >= ACCOUNT_LIMIT:
        raise ApiError(95005)
    account = KfAccount(call.app.corp_id, new_open_kfid(), name, avatar, [call.app.agentid])
    call.world.add(account)
    return {"open_kfid": account.open_kfid}


@endpoint("kf/account/del", "POST")
def account_del(call: Call) -> Answer:
    account = _managed(call)
    account.deleted = True
    call.world.save(account)
    return {}


@endpoint("kf/account/update", "POST")
def account_update(call: Call) -> Answer:
    account = _managed(call)
    if call.fields.get("name"):
        account.name = _name(call)
    if avatar := call.text("media_id", max_bytes=128, required=False):
        live_media(call.world, call.app.corp_id, avatar)
        account.avatar = avatar
    call.world.save(account)
    return {}


@endpoint("kf/account/list", "POST", "GET")
def account_list(call: Call) -> Answer:
    """All accounts of the corp, those under the app's management marked; pages of at most 100."""
    offset = call.integer("offset", 0)
    limit = call.integer("limit", 100, minimum=1, maximum=100)
    accounts = call.world.corp_accounts(call.app.corp_id)[offset : offset + limit]
    base = str(call.request.base_url).rstrip("/")
    return {
        "account_list": [
            {
                "open_kfid": account.open_kfid,
                "name": account.name,
                "avatar": f"{base}/sandbox/media/{account.avatar}"
                if account.avatar in call.world.media
                else account.avatar,
                "manage_privilege": call.app.agentid in account.managed_by,
            }
            for account in accounts
        ]
    }


@endpoint("kf/add_contact_way", "POST")
def add_contact_way(call: Call) -> Answer:
    """A link; its host is the sandbox's own, so that a browser can open it."""
    account = _managed(call)
    scene = check_name_characters("scene", call.text("scene", max_bytes=SCENE_LIMIT_BYTES, required=False))
    return {"url": make_link(call.world, account, scene, str(call.request.base_url))}


@endpoint("kf/servicer/add", "POST")
def servicer_add(call: Call) -> Answer:
    """One result per user: unknown employees 60030 (out of the visible range)."""
    account = _managed(call)
    results = []
    for userid in call.texts("userid_list", 100):
        employee = call.world.employees.get((account.corp_id, userid.lower()))
        if employee is None or not sees(call.world, call.app, employee):
            results.append(_result(userid, 60030))
        elif employee.status != STATUS_ACTIVE:
            results.append(_result(userid, 95014))
        elif len(call.world.servicers[account.open_kfid]) >= SERVICER_LIMIT:
            results.append(_result(userid, 95020))
        else:
            if employee.userid.lower() not in call.world.servicers[account.open_kfid]:
                call.world.add(Servicer(account.open_kfid, employee.userid))
            results.append(_result(userid, 0))
    return {"result_list": results}


@endpoint("kf/servicer/del", "POST")
def servicer_del(call: Call) -> Answer:
    account = _managed(call)
    results = []
    for userid in call.texts("userid_list", 100):
        servicer = call.world.servicers[account.open_kfid].get(userid.lower())
        if servicer is None:
            results.append(_result(userid, 95014))
        else:
            call.world.drop_servicer(servicer)
            results.append(_result(userid, 0))
    return {"result_list": results}


@endpoint("kf/servicer/list", "GET")
def servicer_list(call: Call) -> Answer:
    account = account_of(call.world, call.app.corp_id, call.query.get("open_kfid", ""))
    servicers = []
    for one in call.world.servicers[account.open_kfid].values():
        entry: dict[str, Any] = {"userid": one.userid, "status": one.status}
        if one.status == 1:
            entry["stop_type"] = 0
        servicers.append(entry)
    return {"servicer_list": servicers}


@endpoint("kf/service_state/get", "POST")
def service_state_get(call: Call) -> Answer:
    session = session_of(call.world, _managed(call), known_customer(call, "external_userid"))
    answer: dict[str, Any] = {"service_state": session.state}
    if session.servicer_userid:
        answer["servicer_userid"] = session.servicer_userid
    return answer


@endpoint("kf/service_state/trans", "POST")
def service_state_trans(call: Call) -> Answer:
    """Moves a session; raises 95013, 95014, 95016, 95019. A msg_code comes with the first 2 or 3, and with 4."""
    session = session_of(call.world, _managed(call), known_customer(call, "external_userid"))
    target = call.integer("service_state", maximum=4)
    servicer = call.text("servicer_userid", max_bytes=64, required=target == 3)
    code = api_transition(call.world, session, target, servicer)
    return {} if code is None else {"msg_code": code}


def known_customer(call: Call, name: str) -> Any:
    """The customer named by the parameter; raises 40096."""
    external_userid = call.text(name, max_bytes=128)
    customer = call.world.customers.get(external_userid)
    if customer is None:
        raise ApiError(40096)
    return customer


def _managed(call: Call) -> KfAccount:
    return managed_account(call.world, call.app, call.text("open_kfid", max_bytes=64, missing=95000))


def _name(call: Call) -> str:
    name = call.text("name", max_bytes=NAME_LIMIT_CHARACTERS * 4, missing=95006)
    if len(name) > NAME_LIMIT_CHARACTERS:
        raise ApiError(95006)
    return name


def _result(userid: str, errcode: int) -> dict[str, Any]:
    return {"userid": userid, "errcode": errcode, "errmsg": ERRMSG[errcode] if errcode else "ok"}
