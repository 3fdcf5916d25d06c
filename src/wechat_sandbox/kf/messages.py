"""Messages of 微信客服: what the customer, the app and the employee send, and the events that come of it."""

from typing import Any

from wechat_sandbox.control.schemas import Notice
from wechat_sandbox.entities import (
    STATE_ASSISTANT,
    STATE_ENDED,
    STATE_NEW,
    STATE_POOL,
    STATE_SERVICER,
    App,
    Customer,
    EventCode,
    KfAccount,
    Message,
    Session,
)
from wechat_sandbox.errors import ApiError, conflict, not_found
from wechat_sandbox.ids import new_msgid
from wechat_sandbox.kf.sessions import (
    CODE_SCENES,
    SENDS_PER_CUSTOMER_MESSAGE,
    WINDOW_SECONDS,
    give_code,
    publish_session,
    session_of,
    sync_token,
)
from wechat_sandbox.world import World

CUSTOMER_RECALL_SECONDS = 120
FAIL_UNKNOWN, FAIL_REJECTED = 0, 10


def notify(world: World, account: KfAccount) -> None:
    """kf_msg_or_event to every app that manages the account; it carries no content (path/94670)."""
    for app in world.managing_apps(account):
        fields: dict[str, str | int] = {
            "CreateTime": int(world.clock.now()),
            "MsgType": "event",
            "Event": "kf_msg_or_event",
            "Token": sync_token(world, account.open_kfid),
            "OpenKfId": account.open_kfid,
        }
        world.sender.post(app, "kf_msg_or_event", fields, account.open_kfid)


def raise_event(world: World, account: KfAccount, external_userid: str, event: dict[str, Any]) -> None:
    """Appends an event to what sync_msg gives (origin 4) and tells the apps."""
    message = Message(
        seq=world.next_seq(),
        msgid=new_msgid(),
        corp_id=account.corp_id,
        open_kfid=account.open_kfid,
        external_userid=external_userid,
        source="event",
        msgtype="event",
        content=event,
        at=world.clock.now(),
    )
    world.add(message)
    notify(world, account)


def _append(world: World, session: Session, source: str, msgtype: str, content: dict[str, Any], **more: Any) -> Message:
    message = Message(
        seq=world.next_seq(),
        msgid=more.pop("msgid", None) or new_msgid(),
        corp_id=session.corp_id,
        open_kfid=session.open_kfid,
        external_userid=session.external_userid,
        source=source,
        msgtype=msgtype,
        content=content,
        at=world.clock.now(),
        **more,
    )
    world.add(message)
    return message


def publish_message(world: World, message: Message) -> None:
    world.hub.publish(
        Notice(
            kind="message",
            corp_id=message.corp_id,
            open_kfid=message.open_kfid,
            external_userid=message.external_userid,
            msgid=message.msgid,
            seq=message.seq,
        )
    )


# ---- the customer


def customer_enters(
    world: World, account: KfAccount, customer: Customer, scene: str, scene_param: str
) -> tuple[Session, bool]:
    """enter_session, with a welcome_code when no welcome and no message came in 48 h (path/94670)."""
    session = session_of(world, account, customer)
    session.scene, session.scene_param = scene, scene_param
    now = world.clock.now()
    last = max(session.welcomed_at or 0.0, session.last_customer_at or 0.0)
    event: dict[str, Any] = {
        "event_type": "enter_session",
        "open_kfid": account.open_kfid,
        "external_userid": customer.external_userid,
        "scene": scene,
        "scene_param": scene_param,
    }
    welcome = now - last > WINDOW_SECONDS
    if welcome:
        event["welcome_code"] = give_code(world, session, "welcome")
    world.save(session)
    raise_event(world, account, customer.external_userid, event)
    publish_session(world, session)
    return session, welcome


def customer_sends(
    world: World, account: KfAccount, customer: Customer, msgtype: str, content: dict[str, Any]
) -> Message:
    """A message from the phone: opens a session that had ended, and permits five more answers for 48 h."""
    session = session_of(world, account, customer)
    message = _append(world, session, "customer", msgtype, content)
    session.last_customer_at = message.at
    session.sends_left = SENDS_PER_CUSTOMER_MESSAGE
    session.read_seq = message.seq
    if session.state == STATE_ENDED:
        session.state = STATE_NEW
        session.reply_code_given = False
        publish_session(world, session)
    world.save(session)
    notify(world, account)
    publish_message(world, message)
    return message


def customer_recalls(world: World, account: KfAccount, customer: Customer, msgid: str) -> None:
    """Takes a message back within two minutes; raises ControlError."""
    message = world.messages_by_id.get((account.corp_id, msgid))
    mine = message is not None and message.source == "customer"
    if message is None or not mine or message.external_userid != customer.external_userid:
        raise not_found("message of this customer", msgid)
    if message.recalled:
        return
    if world.clock.now() - message.at > CUSTOMER_RECALL_SECONDS:
        raise conflict("A message can be taken back within two minutes only.")
    message.recalled = True
    world.save(message)
    event = {
        "event_type": "user_recall_msg",
        "open_kfid": account.open_kfid,
        "external_userid": customer.external_userid,
        "recall_msgid": msgid,
    }
    raise_event(world, account, customer.external_userid, event)
    publish_message(world, message)


# ---- the app


