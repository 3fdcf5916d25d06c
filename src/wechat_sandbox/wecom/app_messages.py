"""Messages from an app to employees: message/send, recall, update_template_card (path/90236, 94867, 94945)."""

import hashlib
from collections.abc import Callable
from typing import Any

import orjson

from wechat_sandbox.address_book import below, visible_departments, visible_employees
from wechat_sandbox.control.schemas import Notice
from wechat_sandbox.entities import AppMessage, ResponseCode
from wechat_sandbox.errors import ApiError
from wechat_sandbox.ids import new_msgid
from wechat_sandbox.kf.cards import give_response_code, publish_card
from wechat_sandbox.wecom.calls import Answer, Call, endpoint, text_in, truncate
from wechat_sandbox.wecom.payloads import media_payload, text_payload

MARKDOWN_LIMIT_BYTES = 2_048
RECIPIENT_LIMIT = 1_000
PARTY_LIMIT = 100
DUPLICATE_CHECK_SECONDS = 1_800
DUPLICATE_CHECK_LIMIT_SECONDS = 4 * 3_600
RECALL_SECONDS = 24 * 3_600
DIGEST_LIMIT = 10_000
MEMBER_PER_MINUTE, MEMBER_PER_HOUR = 30, 1_000

CARD_TYPES = frozenset({"text_notice", "news_notice", "button_interaction", "vote_interaction", "multiple_interaction"})
# Cards that can be pressed, and so need a task id and give a response code.
PRESSED_CARD_TYPES = frozenset({"button_interaction", "vote_interaction", "multiple_interaction"})


@endpoint("message/send", "POST")
def message_send(call: Call) -> Answer:
    """Unknown recipients are listed, only when all are unknown is the call refused (81013).

    A member's messages beyond 30 a minute or 1,000 an hour of one app vanish without a word.
    """
    if call.integer("agentid") != call.app.agentid:
        raise ApiError(301002)
    msgtype = call.text("msgtype", max_bytes=32, missing=40008)
    if msgtype not in CHECKERS:
        raise ApiError(40008)
    content = CHECKERS[msgtype](call, call.object(msgtype))
    users, invalid = _recipients(call)
    answer = {"invaliduser": "|".join(invalid.users), "invalidparty": "|".join(invalid.parties),
              "invalidtag": "|".join(invalid.tags), "unlicenseduser": ""}  # fmt: skip
    if not users:
        raise ApiError(81013)
    if (earlier := _duplicate(call)) is not None:
        return {**answer, "msgid": earlier}
    messages = [_hand_out(call, userid, msgtype, content) for userid in users]
    msgid = new_msgid()
    for message in messages:
        message.msgid = msgid
        if _flooded(call, message.userid):
            continue
        call.world.add(message)
        call.world.hub.publish(
            Notice(kind="app_message", corp_id=message.corp_id, userid=message.userid, id=message.id)
        )
    _remember(call, msgid)
    if _pressable(content):
        return {**answer, "msgid": msgid, "response_code": give_response_code(call.world, messages[0])}
    return {**answer, "msgid": msgid}


def _pressable(content: dict[str, Any]) -> bool:
    return content.get("card_type") in PRESSED_CARD_TYPES or bool(content.get("action_menu"))


def _hand_out(call: Call, userid: str, msgtype: str, content: dict[str, Any]) -> AppMessage:
    return AppMessage(
        id=call.world.next_seq(),
        msgid="",
        corp_id=call.app.corp_id,
        agentid=call.app.agentid,
        userid=userid,
        msgtype=msgtype,
        content=content,
        at=call.world.clock.now(),
    )


class _Unknown:
    def __init__(self) -> None:
        self.users: list[str] = []
        self.parties: list[str] = []
        self.tags: list[str] = []


def _recipients(call: Call) -> tuple[list[str], _Unknown]:
    """(user ids as the corp writes them, what was not found); ids not found are lower-cased, as in reality."""
    everyone = {one.userid.lower(): one.userid for one in visible_employees(call.world, call.app)}
    departments = visible_departments(call.world, call.app)
    found: dict[str, str] = {}
    unknown = _Unknown()
    touser = call.text("touser", max_bytes=65 * RECIPIENT_LIMIT, required=False)
    if touser == "@all":
        return list(everyone.values()), unknown
    for userid in _split(touser, RECIPIENT_LIMIT):
        if (key := userid.lower()) in everyone:
            found[key] = everyone[key]
        else:
            unknown.users.append(key)
    for party in _split(call.text("toparty", max_bytes=4_096, required=False), PARTY_LIMIT):
        if not party.isdecimal() or int(party) not in departments:
            unknown.parties.append(party)
            continue
        for place in below(call.world, call.app.corp_id, int(party)):
            members = call.world.members[(call.app.corp_id, place)]
            found |= {key: one.userid for key, one in members.items() if key in everyone}
    unknown.tags = _split(call.text("totag", max_bytes=4_096, required=False), PARTY_LIMIT)
    return list(found.values()), unknown


def _split(text: str, limit: int) -> list[str]:
    parts = [part.strip() for part in text.split("|") if part.strip()]
    if len(parts) > limit:
        raise ApiError(40058, f"more than {limit} recipients")
    return parts


