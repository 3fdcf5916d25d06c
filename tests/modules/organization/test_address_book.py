"""The address book: what WeCom says stands here too, however it came about."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from huitouke.kernel.access.models import Membership
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.keys import Secret
from huitouke.kernel.work import testing as work
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.models import AddressBookPerson, Staff, WecomApp
from huitouke.modules.organization.service import address_book, address_book_run, problems
from tests.modules.organization.book import Book, open_book
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import PASSWORD
from tests.support.time import later, today

TREE = (
    {"id": 2, "name": "门店", "order": 20},
    {"id": 3, "name": "一店", "parentid": 2, "order": 9},
    {"id": 4, "name": "二店", "parentid": 2, "order": 8},
    {"id": 5, "name": "仓库", "order": 10},
)
PEOPLE = [
    {"userid": "Mei", "name": "小梅", "departments": [3], "leads": [3]},
    {"userid": "bo", "name": "阿波", "departments": [3, 5]},
    {"userid": "chen", "name": "小陈"},
]


@pytest.fixture
async def book(running: tuple[Sandbox, str]) -> AsyncIterator[Book]:
    """A corp with a tree and three people."""
    opened = await open_book(*running)
    await opened.add(*TREE, people=PEOPLE)
    yield opened
    await opened.sandbox.faults()


async def many(book: Book, count: int) -> None:
    await book.add(people=[{"userid": f"m{one:03d}", "name": f"员工{one}", "departments": [4]} for one in range(count)])


async def test_through_the_app_alone_departments_and_people_come_in(book: Book) -> None:
    await book.connect()

    assert await book.ours() == await book.theirs()
    done = await book.book()
    assert (done.state, done.problem) == ("idle", None)
    assert done.last is not None
    assert {name: done.last[name] for name in ("people", "departments", "added", "left")} == {
        "people": 3, "departments": 5, "added": 3, "left": 0,
    }  # fmt: skip


async def test_people_of_the_address_book_do_not_sign_in_and_are_not_rung(book: Book) -> None:
    await book.connect()

    mei = await book.staff("mei")
    assert (mei.role, mei.user_id, mei.source, mei.notify_app_messages) == ("agent", None, "wecom", False)


@pytest.mark.parametrize("with_secret", [False, True])
async def test_a_second_sync_writes_nothing(book: Book, with_secret: bool) -> None:
    await book.connect()
    if with_secret:
        await book.give_secret()
    before = await book.written()

    await book.sync()

    assert await book.written() == before
    assert (await book.book()).figures == {"added": 0, "changed": 0, "returned": 0, "left": 0}
    async with transaction(book.context) as ctx:
        assert await ctx.session.scalar(select(func.count()).select_from(AddressBookPerson)) == 0


async def test_what_was_moved_renamed_and_left_follows(book: Book) -> None:
    await book.connect()
    mei = await book.staff("Mei")
    await book.change_department(4, name="新店", parentid=5)
    await book.add({"id": 6, "name": "三店", "parentid": 4})
    await book.change("Mei", name="小美", departments=[6], leads=[])
    await book.change("bo", departments=[4], leads=[4])
    await book.remove("chen")
    await book.remove_department(3)

    await book.sync()

    assert await book.ours() == await book.theirs()
    assert (await book.staff("mei")).id == mei.id
    chen = await book.staff("chen")
    assert (chen.state, chen.left_because) == ("left", "address_book")
    assert chen.left_at is not None


async def test_with_contact_sync_people_beyond_the_visible_range_are_known_by_their_userid(book: Book) -> None:
    await book.show([5])
    await book.connect()
    assert set((await book.ours()).people) == {"bo"}

    await book.give_secret()

    ours, theirs = await book.ours(), await book.theirs()
    assert {userid: places for userid, (_, places, _) in ours.people.items()} == {
        userid: places for userid, (_, places, _) in theirs.people.items()
    }
    assert {userid: name for userid, (name, _, _) in ours.people.items()} == {
        "Mei": "Mei", "bo": "阿波", "chen": "chen",
    }  # fmt: skip
    assert {number: above for number, (_, above, _) in ours.departments.items()} == {
        number: above for number, (_, above, _) in theirs.departments.items()
    }
    assert ours.departments[5][0] == "仓库"
    assert ours.departments[3][0] == "部门 3"


async def test_a_name_that_was_known_stays_when_the_app_no_longer_sees_the_person(book: Book) -> None:
    await book.connect()
    await book.give_secret()
    await book.show([5])

    await book.sync()

    assert (await book.ours()).people["Mei"][0] == "小梅"


async def test_people_whom_the_app_sees_by_themselves_are_read_one_by_one(book: Book) -> None:
    await book.show([5], ["Mei"])

    await book.connect()

    assert {userid: name for userid, (name, _, _) in (await book.ours()).people.items()} == {
        "bo": "阿波",
        "Mei": "小梅",
    }


async def test_whom_somebody_entered_by_hand_is_adopted_and_keeps_the_sign_in(book: Book) -> None:
    async with transaction(book.context) as ctx:
        new = organization.NewStaff("梅姐", f"mei-{book.context.tenant_id.hex}", Secret(PASSWORD), "manager", "MEI")
        staff = await organization.add_staff(ctx, new)

    await book.connect()

    mei = await book.staff("mei")
    assert (mei.id, mei.user_id, mei.role) == (staff.id, staff.user_id, "manager")
    assert (mei.name, mei.wecom_userid, mei.source) == ("小梅", "Mei", "wecom")
    assert await book.ours() == await book.theirs()


async def test_who_leaves_is_signed_out_and_comes_back_without_it(book: Book) -> None:
    async with transaction(book.context) as ctx:
        new = organization.NewStaff("梅姐", f"mei-{book.context.tenant_id.hex}", Secret(PASSWORD), "manager", "mei")
        staff = await organization.add_staff(ctx, new)
    await book.connect()
    await book.remove("Mei")

    await book.sync()

    async with platform_transaction() as session:
        state = await session.scalar(select(Membership.state).where(Membership.user_id == staff.user_id))
    assert ((await book.staff("mei")).state, state) == ("left", "ended")
    await book.add(people=[PEOPLE[0]])
    await book.sync()
    assert (await book.staff("mei")).state == "disabled"


async def test_an_owner_is_not_locked_out_by_a_list(book: Book) -> None:
    async with transaction(book.context) as ctx:
        await organization.update_staff(ctx, book.owner_id, organization.StaffChange(wecom_userid="Mei"))
    await book.connect()
    await book.remove("Mei")

    await book.sync()

    owner = await book.staff("mei")
    assert (owner.id, owner.state) == (book.owner_id, "active")


async def test_more_than_half_are_only_marked_as_left_when_somebody_has_confirmed_it(book: Book) -> None:
    await many(book, 20)
    await book.connect()
    for one in range(20):
        await book.remove(f"m{one:03d}")

    await book.sync()

    asking = await book.book()
    assert (asking.state, asking.leaving) == ("asking", 20)
    assert len((await book.ours()).people) == 23
    with pytest.raises(problems.NothingAsked):
        async with transaction(book.context) as ctx:
            await address_book.confirm_leaving(ctx, 19)
    async with transaction(book.context) as ctx:
        await address_book.confirm_leaving(ctx, 20)
    await work.drain()
    assert await book.ours() == await book.theirs()
    assert (await book.book()).state == "idle"


@pytest.mark.parametrize("kill_at", range(1, 9))
async def test_killed_after_any_step_it_goes_on_and_ends_the_same(
    book: Book, kill_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step that was under way is lost, those before are not repeated."""
    monkeypatch.setattr(address_book_run, "DEPARTMENTS_PER_STEP", 2)
    monkeypatch.setattr(address_book_run.people, "CHUNK_PEOPLE", 2)
    async with transaction(book.context) as ctx:
        await address_book.connect(ctx, await organization.wecom_app(ctx, book.app_id))
    places: list[tuple[str, str]] = []
    commit = address_book_run._commit

    async def killed(*arguments: object) -> None:
        place = arguments[1]
        assert isinstance(place, address_book_run.Place)
        if len(places) == kill_at - 1:
            raise asyncio.CancelledError
        places.append((place.phase, place.cursor))
        await commit(*arguments)  # type: ignore[arg-type]  # whatever they are, they are handed on

    monkeypatch.setattr(address_book_run, "_commit", killed)
    try:
        await address_book_run.work(book.context)
    except asyncio.CancelledError:
        pass
    else:
        raise AssertionError("it ended before it was killed")
    monkeypatch.setattr(address_book_run, "_commit", commit)
    half = await book.book()
    assert (half.phase, half.cursor) not in places

    await work.drain()

    assert await book.ours() == await book.theirs()


