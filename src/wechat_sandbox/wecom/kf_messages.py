"""微信客服: pulling, sending, customers (path/94670, 94677, 95122, 95159)."""

import base64
import binascii
from bisect import bisect_right
from typing import Any

from wechat_sandbox.entities import ORIGIN_CUSTOMER, ORIGIN_EVENT, ORIGIN_SERVICER, Message
from wechat_sandbox.errors import ApiError
from wechat_sandbox.kf.messages import app_sends, app_sends_on_event
from wechat_sandbox.kf.sessions import (
    CODE_SCENES,
    WINDOW_SECONDS,
    check_sync_token,
    expire,
    managed_account,
    session_of,
)
from wechat_sandbox.media import INCOMING_LIMIT_BYTES
from wechat_sandbox.wecom.calls import Answer, Call, check_name_characters, endpoint
from wechat_sandbox.wecom.kf_accounts import known_customer
from wechat_sandbox.wecom.payloads import kf_payload

SYNC_DAYS_SECONDS = 3 * 86_400
SYNC_LIMIT = 1_000
CUSTOMER_LIMIT = 100
MSGID_LIMIT_BYTES = 32

# WeCom's staff: pulls without a token, or with a wrong one, ten times in a minute are refused for a minute.
UNTOKENED_PER_MINUTE = 10

ORIGINS = {"customer": ORIGIN_CUSTOMER, "event": ORIGIN_EVENT, "servicer": ORIGIN_SERVICER}


@endpoint("kf/sync_msg", "POST")
def sync_msg(call: Call) -> Answer:
    """Messages and events after the cursor, of the last three days, oldest first; never what the API sent."""
    world = call.world
    open_kfid = call.text("open_kfid", max_bytes=64, missing=40058)
    account = managed_account(world, call.app, open_kfid)
    limit = min(call.integer("limit", SYNC_LIMIT) or SYNC_LIMIT, SYNC_LIMIT)
    call.integer("voice_format", 0, maximum=1)
    after = _read_cursor(open_kfid, call.text("cursor", max_bytes=64, required=False))
    token = call.text("token", max_bytes=128, required=False)
    if token:
        _check_token(call, open_kfid, token)
    else:
        _count_untokened(call, open_kfid)
    log = world.account_log.get(account.open_kfid, [])
    oldest = world.clock.now() - SYNC_DAYS_SECONDS
    start = max(bisect_right(log, after, key=_seq), bisect_right(log, oldest, key=lambda one: one.at))
    if world.dice.strikes(world.faults.sync_empty_page_probability):
        return {"next_cursor": _cursor(open_kfid, after), "has_more": 1, "msg_list": []}
    found = log[start : start + limit]
    return {
        "next_cursor": _cursor(open_kfid, found[-1].seq if found else after),
        "has_more": 1 if start + limit < len(log) else 0,
        "msg_list": [_item(call, message) for message in found],
    }


def _seq(message: Message) -> int:
    return message.seq


def _check_token(call: Call, open_kfid: str, token: str) -> None:
    try:
        check_sync_token(call.world, open_kfid, token)
    except ApiError:
        _count_untokened(call, open_kfid)
        raise


def _count_untokened(call: Call, open_kfid: str) -> None:
    """Raises 45009 when the account was pulled ten times without a good token in the last minute."""
    rates, now = call.world.rates, call.world.clock.now()
    key = ("sync", open_kfid, call.app.agentid)
    if rates.full(key, UNTOKENED_PER_MINUTE, 60, now):
        raise ApiError(45009)
    rates.count(key, 60, now)


def _cursor(open_kfid: str, seq: int) -> str:
    """Opaque to callers, and good for this account only."""
    return base64.urlsafe_b64encode(f"{seq}.{open_kfid[-12:]}".encode()).decode()


def _read_cursor(open_kfid: str, cursor: str) -> int:
    if not cursor:
        return 0
    try:
        seq, _, account = base64.urlsafe_b64decode(cursor.encode()).decode().partition(".")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ApiError(40058, "invalid cursor") from None
    if not seq.isdecimal() or account != open_kfid[-12:]:
        raise ApiError(40058, "invalid cursor")
    return int(seq)