def check_window(world: World, session: Session) -> None:
    """Raises 95031 (never wrote), 95002 (over 48 h), 95013, 95018 (state) or 95001 (five sent); path/94677."""
    if session.last_customer_at is None:
        raise ApiError(95031)
    if world.clock.now() - session.last_customer_at > WINDOW_SECONDS:
        raise ApiError(95002)
    if session.state == STATE_ENDED:
        raise ApiError(95013)
    if session.state in (STATE_POOL, STATE_SERVICER):
        raise ApiError(95018, f"service_state {session.state}")
    if session.sends_left <= 0:
        raise ApiError(95001)


def app_sends(
    world: World, app: App, session: Session, msgtype: str, content: dict[str, Any], msgid: str | None
) -> Message:
    """kf/send_msg after its parameters were checked: counts, moves a new session to the assistant, delivers.

    A repeated msgid is refused before the windows are looked at, so that a caller learns that the first was taken.
    """
    if msgid and (session.corp_id, msgid) in world.messages_by_id:
        raise ApiError(95033)
    check_window(world, session)
    session.sends_left -= 1
    if session.state == STATE_NEW:
        session.state = STATE_ASSISTANT
        publish_session(world, session)
    world.save(session)
    return _deliver(world, app, session, msgtype, content, msgid)


def app_sends_on_event(
    world: World, app: App, code: EventCode, session: Session, msgtype: str, content: dict[str, Any], msgid: str | None
) -> Message:
    """The one message that a code permits; raises 40058 for a code that is used, late, or of a state that has gone."""
    if msgid and (session.corp_id, msgid) in world.messages_by_id:
        raise ApiError(95033)
    _, msgtypes, required_state = CODE_SCENES[code.scene]
    if code.used:
        raise ApiError(40058, "code was used")
    if world.clock.now() > code.expires_at:
        raise ApiError(40058, "code has expired")
    if msgtype not in msgtypes:
        raise ApiError(40008)
    if required_state is not None and session.state != required_state:
        raise ApiError(95018, f"service_state {session.state}")
    code.used = True
    world.save(code)
    if code.scene == "welcome":
        session.welcomed_at = world.clock.now()
        world.save(session)
    return _deliver(world, app, session, msgtype, content, msgid)


def _deliver(
    world: World, app: App, session: Session, msgtype: str, content: dict[str, Any], msgid: str | None
) -> Message:
    fail_type = _fail_type(world, session)
    message = _append(
        world,
        session,
        "api",
        msgtype,
        content,
        msgid=msgid,
        agentid=app.agentid,
        state="delivered" if fail_type is None else "accepted",
        fail_type=fail_type,
    )
    if fail_type is None:
        publish_message(world, message)
    else:
        fail_later(world, message)
    return message


def _fail_type(world: World, session: Session) -> int | None:
    if world.customers[session.external_userid].rejects:
        return FAIL_REJECTED
    if world.dice.strikes(world.faults.send_fail_probability):
        return world.faults.send_fail_type
    return None


def fail_later(world: World, message: Message) -> None:
    """msg_send_fail some time after acceptance: errcode 0 is not delivery (path/94670)."""

    def fail() -> None:
        message.state = "failed"
        world.save(message)
        event = {
            "event_type": "msg_send_fail",
            "open_kfid": message.open_kfid,
            "external_userid": message.external_userid,
            "fail_msgid": message.msgid,
            "fail_type": message.fail_type,
        }
        raise_event(world, world.accounts[message.open_kfid], message.external_userid, event)
        publish_message(world, message)
        world.flush()

    world.timers.later(world.faults.send_fail_delay_ms / 1_000, fail)


# ---- the employee's client


def servicer_sends(
    world: World, account: KfAccount, session: Session, userid: str, msgtype: str, content: dict[str, Any]
) -> Message:
    """A reply typed in the WeCom client (origin 5). On an ended session it opens it again (change_type 4).

    Raises ControlError when the session is with somebody else or with the app.
    """
    if session.state in (STATE_NEW, STATE_ASSISTANT, STATE_POOL):
        raise conflict("The session is not with an employee: accept it first, or wait until it is handed over.")
    if session.state == STATE_SERVICER and session.servicer_userid.lower() != userid.lower():
        raise conflict(f"The session is with {session.servicer_userid}.")
    if session.state == STATE_ENDED:
        if session.last_customer_at is None or world.clock.now() - session.last_customer_at > WINDOW_SECONDS:
            raise conflict("The customer has not written in the last 48 hours.")
        session.state, session.servicer_userid = STATE_SERVICER, userid
        world.save(session)
        change_event(world, account, session, 4, new=userid)
    message = _append(world, session, "servicer", msgtype, content, servicer_userid=userid)
    session.servicer_read_seq = message.seq
    world.save(session)
    notify(world, account)
    publish_message(world, message)
    return message


def change_event(
    world: World,
    account: KfAccount,
    session: Session,
    change_type: int,
    *,
    old: str = "",
    new: str = "",
    code: str = "",
) -> None:
    """session_status_change: only for what people do in the client, never for API calls (path/94670)."""
    event: dict[str, Any] = {
        "event_type": "session_status_change",
        "open_kfid": account.open_kfid,
        "external_userid": session.external_userid,
        "change_type": change_type,
    }
    if old:
        event["old_servicer_userid"] = old
    if new:
        event["new_servicer_userid"] = new
    if code:
        event["msg_code"] = code
    raise_event(world, account, session.external_userid, event)
    publish_session(world, session)
