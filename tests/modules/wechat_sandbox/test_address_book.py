"""The address book as WeCom shows it to an app and to 通讯录同步 (path/90196, 90970)."""

from typing import Any

import pytest

from tests.modules.wechat_sandbox.shop import Receiver, Shop, serving, until

TREE = [
    {"id": 2, "name": "门店", "order": 20},
    {"id": 3, "name": "一店", "parentid": 2},
    {"id": 4, "name": "仓库", "order": 10},
]
PEOPLE = [
    {"userid": "Mei", "name": "小梅", "departments": [3], "leads": [3]},
    {"userid": "bo", "name": "阿波", "departments": [3, 4]},
]


@pytest.fixture
async def book(shop: Shop) -> Shop:
    """A shop with a tree and two more people in it."""
    await shop.sandbox.post("address-book", {"departments": TREE, "employees": PEOPLE}, corp_id=shop.corp_id)
    return shop


@pytest.fixture
async def contacts(book: Shop) -> Shop:
    """The same corp through the secret of 通讯录同步."""
    app = await book.sandbox.post("apps", {"name": "通讯录同步", "contact_sync": True}, corp_id=book.corp_id)
    shop = Shop(book.sandbox, book.corp_id, app["agentid"], app["secret"], book.open_kfid, book.customer)
    await shop.refresh_token()
    return shop


async def test_a_corp_begins_with_its_root_and_everybody_in_it(shop: Shop) -> None:
    listed = await shop.fetch("department/list")
    people = await shop.fetch("user/list", department_id="1")

    assert [(one["id"], one["parentid"], one["name"]) for one in listed["department"]] == [(1, 0, "小店")]
    assert [(one["userid"], one["department"]) for one in people["userlist"]] == [("lin", [1]), ("wang", [1])]


async def test_departments_are_listed_from_any_of_them_downwards(book: Shop) -> None:
    everything = await book.fetch("department/list")
    below = await book.fetch("department/list", id="2")
    ids = await book.fetch("department/simplelist", id="2")
    one = await book.fetch("department/get", id="3")

    assert [found["id"] for found in everything["department"]] == [1, 2, 4, 3]
    assert [found["id"] for found in below["department"]] == [2, 3]
    assert ids["department_id"] == [{"id": 2, "parentid": 1, "order": 20}, {"id": 3, "parentid": 2, "order": 0}]
    assert one["department"]["department_leader"] == ["Mei"]


async def test_members_are_of_one_department_and_with_fetch_child_of_all_below(book: Shop) -> None:
    own = await book.fetch("user/list", department_id="2")
    shop_floor = await book.fetch("user/list", department_id="3")
    below = await book.fetch("user/simplelist", department_id="2", fetch_child="1")

    assert own["userlist"] == []
    assert [(one["userid"], one["department"], one["is_leader_in_dept"]) for one in shop_floor["userlist"]] == [
        ("Mei", [3], [1]),
        ("bo", [3, 4], [0, 0]),
    ]
    assert sorted(one["userid"] for one in below["userlist"]) == ["Mei", "bo"]


async def test_userids_are_found_in_any_case_and_unknown_ones_are_said(book: Shop) -> None:
    assert (await book.fetch("user/get", userid="mei"))["userid"] == "Mei"
    assert (await book.fetch("user/get", userid="nobody"))["errcode"] == 60111
    assert (await book.fetch("user/list", department_id="99"))["errcode"] == 60123


async def test_an_app_sees_its_visible_range_and_nothing_beyond(book: Shop) -> None:
    wanted = {"visible_departments": [4], "visible_users": ["lin"]}
    await book.sandbox.patch(f"apps/{book.agentid}", wanted, corp_id=book.corp_id)

    assert [one["id"] for one in (await book.fetch("department/list"))["department"]] == [4]
    assert (await book.fetch("department/list", id="3"))["errcode"] == 60011
    assert (await book.fetch("user/list", department_id="3"))["errcode"] == 60011
    assert (await book.fetch("user/get", userid="Mei"))["errcode"] == 60011
    assert (await book.fetch("user/get", userid="lin"))["department"] == []
    (bo,) = (await book.fetch("user/list", department_id="4"))["userlist"]
    assert bo["department"] == [4]  # only departments that the app may see
    agent = await book.fetch("agent/get", agentid=str(book.agentid))
    assert (agent["allow_partys"]["partyid"], agent["allow_userinfos"]["user"]) == ([4], [{"userid": "lin"}])
    added = await book.call("kf/servicer/add", open_kfid=book.open_kfid, userid_list=["Mei"])
    assert added["result_list"][0]["errcode"] == 60030