async def test_a_time_of_no_answers_is_waited_out_and_said(book: Book) -> None:
    await book.sandbox.faults(api_rate_limit_probability=1.0, api_paths=["user/list"])

    await book.connect()

    waiting = await book.book()
    assert (waiting.state, waiting.phase, waiting.problem, waiting.problem_place) == (
        "waiting",
        "people",
        "45009",
        "app",
    )
    await book.sandbox.faults()
    await later(120)
    try:
        await work.drain()
    finally:
        await today()
    assert (await book.book()).state == "idle"
    assert await book.ours() == await book.theirs()


async def test_a_wrong_secret_is_said_and_marks_nobody_as_left(book: Book) -> None:
    await book.connect()
    await book.give_secret()
    await book.sandbox.patch(f"apps/{book.contacts_agentid}", {"secret": "another-secret-1234"}, corp_id=book.corp_id)
    before = await book.written()

    await book.sync()

    failed = await book.book()
    assert (failed.state, failed.problem, failed.problem_place) == ("failed", "40001", "contacts")
    assert await book.written() == before


async def test_every_night_it_is_read_again(book: Book) -> None:
    await book.connect()
    await book.change("Mei", name="小美")  # no callback tells of a new name
    await later(24 * 3_600)
    try:
        await work.drain()
    finally:
        await today()

    now = await book.book()
    assert (now.state, now.problem) == ("idle", None)
    assert (await book.ours()).people["Mei"][0] == "小美"