def _digest(call: Call) -> str:
    return hashlib.sha256(orjson.dumps(call.fields, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _duplicate(call: Call) -> str | None:
    """The msgid of the same message within the interval, when the caller asked for the check."""
    if call.integer("enable_duplicate_check", 0, maximum=1) == 0:
        return None
    interval = call.integer(
        "duplicate_check_interval", DUPLICATE_CHECK_SECONDS, minimum=1, maximum=DUPLICATE_CHECK_LIMIT_SECONDS
    )
    at, msgid = call.world.sent_digests.get((call.app.corp_id, call.app.agentid, _digest(call)), (0.0, ""))
    return msgid if call.world.clock.now() - at < interval else None


def _remember(call: Call, msgid: str) -> None:
    if call.fields.get("enable_duplicate_check") != 1:
        return
    sent = call.world.sent_digests
    if len(sent) > DIGEST_LIMIT:
        sent.clear()
    sent[(call.app.corp_id, call.app.agentid, _digest(call))] = (call.world.clock.now(), msgid)


def _flooded(call: Call, userid: str) -> bool:
    rates, now = call.world.rates, call.world.clock.now()
    key = ("member", call.app.corp_id, call.app.agentid, userid)
    if rates.full(key, MEMBER_PER_MINUTE, 60, now) or rates.full(key, MEMBER_PER_HOUR, 3_600, now):
        return True
    rates.count(key, 3_600, now)
    return False


@endpoint("message/recall", "POST")
def message_recall(call: Call) -> Answer:
    """Within 24 hours (42052)."""
    msgid = call.text("msgid", max_bytes=64)
    messages = _by_msgid(call, msgid)
    if not messages:
        raise ApiError(40058, "unknown msgid")
    if call.world.clock.now() - messages[0].at > RECALL_SECONDS:
        raise ApiError(42052)
    for message in messages:
        message.recalled = True
        call.world.save(message)
        publish_card(call.world, message)
    return {}


@endpoint("message/update_template_card", "POST")
def update_template_card(call: Call) -> Answer:
    """Replaces the buttons' text or the whole card, once per response code, within 72 hours."""
    if call.integer("agentid") != call.app.agentid:
        raise ApiError(301002)
    code = _response_code(call)
    button, card = call.fields.get("button"), call.fields.get("template_card")
    if not isinstance(button, dict) and not isinstance(card, dict):
        raise ApiError(40058, "button or template_card is needed")
    replace_name = text_in(button, "replace_name", 256) if isinstance(button, dict) else ""
    checked = _template_card(call, card, updating=True) if isinstance(card, dict) else None
    users = {userid.lower() for userid in call.texts("userids", RECIPIENT_LIMIT, required=False)}
    everyone = call.integer("atall", 0, maximum=1) == 1
    messages = {one.userid.lower(): one for one in _by_msgid(call, code.msgid)}
    code.used = True
    call.world.save(code)
    for userid, message in messages.items():
        if everyone or userid in users:
            _update(call, message, replace_name, checked)
    return {"invaliduser": sorted(users - set(messages))}


def _update(call: Call, message: AppMessage, replace_name: str, card: dict[str, Any] | None) -> None:
    if card is not None:
        message.content = card
        message.replaced_name = ""
    else:
        message.replaced_name = replace_name
    call.world.save(message)
    publish_card(call.world, message)


def _response_code(call: Call) -> ResponseCode:
    code = call.world.response_codes.get(call.text("response_code", max_bytes=512))
    if code is None or (code.corp_id, code.agentid) != (call.app.corp_id, call.app.agentid):
        raise ApiError(40058, "invalid response_code")
    if code.used or call.world.clock.now() > code.expires_at:
        raise ApiError(40058, "response_code was used or has expired")
    return code


def _by_msgid(call: Call, msgid: str) -> list[AppMessage]:
    found = call.world.app_messages_by_msgid.get(msgid, [])
    return [one for one in found if (one.corp_id, one.agentid) == (call.app.corp_id, call.app.agentid)]


# ---- payloads


def _textcard(_: Call, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": text_in(given, "title", 2_048)[:128],
        "description": text_in(given, "description", 8_192)[:512],
        "url": text_in(given, "url", 2_048),
        "btntxt": text_in(given, "btntxt", 64, required=False)[:4],
    }


def _markdown(_: Call, given: dict[str, Any]) -> dict[str, Any]:
    return {"content": truncate(text_in(given, "content", 65_536, missing=44004), MARKDOWN_LIMIT_BYTES)}


def _news(_: Call, given: dict[str, Any]) -> dict[str, Any]:
    articles = given.get("articles")
    if not isinstance(articles, list) or not 1 <= len(articles) <= 8:
        raise ApiError(40058, "1 to 8 articles")
    for article in articles:
        text_in(article, "title", 512)
    return {"articles": articles}


def _template_card(call: Call, given: dict[str, Any], updating: bool = False) -> dict[str, Any]:
    """Checks what a pressed card needs; the task id must be new for the app (path/94867)."""
    card_type = text_in(given, "card_type", 32)
    if card_type not in CARD_TYPES:
        raise ApiError(40058, "invalid card_type")
    task_id = text_in(given, "task_id", 128, required=_pressable(given) and not updating)
    if task_id and not updating and _task_exists(call, task_id):
        raise ApiError(40058, "task_id was used before")
    if card_type == "button_interaction":
        buttons = given.get("button_list")
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= 6:
            raise ApiError(40058, "button_list: 1 to 6")
        for button in buttons:
            text_in(button, "text", 128)
            if button.get("type", 0) != 1:
                text_in(button, "key", 1_024)
    elif not updating and card_type in ("text_notice", "news_notice") and not given.get("card_action"):
        raise ApiError(40058, "missing card_action")
    return given


def _task_exists(call: Call, task_id: str) -> bool:
    return (call.app.corp_id, call.app.agentid, task_id) in call.world.task_ids


CHECKERS: dict[str, Callable[[Call, dict[str, Any]], dict[str, Any]]] = {
    "text": text_payload,
    "image": media_payload,
    "voice": media_payload,
    "video": media_payload,
    "file": media_payload,
    "textcard": _textcard,
    "markdown": _markdown,
    "news": _news,
    "template_card": _template_card,
}
