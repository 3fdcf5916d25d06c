"""What people are told of by themselves: connections, messages that failed, work, plans, colleagues."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from huitouke.kernel import clock
from huitouke.kernel.access import links
from huitouke.kernel.database import transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.modules.conversations.service import accounts
from huitouke.modules.organization import notice_queries as queries
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.notice_models import StaffNotice
from huitouke.modules.organization.service.notifying import watching
from tests.modules.conversations.desk import Desk, Person
from tests.support.http import PASSWORD
from tests.support.plans import give_plan, make_plan


async def kinds_of(desk: Desk, person: Person) -> list[str]:
    async with transaction(desk.context) as ctx:
        rows = await ctx.session.scalars(
            select(StaffNotice.kind).where(StaffNotice.staff_id == person.id).order_by(StaffNotice.id)
        )
        return [kind.split(".")[1] for kind in rows]


async def titles_of(person: Person) -> list[str]:
    async with transaction(person.context) as ctx:
        page = await queries.notice_page(ctx, unread=False, cursor=None, limit=50)
    return [one.title for one in page.items]


async def test_an_account_that_fails_and_works_again_is_told_of_once_each(desk: Desk) -> None:
    for _ in range(2):
        async with transaction(desk.context) as ctx:
            await accounts.account_failed(ctx, desk.account.id, "48002")
    for _ in range(2):
        async with transaction(desk.context) as ctx:
            await accounts.account_works(ctx, desk.account.id)
    assert await kinds_of(desk, desk.owner) == ["account_failing", "account_restored"]
    assert await kinds_of(desk, desk.aning) == [], "agents don't connect accounts"


async def test_a_pull_that_succeeds_says_that_the_account_works_again(desk: Desk) -> None:
    async with transaction(desk.context) as ctx:
        await accounts.account_failed(ctx, desk.account.id, "48002")
    await desk.customer_writes()
    assert await kinds_of(desk, desk.owner) == ["account_failing", "account_restored"]


async def test_an_app_that_no_longer_answers_is_told_to_the_others(desk: Desk) -> None:
    await organization.check_wecom_app(desk.context, desk.app_id)
    assert await kinds_of(desk, desk.owner) == []
    async with transaction(desk.context) as ctx:
        await organization.update_wecom_app(
            ctx, desk.app_id, organization.WecomAppChange(secret=Secret("wrong-secret-0123456789"))
        )
    await organization.check_wecom_app(desk.context, desk.app_id)
    await organization.check_wecom_app(desk.context, desk.app_id)
    assert await kinds_of(desk, desk.owner) == ["app_failing"]


async def test_who_wrote_a_message_that_failed_is_told(desk: Desk) -> None:
    await desk.customer_writes()
    await desk.takes(desk.xiaoyu)
    await desk.shop.sandbox.faults(api_paths=["kf/send_msg"], send_fail_probability=1.0, send_fail_delay_ms=0)
    await desk.says(desk.xiaoyu, "有的")

    async def told() -> bool:
        return "send_failed" in await kinds_of(desk, desk.xiaoyu)

    await desk.eventually(told)
    assert await kinds_of(desk, desk.aning) == []
    conversation = await desk.conversation()
    async with transaction(desk.xiaoyu.context) as ctx:
        (notice,) = (await queries.notice_page(ctx, unread=True, cursor=None, limit=10)).items
    assert notice.link == f"/conversations/{conversation.id}"


async def test_work_that_failed_is_told_once_a_day(desk: Desk) -> None:
    async with transaction(desk.context) as ctx:
        await ctx.session.execute(
            text(
                "INSERT INTO work_dead_letters (tenant_id, id, source, kind, key, attempts, error, created_at, died_at)"
                " VALUES (:t, :id, 'job', 'x', 'y', 8, 'ValueError: no', :now, :now)"
            ),
            {"t": desk.context.tenant_id, "id": new_id(), "now": clock.now()},
        )
    for _ in range(2):
        async with transaction(desk.context) as ctx:
            await watching.look(ctx)
    assert await titles_of(desk.owner) == ["有 1 个后台任务没有完成"]


async def test_a_plan_that_is_nearly_used_up_and_ends_soon_is_told_of(desk: Desk) -> None:
    plan = await make_plan(seats=3)
    await give_plan(desk.context.tenant_id, plan, until=clock.now() + timedelta(days=6, hours=1))
    for _ in range(2):
        async with transaction(desk.context) as ctx:
            await watching.look(ctx)
    assert sorted(await titles_of(desk.owner)) == sorted(["同事账号已用 100%", "套餐还有 7 天到期"])


@pytest.mark.parametrize("kind", ["invited", "joined"])
async def test_the_others_learn_who_was_invited_and_who_has_joined(desk: Desk, kind: str) -> None:
    async with transaction(desk.context) as ctx:
        new = organization.NewStaff("小满", f"xiaoman-{new_id().hex}", None, "agent")
        staff = await organization.add_staff(ctx, new)
        link = await organization.staff_link(ctx, staff.id)
    if kind == "joined":
        await links.use_link(link.token, Secret(PASSWORD))
    expected = ["小满 已加入", "邀请了 小满 加入"] if kind == "joined" else ["邀请了 小满 加入"]
    assert await titles_of(desk.owner) == expected