async def test_callbacks_bring_changes_in_without_a_sync(book: Book) -> None:
    await book.connect()
    await book.give_secret()
    run = (await book.book()).run
    mei = await book.staff("mei")

    await book.add({"id": 7, "name": "四店", "parentid": 2})
    await book.add(people=[{"userid": "dong", "name": "小东", "departments": [7], "leads": [7]}])
    await book.change("bo", departments=[5], leads=[5])
    await book.change("Mei", userid="MeiLin")
    await book.remove("chen")
    await book.change_department(4, parentid=7)
    await book.told()

    assert await book.ours() == await book.theirs()
    assert (await book.staff("meilin")).id == mei.id
    assert (await book.staff("chen")).state == "left"
    assert (await book.book()).run == run


async def test_a_deleted_department_goes_with_its_callback(book: Book) -> None:
    await book.connect()
    await book.give_secret()
    await book.change("bo", departments=[5])
    await book.change("Mei", departments=[4])
    await book.remove_department(3)
    await book.told()

    assert await book.ours() == await book.theirs()


async def test_whom_the_app_does_not_see_callbacks_still_move(book: Book) -> None:
    await book.show([5])
    await book.connect()
    await book.give_secret()
    await book.change("Mei", departments=[4])
    await book.told()

    assert (await book.ours()).people["Mei"] == ("Mei", frozenset({4}), frozenset())


async def test_doubled_and_lost_callbacks_are_set_right_by_the_next_sync(book: Book) -> None:
    await book.connect()
    await book.give_secret()
    await book.sandbox.faults(callback_loss_probability=0.5, callback_double_probability=0.5)
    await many(book, 12)
    await book.told()
    await book.sandbox.faults()

    await book.sync()

    assert await book.ours() == await book.theirs()


async def test_whom_somebody_here_marked_as_left_stays_so(book: Book) -> None:
    await book.connect()
    async with transaction(book.context) as ctx:
        row = await ctx.session.scalar(select(Staff).where(Staff.wecom_userid == "bo"))
        assert row is not None
        row.state, row.left_because = "left", "hand"

    await book.sync()

    assert (await book.staff("bo")).state == "left"


async def test_disconnected_people_stay_and_the_app_can_go(book: Book) -> None:
    await book.connect()
    await book.give_secret()
    with pytest.raises(problems.WecomAppInUse):
        async with transaction(book.context) as ctx:
            await organization.delete_wecom_app(ctx, book.app_id)

    async with transaction(book.context) as ctx:
        await address_book.disconnect(ctx)
    async with transaction(book.context) as ctx:
        await organization.delete_wecom_app(ctx, book.app_id)
    await work.drain()

    assert await book.ours() == await book.theirs()
    async with transaction(book.context) as ctx:
        assert list(await ctx.session.scalars(select(WecomApp))) == []


async def test_the_secret_of_contact_sync_is_no_app_to_choose(book: Book) -> None:
    await book.connect()
    await book.give_secret()

    async with transaction(book.context) as ctx:
        assert [one.id for one in await organization.wecom_apps(ctx)] == [book.app_id]
        hidden = await ctx.session.scalar(select(WecomApp.id).where(WecomApp.kind == "contacts"))
        assert hidden is not None
        with pytest.raises(NotFound):
            await organization.wecom_app(ctx, hidden)