async def test_list_id_gives_every_pair_once_page_by_page(contacts: Shop) -> None:
    pairs: list[tuple[str, int]] = []
    cursor, pages = "", 0
    while True:
        page = await contacts.call("user/list_id", cursor=cursor, limit=2)
        assert page["errcode"] == 0, page
        pairs += [(one["userid"], one["department"]) for one in page["dept_user"]]
        pages += 1
        cursor = page["next_cursor"]
        if not cursor:
            break

    assert pairs == [("bo", 3), ("bo", 4), ("lin", 1), ("Mei", 3), ("wang", 1)]
    assert pages == 3
    assert (await contacts.call("user/list_id", limit=10_001))["errcode"] == 40058
    assert (await contacts.call("user/list_id", cursor="!"))["errcode"] == 60268


async def test_each_secret_may_do_its_own(book: Shop, contacts: Shop) -> None:
    assert (await book.call("user/list_id"))["errcode"] == 48002
    assert [one["id"] for one in (await contacts.fetch("department/simplelist"))["department_id"]] == [1, 2, 4, 3]
    for path, query in (
        ("user/get", {"userid": "lin"}),
        ("user/list", {"department_id": "1"}),
        ("user/simplelist", {"department_id": "1"}),
        ("department/list", {}),
        ("department/get", {"id": "1"}),
    ):
        assert (await contacts.fetch(path, **query))["errcode"] == 48009, path
    assert (await contacts.call("kf/account/list"))["errcode"] == 48002
    assert (await contacts.fetch("agent/get", agentid=str(contacts.agentid)))["errcode"] == 48002


@pytest.fixture
async def told(contacts: Shop) -> Any:
    """The callback of 通讯录同步."""
    taker = Receiver()
    async with serving(taker) as address:
        saved = await contacts.listen(taker, f"{address}/callback")
        assert saved["ok"], saved
        yield taker


async def test_changes_are_told_to_contact_sync_alone_and_in_few_fields(
    contacts: Shop, told: Receiver, receiver: Receiver
) -> None:
    sandbox, corp = contacts.sandbox, {"corp_id": contacts.corp_id}
    common = {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Event"}
    expected: list[dict[str, str]] = []

    async def then(*changes: dict[str, str]) -> None:
        expected.extend(changes)
        await until(lambda: len(told.events) == len(expected))
        shown = [{key: one[key] for key in one if key not in common} for one in told.events]
        assert shown == expected

    await sandbox.post("address-book", {"departments": [{"id": 5, "name": "二店", "parentid": 2}]}, **corp)
    await then({"ChangeType": "create_party", "Id": "5", "ParentId": "2"})
    await sandbox.patch("address-book/departments/5", {"name": "新店"}, **corp)  # a new name is not told
    await sandbox.patch("address-book/departments/5", {"parentid": 1}, **corp)
    await then({"ChangeType": "update_party", "Id": "5", "ParentId": "1"})
    await sandbox.post("address-book", {"employees": [{"userid": "new", "name": "新", "departments": [5]}]}, **corp)
    await then({"ChangeType": "create_user", "UserID": "new", "Department": "5"})
    await sandbox.patch("address-book/employees/new", {"name": "改名"}, **corp)
    await sandbox.patch("address-book/employees/new", {"departments": [2, 4]}, **corp)
    await then({"ChangeType": "update_user", "UserID": "new", "Department": "2,4"})
    await sandbox.patch("address-book/employees/new", {"userid": "newer"}, **corp)
    await then({"ChangeType": "update_user", "UserID": "new", "NewUserID": "newer"})
    answer = await sandbox.http.delete("/sandbox/employees/newer", params=corp)
    assert answer.status_code == 200
    await then({"ChangeType": "delete_user", "UserID": "newer"})
    await sandbox.http.delete("/sandbox/address-book/departments/5", params=corp)
    await then({"ChangeType": "delete_party", "Id": "5"})
    assert receiver.named("change_contact") == []


async def test_departments_that_hold_something_stay_and_none_stands_below_itself(book: Shop) -> None:
    sandbox, corp = book.sandbox, {"corp_id": book.corp_id}
    for department in (1, 2, 3):
        answer = await sandbox.http.delete(f"/sandbox/address-book/departments/{department}", params=corp)
        assert answer.status_code == 409, department
    moved = sandbox.patch("address-book/departments/2", {"parentid": 3}, **corp)
    assert await sandbox.refused(moved) == 409


async def test_a_large_address_book_is_made_at_once(contacts: Shop) -> None:
    size = await contacts.sandbox.post(
        "address-book/fill", {"departments": 200, "employees": 3_000, "fan_out": 10}, corp_id=contacts.corp_id
    )
    page = await contacts.call("user/list_id")

    assert size == {"departments": 204, "employees": 3_004}
    assert page["next_cursor"] == ""
    assert len({one["userid"] for one in page["dept_user"]}) == 3_004
