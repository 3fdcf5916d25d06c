"""Template cards at employees: pressing a button, and the single-use codes for an update (path/90240, 94945)."""

from wechat_sandbox.control.schemas import Notice
from wechat_sandbox.entities import AppMessage, ResponseCode
from wechat_sandbox.errors import conflict, not_found
from wechat_sandbox.ids import new_code
from wechat_sandbox.world import World

RESPONSE_CODE_SECONDS = 72 * 3_600


def give_response_code(world: World, message: AppMessage, userid: str = "") -> str:
    """A code for one update within 72 h; with a `userid` it was given by that employee's click."""
    code = ResponseCode(
        code=new_code(),
        corp_id=message.corp_id,
        agentid=message.agentid,
        msgid=message.msgid,
        userid=userid,
        expires_at=world.clock.now() + RESPONSE_CODE_SECONDS,
    )
    world.add(code)
    return code.code


def click_card(world: World, message: AppMessage, key: str) -> None:
    """Sends template_card_event to the card's app; raises ControlError when there is no such button any more."""
    if message.msgtype != "template_card" or message.recalled:
        raise conflict("This message has no buttons.")
    if message.replaced_name:
        raise conflict(f"The buttons were replaced by {message.replaced_name!r}.")
    if key not in card_keys(message):
        raise not_found("button", key)
    message.clicked_key = key
    world.save(message)
    fields: dict[str, str | int] = {
        "FromUserName": message.userid,
        "CreateTime": int(world.clock.now()),
        "MsgType": "event",
        "Event": "template_card_event",
        "EventKey": key,
        "TaskId": message.content.get("task_id", ""),
        "CardType": message.content.get("card_type", ""),
        "ResponseCode": give_response_code(world, message, message.userid),
        "AgentID": message.agentid,
    }
    app = world.apps[(message.corp_id, message.agentid)]
    world.sender.post(app, "template_card_event", fields)
    publish_card(world, message)


def card_keys(message: AppMessage) -> set[str]:
    """Keys of all that can be pressed: buttons, the submit button, the entries of the corner menu."""
    card = message.content
    keys = {button.get("key", "") for button in card.get("button_list") or []}
    keys.add((card.get("submit_button") or {}).get("key", ""))
    keys |= {entry.get("key", "") for entry in (card.get("action_menu") or {}).get("action_list") or []}
    return keys - {""}


def publish_card(world: World, message: AppMessage) -> None:
    world.hub.publish(Notice(kind="card", corp_id=message.corp_id, userid=message.userid, id=message.id))
