"""Robots of the merchant's groups: entering them, and what they tell."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from huitouke.kernel import audit, clock
from huitouke.kernel.context import Context
from huitouke.kernel.errors import InvalidInput, NotFound, RateLimited
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret, seal
from huitouke.modules.organization.notice_models import GroupRobot
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.notifying.choosing import TEST_EVERY, test_key
from huitouke.modules.organization.service.notifying.kinds import GROUP_ROBOT, TEST, all_kinds
from huitouke.modules.organization.service.notifying.telling import MAX_ROBOTS, tell_robot
from huitouke.wechat.group_robots import key_of

MAX_NAME_CHARACTERS: Final = 40


async def group_robots(ctx: Context) -> Sequence[GroupRobot]:
    """All of them, oldest first."""
    return (await ctx.session.scalars(select(GroupRobot).order_by(GroupRobot.id).limit(MAX_ROBOTS))).all()


async def add_robot(ctx: Context, name: str, webhook: Secret, kinds: Collection[str]) -> GroupRobot:
    """Enters a robot by the address that WeCom shows of it; its key is sealed.

    Raises InvalidInput, NoWebhook, RobotExists.
    """
    key = key_of(webhook.reveal())
    if key is None:
        raise problems.NoWebhook(field="webhook", reason="webhook")
    if (await ctx.session.scalar(select(func.count(GroupRobot.id))) or 0) >= MAX_ROBOTS:
        raise InvalidInput(field="name", reason="too_many", maximum=MAX_ROBOTS)
    robot_id = new_id()
    robot = GroupRobot(
        id=robot_id,
        name=_name(name),
        key_sealed=seal(ctx, "group_robots", "key_sealed", robot_id, Secret(key)),
        key_digest=hashlib.sha256(f"{ctx.tenant_id}{key}".encode()).digest(),
        kinds=_kinds(kinds),
        created_at=clock.now(),
    )
    try:
        async with ctx.session.begin_nested():
            ctx.session.add(robot)
            await ctx.session.flush()
    except IntegrityError as error:
        raise problems.RobotExists(field="webhook") from error
    await audit.record(ctx, "organization.robot_added", "group_robot", robot.id, after=_facts(robot))
    return robot


async def change_robot(ctx: Context, robot_id: UUID, name: str, kinds: Collection[str]) -> GroupRobot:
    """Renames a robot and sets what it tells. Raises NotFound, InvalidInput."""
    robot = await _robot(ctx, robot_id)
    before = _facts(robot)
    robot.name, robot.kinds = _name(name), _kinds(kinds)
    await ctx.session.flush()
    await audit.record(ctx, "organization.robot_changed", "group_robot", robot.id, before=before, after=_facts(robot))
    return robot


async def delete_robot(ctx: Context, robot_id: UUID) -> None:
    """Takes a robot away with its key and what it was to tell. Raises NotFound."""
    robot = await _robot(ctx, robot_id)
    await ctx.session.delete(robot)
    await ctx.session.flush()
    await audit.record(ctx, "organization.robot_deleted", "group_robot", robot_id, before=_facts(robot))


async def try_robot(ctx: Context, robot_id: UUID) -> None:
    """Has it send a test, at most once a minute. Raises NotFound, RateLimited."""
    robot = await _robot(ctx, robot_id)
    if not await tell_robot(ctx, TEST, robot.id, dedupe_key=test_key(GROUP_ROBOT)):
        raise RateLimited(retry_after_seconds=int(TEST_EVERY.total_seconds()))


async def _robot(ctx: Context, robot_id: UUID) -> GroupRobot:
    robot = await ctx.session.scalar(select(GroupRobot).where(GroupRobot.id == robot_id).with_for_update())
    if robot is None:
        raise NotFound(kind="group_robot")
    return robot


def _name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > MAX_NAME_CHARACTERS:
        raise InvalidInput(field="name", reason="length", maximum=MAX_NAME_CHARACTERS)
    return cleaned


def _kinds(kinds: Collection[str]) -> list[str]:
    known = {kind.name for kind in all_kinds() if kind.listed and kind.to_groups}
    unknown = set(kinds) - known
    if unknown:
        raise InvalidInput(field="kinds", reason="unknown")
    return sorted(kinds)


def _facts(robot: GroupRobot) -> dict[str, object]:
    return {"name": robot.name, "kinds": list(robot.kinds)}