def _item(call: Call, message: Message) -> dict[str, Any]:
    """One entry of msg_list; in an event the ids stand inside `event`."""
    item: dict[str, Any] = {
        "msgid": message.msgid,
        "send_time": int(message.at),
        "origin": ORIGINS[message.source],
    }
    if message.source == "event":
        return {**item, "msgtype": "event", "event": message.content}
    item |= {"open_kfid": message.open_kfid, "external_userid": message.external_userid}
    if message.source == "servicer":
        item["servicer_userid"] = message.servicer_userid
    if _oversized(call, message):
        return {**item, "msgtype": "text", "text": {"content": "【收到不支持的消息类型，文件过大】"}}
    if not message.content:
        return {**item, "msgtype": message.msgtype}
    return {**item, "msgtype": message.msgtype, message.msgtype: message.content}


def _oversized(call: Call, message: Message) -> bool:
    limit = INCOMING_LIMIT_BYTES.get(message.msgtype)
    media = call.world.media.get(message.content.get("media_id", ""))
    return limit is not None and media is not None and media.bytes > limit


@endpoint("kf/send_msg", "POST")
def send_msg(call: Call) -> Answer:
    """errcode 0 is acceptance, not delivery. Raises 95033, 95031, 95002, 95013, 95018, 95001 and those of payloads."""
    open_kfid = call.text("open_kfid", max_bytes=64, missing=95000)
    account = managed_account(call.world, call.app, open_kfid)
    session = session_of(call.world, account, known_customer(call, "touser"))
    msgtype, content = kf_payload(call)
    message = app_sends(call.world, call.app, session, msgtype, content, _msgid(call))
    return {"msgid": message.msgid}


@endpoint("kf/send_msg_on_event", "POST")
def send_msg_on_event(call: Call) -> Answer:
    """The one message that a code permits, of the types that its scene permits."""
    world = call.world
    code = world.codes.get(call.text("code", max_bytes=128))
    if code is None or code.corp_id != call.app.corp_id:
        raise ApiError(40058, "invalid code")
    managed_account(world, call.app, code.open_kfid)
    msgtype, content = kf_payload(call, CODE_SCENES[code.scene][1])
    session = expire(world, world.sessions[(code.open_kfid, code.external_userid)])
    message = app_sends_on_event(world, call.app, code, session, msgtype, content, _msgid(call))
    return {"msgid": message.msgid}


def _msgid(call: Call) -> str | None:
    msgid = call.text("msgid", max_bytes=MSGID_LIMIT_BYTES, required=False)
    return check_name_characters("msgid", msgid) or None


@endpoint("kf/customer/batchget", "POST")
def customer_batchget(call: Call) -> Answer:
    """Customers active within 48 h; the others are listed as invalid (path/95159)."""
    wanted = call.texts("external_userid_list", CUSTOMER_LIMIT)
    with_context = call.integer("need_enter_session_context", 0, maximum=1) == 1
    known: list[dict[str, Any]] = []
    unknown: list[str] = []
    for external_userid in wanted:
        entry = _customer(call, external_userid, with_context)
        if entry is None:
            unknown.append(external_userid)
        else:
            known.append(entry)
    return {"customer_list": known, "invalid_external_userid": unknown}


def _customer(call: Call, external_userid: str, with_context: bool) -> dict[str, Any] | None:
    customer = call.world.customers.get(external_userid)
    since = call.world.clock.now() - WINDOW_SECONDS
    active = [
        one
        for one in call.world.sessions_of.get(external_userid, [])
        if one.corp_id == call.app.corp_id and (one.last_customer_at or 0.0) >= since
    ]
    if customer is None or not active:
        return None
    base = str(call.request.base_url).rstrip("/")
    avatar = f"{base}/sandbox/media/{customer.avatar}" if customer.avatar in call.world.media else customer.avatar
    entry: dict[str, Any] = {
        "external_userid": external_userid,
        "nickname": customer.nickname,
        "avatar": avatar,
        "gender": customer.gender,
    }
    if with_context:
        latest = max(active, key=lambda one: one.last_customer_at or 0.0)
        entry["enter_session_context"] = {"scene": latest.scene, "scene_param": latest.scene_param}
    return entry
