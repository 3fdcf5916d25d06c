"""Robots of internal groups: webhook/send with the key of the address in the place of a token (path/99110)."""

from wechat_sandbox.control.schemas import Notice
from wechat_sandbox.entities import Robot, RobotMessage
from wechat_sandbox.errors import ApiError
from wechat_sandbox.wecom.calls import Answer, Call, endpoint, text_in

TEXT_LIMIT_BYTES, MARKDOWN_LIMIT_BYTES = 2_048, 4_096
PER_MINUTE = 20
LIMITS = {"text": TEXT_LIMIT_BYTES, "markdown": MARKDOWN_LIMIT_BYTES, "markdown_v2": MARKDOWN_LIMIT_BYTES}


@endpoint("webhook/send", "POST", needs_token=False)
def webhook_send(call: Call) -> Answer:
    """Text and markdown; 93000 for a key that is none, 93004 for a robot that is off, 45009 beyond 20 a minute."""
    robot = _robot(call)
    msgtype = call.text("msgtype", max_bytes=32, missing=40008)
    if msgtype not in LIMITS:
        raise ApiError(40008)
    content = text_in(call.object(msgtype), "content", LIMITS[msgtype], missing=44004)
    rates, now = call.world.rates, call.world.clock.now()
    if rates.full(("robot", robot.robot_key), PER_MINUTE, 60, now):
        raise ApiError(45009)
    rates.count(("robot", robot.robot_key), 60, now)
    message = RobotMessage(call.world.next_seq(), robot.robot_key, msgtype, content, now)
    call.world.add(message)
    call.world.hub.publish(Notice(kind="robot_message", corp_id=robot.corp_id, id=message.id))
    return {}


def _robot(call: Call) -> Robot:
    robot = call.world.robots.get(call.query.get("key", ""))
    if robot is None:
        raise ApiError(93000)
    if not robot.enabled:
        raise ApiError(93004)
    return robot
