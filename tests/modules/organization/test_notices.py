"""Telling people: each thing once, on the ways they chose, when they want it; what may have gone out isn't repeated."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from huitouke.kernel import clock
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound, RateLimited
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.modules.organization import notice_queries as queries
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.notice_models import NoticeDelivery, StaffNotice
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.notifying import Holders, People, choosing, delivery, robots, tell
from huitouke.modules.organization.service.notifying.kinds import (
    APP_FAILING,
    BOOK_ASKS,
    STAFF_JOINED,
    WECOM_APP,
    NoticeKind,
)
from huitouke.modules.organization.service.notifying.quiet import QuietHours
from huitouke.modules.organization.service.notifying.telling import runner_key
from tests.modules.conversations.desk import Desk, Person

FAILING = {"app": "客服"}


async def said(desk: Desk, person: Person, key: str, kind: NoticeKind = APP_FAILING, **args: Any) -> int:
    async with transaction(desk.context) as ctx:
        return await tell(
            ctx, kind, People((person.id,)), dedupe_key=key, args=args or FAILING, link="/settings/channels"
        )


async def rang(desk: Desk, userid: str) -> list[dict[str, Any]]:
    return list(await desk.shop.sandbox.get(f"employees/{userid}/app-messages", corp_id=desk.shop.corp_id))


async def deliveries(desk: Desk) -> list[NoticeDelivery]:
    async with transaction(desk.context) as ctx:
        return list(await ctx.session.scalars(select(NoticeDelivery).order_by(NoticeDelivery.id)))


async def states(desk: Desk) -> list[str]:
    return [one.state for one in await deliveries(desk)]


@pytest.fixture
async def manager(desk: Desk) -> Person:
    """小雨 may do everything, and has a WeCom account."""
    async with transaction(desk.context) as ctx:
        await organization.update_staff(ctx, desk.xiaoyu.id, organization.StaffChange(role="administrator"))
    return desk.xiaoyu


async def test_the_same_is_told_once(desk: Desk, manager: Person) -> None:
    assert [await said(desk, manager, "once"), await said(desk, manager, "once")] == [1, 0]
    await desk.work()

    assert [one["text"] for one in await rang(desk, "lin")] == ["应用「客服」连不上了"]
    assert await states(desk) == ["sent"]
    async with transaction(manager.context) as ctx:
        page = await queries.notice_page(ctx, unread=False, cursor=None, limit=10)
    assert [(one.title, one.link, one.urgent) for one in page.items] == [
        ("应用「客服」连不上了", "/settings/channels", True)
    ]


async def test_nobody_is_told_what_they_may_not_know(desk: Desk) -> None:
    assert await said(desk, desk.aning, "not for agents") == 0


async def test_everybody_with_the_right_is_told_but_who_did_it(desk: Desk, manager: Person) -> None:
    async with transaction(desk.context) as ctx:
        await tell(ctx, APP_FAILING, Holders("organization.manage", but=manager.id), dedupe_key="a", args=FAILING)
        told = set(await ctx.session.scalars(select(StaffNotice.staff_id)))
    assert told == {desk.owner.id}


async def test_who_chose_otherwise_is_told_in_the_console_alone(desk: Desk, manager: Person) -> None:
    async with transaction(manager.context) as ctx:
        await choosing.choose(ctx, APP_FAILING.name, WECOM_APP, False)
    await said(desk, manager, "console alone")
    await desk.work()
    assert (await rang(desk, "lin"), await states(desk)) == ([], [])
    async with transaction(manager.context) as ctx:
        assert await queries.unread_count(ctx) == 1


async def test_the_others_notices_are_not_to_be_found(desk: Desk, manager: Person) -> None:
    await said(desk, manager, "mine")
    async with transaction(desk.context) as ctx:
        notice_id = await ctx.session.scalar(select(StaffNotice.id))
    assert notice_id is not None
    async with transaction(desk.owner.context) as ctx:
        assert await queries.unread_count(ctx) == 0
        with pytest.raises(NotFound):
            await queries.mark_read(ctx, notice_id)
    async with transaction(manager.context) as ctx:
        await queries.mark_read(ctx, notice_id)
        assert await queries.unread_count(ctx) == 0


async def test_only_kinds_that_one_may_get_are_chosen_about(desk: Desk, manager: Person) -> None:
    async with transaction(desk.aning.context) as ctx:
        with pytest.raises(InvalidInput):
            await choosing.choose(ctx, APP_FAILING.name, WECOM_APP, False)
        assert {kind.name for kind in await choosing.kinds_for(ctx)} == {"conversations.send_failed"}


async def quiet_now(person: Person, *, lasting: timedelta) -> datetime:
    """Quiet from a minute ago for that long; gives when it ends."""
    local = clock.now().astimezone(ZoneInfo("Asia/Shanghai"))
    ends = local + lasting
    minutes = [one.hour * 60 + one.minute for one in (local - timedelta(minutes=1), ends)]
    async with transaction(person.context) as ctx:
        await choosing.set_quiet(ctx, QuietHours(minutes[0], minutes[1]))
    return ends.replace(second=0, microsecond=0).astimezone(UTC)


async def test_in_quiet_hours_what_is_not_urgent_waits_and_then_comes_together(desk: Desk, manager: Person) -> None:
    ends = await quiet_now(manager, lasting=timedelta(hours=9))
    await said(desk, manager, "a", BOOK_ASKS, count=12)
    await said(desk, manager, "b", BOOK_ASKS, count=13)
    await desk.work()
    assert await rang(desk, "lin") == []
    assert {one.due_at for one in await deliveries(desk)} == {ends}

    await said(desk, manager, "urgent")
    await desk.work()
    assert [one["text"] for one in await rang(desk, "lin")] == ["应用「客服」连不上了"]

    async with desk.later(9 * 3600 + 5):
        await desk.work()
    newest, *_ = await rang(desk, "lin")
    assert len(await rang(desk, "lin")) == 2, "the two that waited are one message"
    assert newest["msgtype"] == "template_card"
    assert "有 2 条通知" in newest["text"]
    assert await states(desk) == ["sent"] * 3


async def test_what_was_not_taken_is_tried_again_and_gives_up_in_the_end(desk: Desk, manager: Person) -> None:
    await desk.shop.sandbox.faults(api_paths=["message/send"], api_busy_probability=1.0)
    await said(desk, manager, "busy")
    await desk.work()
    (row,) = await deliveries(desk)
    assert (row.state, row.attempts, row.error_code) == ("queued", 1, "-1")

    async with desk.later(31):
        await desk.work()
    (row,) = await deliveries(desk)
    assert (row.state, row.attempts) == ("queued", 2)

    await desk.shop.sandbox.faults()
    async with desk.later(31 + 121):
        await desk.work()
    assert await states(desk) == ["sent"]
    assert len(await rang(desk, "lin")) == 1


async def test_after_the_last_try_it_has_failed_and_says_why(desk: Desk, manager: Person) -> None:
    await desk.shop.sandbox.faults(api_paths=["message/send"], api_busy_probability=1.0)
    await said(desk, manager, "busy")
    ahead = 0
    for seconds in (0, 31, 121, 601, 3601):
        ahead += seconds
        async with desk.later(ahead):
            await desk.work()
    (row,) = await deliveries(desk)
    assert (row.state, row.attempts) == ("failed", 5)
    async with transaction(desk.owner.context) as ctx:
        (shown,) = (await queries.delivery_page(ctx, view="not_told", cursor=None, limit=10)).items
    assert (shown.recipient, shown.channel, shown.state) == ("小雨", "wecom_app", "failed")
    assert shown.error


async def test_what_may_have_gone_out_is_never_repeated_by_itself(desk: Desk, manager: Person) -> None:
    await desk.shop.sandbox.faults(api_paths=["message/send"], api_answer_lost_probability=1.0)
    await said(desk, manager, "lost answer")
    await desk.work()
    await desk.shop.sandbox.faults()
    async with desk.later(2 * 3600):
        await desk.work()
    assert (await states(desk), len(await rang(desk, "lin"))) == (["unknown"], 1)

    (row,) = await deliveries(desk)
    async with transaction(desk.owner.context) as ctx:
        await delivery.send_again(ctx, row.id)
    await desk.work()
    assert (await states(desk), len(await rang(desk, "lin"))) == (["sent"], 2)

    with pytest.raises(problems.NothingToSendAgain):
        async with transaction(desk.owner.context) as ctx:
            await delivery.send_again(ctx, row.id)


async def test_a_kill_between_accepted_and_committed_rings_once(desk: Desk, manager: Person) -> None:
    """WeCom took it, and the process died before it wrote that down: whoever goes on doesn't send it again."""
    await said(desk, manager, "killed")
    async with transaction(desk.context) as ctx:
        batch = await delivery.begin(ctx, WECOM_APP, manager.id)
    assert batch is not None
    await delivery._send(desk.context, batch)  # and here it is killed

    await desk.work()
    (row,) = await deliveries(desk)
    assert (row.state, row.error_code) == ("unknown", delivery.INTERRUPTED)
    assert len(await rang(desk, "lin")) == 1

    async with transaction(desk.context) as ctx:  # it lived after all, and was only slow: the truth counts
        await delivery.finish(ctx, batch, None)
    assert await states(desk) == ["sent"]


