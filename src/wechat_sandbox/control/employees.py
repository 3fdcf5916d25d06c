"""The employee's WeCom client: sessions to serve, app messages and cards to read and press."""

from typing import Annotated

from fastapi import APIRouter, Query

from wechat_sandbox.control.common import REFUSALS, CorpId, TheWorld, employee_of, kf_account_of
from wechat_sandbox.control.customers import Limit, page, payload
from wechat_sandbox.control.payloads import ServicerMessageInput
from wechat_sandbox.control.schemas import (
    LIST_LIMIT,
    AppMessageOut,
    CardClick,
    Done,
    MessageSent,
    MessagesOut,
    ServicerOut,
    ServicerStatusInput,
    SessionOut,
    TransferInput,
)
from wechat_sandbox.control.views import app_message_out, session_out
from wechat_sandbox.entities import STATE_ENDED, STATE_POOL, STATE_SERVICER, Employee, KfAccount, Servicer, Session
from wechat_sandbox.errors import ApiError, conflict, not_found
from wechat_sandbox.kf.cards import click_card
from wechat_sandbox.kf.messages import change_event, raise_event, servicer_sends
from wechat_sandbox.kf.sessions import expire, move, servicer_of
from wechat_sandbox.world import World

router = APIRouter(prefix="/sandbox/employees/{userid}", tags=["employee's client"], responses=REFUSALS)

States = Annotated[
    list[int] | None, Query(description="2 waiting in the pool, 3 mine, 4 ended; default: 3", max_length=5)
]


@router.get("/sessions", operation_id="list_sessions")
async def list_sessions(
    world: TheWorld,
    userid: str,
    state: States = None,
    corp_id: CorpId = None,
) -> list[SessionOut]:
    """Sessions with this employee; with state=2 also those that wait for any servicer of an account; at most 200."""
    employee = employee_of(world, corp_id, userid)
    states = state or [STATE_SERVICER]
    found = [one for one in list(world.sessions.values()) if _concerns(world, employee, expire(world, one), states)]
    sessions = [session_out(world, one) for one in found]
    return sorted(sessions, key=lambda one: one.last_at or 0.0, reverse=True)[:LIST_LIMIT]


@router.get("/sessions/{open_kfid}/{external_userid}/messages", operation_id="list_session_messages")
async def list_session_messages(
    world: TheWorld, userid: str, open_kfid: str, external_userid: str,
    after: Annotated[int | None, Query(ge=0)] = None, before: Annotated[int | None, Query(ge=0)] = None,
    limit: Limit = 50, corp_id: CorpId = None,
) -> MessagesOut:  # fmt: skip
    """The whole chat, failed messages too; reading it marks the session as read for the employee."""
    _, _, session = _locate(world, corp_id, userid, open_kfid, external_userid)
    messages = world.chat((open_kfid, external_userid))
    if messages and messages[-1].seq > session.servicer_read_seq:
        session.servicer_read_seq = messages[-1].seq
        world.save(session)
    return page(world, messages, after, before, limit)


@router.post("/sessions/{open_kfid}/{external_userid}/messages", operation_id="send_servicer_message")
async def send_servicer_message(
    world: TheWorld, userid: str, open_kfid: str, external_userid: str, wanted: ServicerMessageInput,
    corp_id: CorpId = None,
) -> MessageSent:  # fmt: skip
    """A reply by hand; sync_msg gives it with origin 5. On an ended session it opens it again."""
    employee, account, session = _locate(world, corp_id, userid, open_kfid, external_userid)
    content = payload(world, wanted, wanted.msgtype)
    message = servicer_sends(world, account, session, employee.userid, wanted.msgtype, content)
    return MessageSent(msgid=message.msgid, seq=message.seq, sent_at=message.at)


@router.post("/sessions/{open_kfid}/{external_userid}/accept", operation_id="accept_session")
async def accept_session(
    world: TheWorld, userid: str, open_kfid: str, external_userid: str, corp_id: CorpId = None
) -> Done:
    """Takes a session out of the pool (session_status_change 1, with a msg_code)."""
    employee, account, session = _locate(world, corp_id, userid, open_kfid, external_userid)
    if session.state != STATE_POOL:
        raise conflict("The session does not wait in the pool.")
    code = move(world, session, STATE_SERVICER, employee.userid)
    change_event(world, account, session, 1, new=employee.userid, code=code or "")
    return Done()


@router.post("/sessions/{open_kfid}/{external_userid}/end", operation_id="end_session")
async def end_session(
    world: TheWorld, userid: str, open_kfid: str, external_userid: str, corp_id: CorpId = None
) -> Done:
    """Ends the session (session_status_change 3, with a msg_code for a closing message)."""
    employee, account, session = _mine(world, corp_id, userid, open_kfid, external_userid)
    code = move(world, session, STATE_ENDED)
    change_event(world, account, session, 3, old=employee.userid, code=code or "")
    return Done()


