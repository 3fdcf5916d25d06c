"""Session states, who may move them where, and the codes that a move gives (path/94669, 95122)."""

import base64
import hashlib
import hmac

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
    Servicer,
    Session,
)
from wechat_sandbox.errors import ApiError
from wechat_sandbox.ids import new_code
from wechat_sandbox.world import World

HOUR_SECONDS = 3_600
WINDOW_SECONDS = 48 * HOUR_SECONDS
SENDS_PER_CUSTOMER_MESSAGE = 5
SYNC_TOKEN_SECONDS = 600

# From → to, by API. 3 → 2 is not confirmed by the pages and therefore refused; nothing leads out of 4 (path/94669).
API_TRANSITIONS: dict[int, frozenset[int]] = {
    STATE_NEW: frozenset({STATE_ASSISTANT, STATE_POOL, STATE_SERVICER, STATE_ENDED}),
    STATE_ASSISTANT: frozenset({STATE_POOL, STATE_SERVICER, STATE_ENDED}),
    STATE_POOL: frozenset({STATE_SERVICER, STATE_ENDED}),
    STATE_SERVICER: frozenset({STATE_SERVICER, STATE_ENDED}),
    STATE_ENDED: frozenset(),
}

# scene → (seconds of validity, message types, state the session must still be in); path/95122
CODE_SCENES: dict[str, tuple[int, frozenset[str], int | None]] = {
    "welcome": (20, frozenset({"text", "msgmenu"}), None),
    "pool": (WINDOW_SECONDS, frozenset({"text"}), STATE_POOL),
    "taken": (WINDOW_SECONDS, frozenset({"text"}), STATE_SERVICER),
    "ended": (20, frozenset({"text", "msgmenu"}), STATE_ENDED),
}


def account_of(world: World, corp_id: str, open_kfid: str) -> KfAccount:
    """Raises 95000 when the corp has no such account."""
    account = world.accounts.get(open_kfid)
    if account is None or account.deleted or account.corp_id != corp_id:
        raise ApiError(95000)
    return account


def managed_account(world: World, app: App, open_kfid: str) -> KfAccount:
    """An account that the app may manage; raises 95000, or 48007 when it is not under the app's management."""
    account = account_of(world, app.corp_id, open_kfid)
    if app.agentid not in account.managed_by:
        raise ApiError(48007)
    return account


def session_of(world: World, account: KfAccount, customer: Customer) -> Session:
    """The session of the two, made on first contact; one whose 48 hours are over has ended."""
    key = (account.open_kfid, customer.external_userid)
    session = world.sessions.get(key)
    if session is None:
        session = Session(
            corp_id=account.corp_id, open_kfid=account.open_kfid, external_userid=customer.external_userid
        )
        world.add(session)
    return expire(world, session)


def expire(world: World, session: Session) -> Session:
    """Ends the session when its 48 hours since the customer's last message are over (path/94669)."""
    last = session.last_customer_at
    if session.state != STATE_ENDED and last is not None and world.clock.now() - last > WINDOW_SECONDS:
        session.state = STATE_ENDED
        session.servicer_userid = ""
        world.save(session)
    return session


def servicer_of(world: World, open_kfid: str, userid: str) -> Servicer:
    """A servicer who receives; raises 95014 (not one) or 95019 (has stopped)."""
    servicer = world.servicers[open_kfid].get(userid.lower())
    if servicer is None:
        raise ApiError(95014)
    if servicer.status != 0:
        raise ApiError(95019)
    return servicer


def api_transition(world: World, session: Session, target: int, servicer_userid: str) -> str | None:
    """Moves the session as service_state/trans does; gives the msg_code when there is one.

    Raises 95013 (ended), 95016 (not allowed), 95014 and 95019 (the servicer).
    """
    if session.state == STATE_ENDED:
        raise ApiError(95013)
    if target not in API_TRANSITIONS[session.state]:
        raise ApiError(95016, f"{session.state} to {target}")
    userid = ""
    if target == STATE_SERVICER:
        userid = servicer_of(world, session.open_kfid, servicer_userid).userid
        if session.state == STATE_SERVICER and session.servicer_userid.lower() == userid.lower():
            raise ApiError(95016, "already with this servicer")
    return move(world, session, target, userid)


def move(world: World, session: Session, target: int, servicer_userid: str = "") -> str | None:
    """Sets the state and gives the code that the move brings: the first move to 2 or 3, and the end."""
    session.state = target
    session.servicer_userid = servicer_userid if target == STATE_SERVICER else ""
    code = None
    if target in (STATE_POOL, STATE_SERVICER) and not session.reply_code_given:
        session.reply_code_given = True
        code = give_code(world, session, "pool" if target == STATE_POOL else "taken")
    elif target == STATE_ENDED:
        code = give_code(world, session, "ended")
    world.save(session)
    publish_session(world, session)
    return code


def give_code(world: World, session: Session, scene: str) -> str:
    """A single-use code for one message on an event."""
    code = EventCode(
        code=new_code(),
        corp_id=session.corp_id,
        open_kfid=session.open_kfid,
        external_userid=session.external_userid,
        scene=scene,
        expires_at=world.clock.now() + CODE_SCENES[scene][0],
    )
    world.add(code)
    return code.code


def publish_session(world: World, session: Session) -> None:
    world.hub.publish(
        Notice(
            kind="session",
            corp_id=session.corp_id,
            open_kfid=session.open_kfid,
            external_userid=session.external_userid,
        )
    )


def sync_token(world: World, open_kfid: str) -> str:
    """The Token of a kf_msg_or_event callback: good for 10 minutes and this account, needs no memory."""
    expires_at = int(world.clock.now()) + SYNC_TOKEN_SECONDS
    return f"ENC{expires_at:x}x{_token_mark(world, open_kfid, expires_at)}"


def check_sync_token(world: World, open_kfid: str, token: str) -> None:
    """Raises 95007 for a token that is forged, expired or of another account."""
    expires, _, mark = token.removeprefix("ENC").partition("x")
    try:
        expires_at = int(expires, 16)
    except ValueError:
        raise ApiError(95007) from None
    genuine = hmac.compare_digest(mark.encode(), _token_mark(world, open_kfid, expires_at).encode())
    if not genuine or world.clock.now() > expires_at:
        raise ApiError(95007)


def _token_mark(world: World, open_kfid: str, expires_at: int) -> str:
    digest = hmac.digest(world.signing_key, f"{open_kfid}:{expires_at}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:30]).decode()