async def test_who_left_before_it_went_out_is_not_told(desk: Desk, manager: Person) -> None:
    await quiet_now(manager, lasting=timedelta(hours=9))
    await said(desk, manager, "late", BOOK_ASKS, count=12)
    async with transaction(desk.context) as ctx:
        await organization.update_staff(ctx, manager.id, organization.StaffChange(active=False))
    async with desk.later(9 * 3600 + 5):
        await desk.work()
    (row,) = await deliveries(desk)
    assert (row.state, row.error_code, await rang(desk, "lin")) == ("failed", delivery.NO_WAY, [])


async def test_a_person_whom_the_app_does_not_reach_is_said_to_be_one(desk: Desk, manager: Person) -> None:
    async with transaction(desk.context) as ctx:
        await organization.update_staff(ctx, manager.id, organization.StaffChange(wecom_userid="nobody"))
    await said(desk, manager, "out of sight")
    await desk.work()
    (row,) = await deliveries(desk)
    assert (row.state, row.error_code) == ("failed", "81013")


async def test_a_test_goes_to_oneself_once_a_minute(desk: Desk, manager: Person) -> None:
    async with transaction(manager.context) as ctx:
        await choosing.try_channel(ctx, WECOM_APP)
    with pytest.raises(RateLimited):
        async with transaction(manager.context) as ctx:
            await choosing.try_channel(ctx, WECOM_APP)
    await desk.work()
    assert [one["text"] for one in await rang(desk, "lin")] == [
        "这是一条测试通知\n收到它，说明这个渠道可以正常通知你。"
    ]
    with pytest.raises(problems.NoWayToYou):
        async with transaction(desk.owner.context) as ctx:  # has no WeCom account
            await choosing.try_channel(ctx, WECOM_APP)