@router.post("/sessions/{open_kfid}/{external_userid}/transfer", operation_id="transfer_session")
async def transfer_session(
    world: TheWorld, userid: str, open_kfid: str, external_userid: str, wanted: TransferInput, corp_id: CorpId = None
) -> Done:
    """Gives the session to another servicer of the account who receives (session_status_change 2)."""
    employee, account, session = _mine(world, corp_id, userid, open_kfid, external_userid)
    try:
        other = servicer_of(world, open_kfid, wanted.userid)
    except ApiError as error:
        reason = "does not receive now" if error.errcode == 95019 else "is not a servicer of this account"
        raise conflict(f"{wanted.userid} {reason}.") from error
    if other.userid.lower() == employee.userid.lower():
        raise conflict("The session is with this employee already.")
    move(world, session, STATE_SERVICER, other.userid)
    change_event(world, account, session, 2, old=employee.userid, new=other.userid)
    return Done()


@router.put("/status", operation_id="set_servicer_status")
async def set_servicer_status(
    world: TheWorld, userid: str, wanted: ServicerStatusInput, corp_id: CorpId = None
) -> list[ServicerOut]:
    """Receives or stops, for the accounts the employee serves; each change raises servicer_status_change."""
    employee = employee_of(world, corp_id, userid)
    mine = _servicerships(world, employee, wanted.open_kfid)
    if not mine:
        raise conflict(f"{employee.userid} is not a servicer of such an account.")
    status = 0 if wanted.receiving else 1
    for servicer in mine:
        if servicer.status == status:
            continue
        servicer.status = status
        world.save(servicer)
        event = {
            "event_type": "servicer_status_change",
            "servicer_userid": servicer.userid,
            "status": 1 if wanted.receiving else 2,
            "open_kfid": servicer.open_kfid,
        }
        raise_event(world, world.accounts[servicer.open_kfid], "", event)
    return [ServicerOut(userid=one.userid, status=one.status) for one in mine]


@router.get("/app-messages", operation_id="list_app_messages")
async def list_app_messages(
    world: TheWorld, userid: str, before: Annotated[int | None, Query(ge=0)] = None, limit: Limit = 50,
    corp_id: CorpId = None,
) -> list[AppMessageOut]:  # fmt: skip
    """Messages that apps sent to the employee, newest first."""
    employee = employee_of(world, corp_id, userid)
    inbox = world.inboxes.get((employee.corp_id, employee.userid.lower()), [])
    found = [one for one in reversed(inbox) if before is None or one.id < before]
    return [app_message_out(world, one) for one in found[:limit]]


@router.post("/app-messages/{id}/click", operation_id="click_card")
async def press_card(world: TheWorld, userid: str, id: int, click: CardClick, corp_id: CorpId = None) -> AppMessageOut:
    """Presses a button of a template card: the app gets template_card_event with a response code."""
    employee = employee_of(world, corp_id, userid)
    message = world.app_messages.get(id)
    mine = message is not None and (message.corp_id, message.userid) == (employee.corp_id, employee.userid)
    if message is None or not mine:
        raise not_found("app message", str(id))
    click_card(world, message, click.key)
    return app_message_out(world, message)


def _locate(
    world: World, corp_id: str | None, userid: str, open_kfid: str, external_userid: str
) -> tuple[Employee, KfAccount, Session]:
    account = kf_account_of(world, open_kfid)
    employee = employee_of(world, corp_id or account.corp_id, userid)
    if employee.userid.lower() not in world.servicers[open_kfid]:
        raise conflict(f"{employee.userid} is not a servicer of this account.")
    session = world.sessions.get((open_kfid, external_userid))
    if session is None:
        raise not_found("session with customer", external_userid)
    return employee, account, expire(world, session)


def _mine(
    world: World, corp_id: str | None, userid: str, open_kfid: str, external_userid: str
) -> tuple[Employee, KfAccount, Session]:
    employee, account, session = _locate(world, corp_id, userid, open_kfid, external_userid)
    if session.state != STATE_SERVICER or session.servicer_userid.lower() != employee.userid.lower():
        raise conflict("The session is not with this employee.")
    return employee, account, session


def _concerns(world: World, employee: Employee, session: Session, states: list[int]) -> bool:
    if session.corp_id != employee.corp_id or session.state not in states:
        return False
    if session.state == STATE_SERVICER:
        return session.servicer_userid.lower() == employee.userid.lower()
    if session.state == STATE_POOL:
        return employee.userid.lower() in world.servicers[session.open_kfid]
    served = world.chat((session.open_kfid, session.external_userid))
    return any(one.servicer_userid.lower() == employee.userid.lower() for one in served)


def _servicerships(world: World, employee: Employee, open_kfid: str | None) -> list[Servicer]:
    found = []
    for account_id, servicers in list(world.servicers.items()):
        servicer = servicers.get(employee.userid.lower())
        same_corp = world.accounts[account_id].corp_id == employee.corp_id
        if servicer is not None and same_corp and open_kfid in (None, account_id):
            found.append(servicer)
    return found
