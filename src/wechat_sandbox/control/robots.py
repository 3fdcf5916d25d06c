"""Robots of internal groups: made by the group's owner, read in the group."""

import uuid

from fastapi import APIRouter, Request
from pydantic import BaseModel

from wechat_sandbox.control.common import REFUSALS, CorpId, TheWorld, corp_of
from wechat_sandbox.control.schemas import LIST_LIMIT, Input, Name
from wechat_sandbox.entities import Robot
from wechat_sandbox.errors import not_found
from wechat_sandbox.world import World

router = APIRouter(prefix="/sandbox/robots", tags=["groups' robots"], responses=REFUSALS)


class RobotInput(Input):
    """A robot to add to a group."""

    name: Name


class RobotPatch(Input):
    """Off: its messages are refused with 93004."""

    enabled: bool


class RobotOut(BaseModel):
    """A robot and the address that its owner copies."""

    key: str
    name: str
    enabled: bool
    webhook: str


class RobotMessageOut(BaseModel):
    """What the group read."""

    id: int
    msgtype: str
    content: str
    at: float


@router.post("", operation_id="add_robot", status_code=201)
async def add_robot(world: TheWorld, request: Request, wanted: RobotInput, corp_id: CorpId = None) -> RobotOut:
    """Adds a robot to a group of the corp's own people."""
    robot = Robot(str(uuid.uuid4()), corp_of(world, corp_id).corp_id, wanted.name)
    world.add(robot)
    return _out(robot, request)


@router.get("", operation_id="list_robots")
async def list_robots(world: TheWorld, request: Request, corp_id: CorpId = None) -> list[RobotOut]:
    """The corp's robots; at most 200."""
    corp = corp_of(world, corp_id)
    return [_out(one, request) for one in world.robots.values() if one.corp_id == corp.corp_id][:LIST_LIMIT]


@router.patch("/{key}", operation_id="switch_robot")
async def switch_robot(world: TheWorld, request: Request, key: str, wanted: RobotPatch) -> RobotOut:
    """Turns it off or on."""
    robot = _robot(world, key)
    robot.enabled = wanted.enabled
    world.save(robot)
    return _out(robot, request)


@router.get("/{key}/messages", operation_id="list_robot_messages")
async def list_robot_messages(world: TheWorld, key: str) -> list[RobotMessageOut]:
    """What it told the group, newest first; at most 200."""
    found = world.robot_messages[_robot(world, key).robot_key]
    return [RobotMessageOut(id=one.id, msgtype=one.msgtype, content=one.content, at=one.at) for one in found[::-1]][
        :LIST_LIMIT
    ]


def _robot(world: World, key: str) -> Robot:
    if (robot := world.robots.get(key)) is None:
        raise not_found("robot", key)
    return robot


def _out(robot: Robot, request: Request) -> RobotOut:
    webhook = f"{str(request.base_url).rstrip('/')}/cgi-bin/webhook/send?key={robot.robot_key}"
    return RobotOut(key=robot.robot_key, name=robot.name, enabled=robot.enabled, webhook=webhook)