async def robot_of(desk: Desk, *kinds: str) -> tuple[UUID, str]:
    made = await desk.shop.sandbox.post("robots", {"name": "店长群"}, corp_id=desk.shop.corp_id)
    async with transaction(desk.context) as ctx:
        robot = await robots.add_robot(ctx, "店长群", Secret(made["webhook"]), kinds)
    return robot.id, made["key"]


async def test_a_robot_tells_its_group_what_it_was_told_to(desk: Desk) -> None:
    robot_id, key = await robot_of(desk, APP_FAILING.name)
    async with transaction(desk.context) as ctx:
        await tell(ctx, APP_FAILING, Holders("organization.manage"), dedupe_key="a", args=FAILING)
        await tell(ctx, STAFF_JOINED, Holders("organization.manage"), dedupe_key="b", args={"name": "小满"})
        await robots.try_robot(ctx, robot_id)
    await desk.work()
    (told,) = await desk.shop.sandbox.get(f"robots/{key}/messages")
    assert "应用「客服」连不上了" in told["content"]
    assert "这是一条测试通知" in told["content"]
    assert "小满" not in told["content"]


async def test_a_robots_key_stands_nowhere(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    robot_id, key = await robot_of(desk, APP_FAILING.name)
    await desk.shop.sandbox.patch(f"robots/{key}", {"enabled": False})
    caplog.clear()  # what the test asked the sandbox for is none of ours
    async with transaction(desk.context) as ctx:
        await robots.try_robot(ctx, robot_id)
    await desk.work()
    assert "webhook/send" in caplog.text
    (row,) = await deliveries(desk)
    assert (row.state, row.error_code) == ("failed", "93004")
    async with transaction(desk.context) as ctx:
        tables = ("group_robots", "notices", "notice_deliveries", "audit_log")
        rows = [await ctx.session.scalars(text(f"SELECT row_to_json(t)::text FROM {one} AS t")) for one in tables]
        assert key not in "".join(line for found in rows for line in found)
    assert key not in caplog.text


@pytest.mark.parametrize(
    "webhook", ["", "https://example.cn/?key=abcdefgh", "ftp://x/cgi-bin/webhook/send?key=abcdefghi"]
)
async def test_what_is_no_robots_address_is_refused(desk: Desk, webhook: str) -> None:
    with pytest.raises(problems.NoWebhook):
        async with transaction(desk.context) as ctx:
            await robots.add_robot(ctx, "店长群", Secret(webhook), ())


async def test_a_robot_is_entered_once(desk: Desk) -> None:
    made = await desk.shop.sandbox.post("robots", {"name": "店长群"}, corp_id=desk.shop.corp_id)
    async with transaction(desk.context) as ctx:
        await robots.add_robot(ctx, "店长群", Secret(made["webhook"]), ())
    with pytest.raises(problems.RobotExists):
        async with transaction(desk.context) as ctx:
            await robots.add_robot(ctx, "又一次", Secret(made["webhook"]), ())


async def test_a_text_of_somebodys_is_no_argument(desk: Desk, manager: Person) -> None:
    with pytest.raises(ValueError, match="pass names"):
        await said(desk, manager, "long", app="长" * 201)


def test_the_key_of_a_runner_names_the_way_and_the_recipient() -> None:
    one = new_id()
    assert runner_key("sms", one) == f"sms:{one}"
