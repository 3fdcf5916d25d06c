"""Departments and people: from WeCom's address book, by hand, from a file; at a desk and on the phone."""

import io
import re

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet
from playwright.async_api import Locator, expect

from huitouke.kernel.ids import new_id
from tests.e2e.composers.shop import Shop
from tests.e2e.pages.console import Console
from tests.e2e.pages.screens import MOBILE, Screens

PEOPLE = "/settings/people"
BOOK = "/settings/people/address-book"


async def fill(shop: Shop) -> None:
    """Two shops and a store room, three people."""
    wanted = {
        "departments": [
            {"id": 2, "name": "门店", "order": 9},
            {"id": 3, "name": "一店", "parentid": 2},
            {"id": 4, "name": "仓库", "order": 8},
        ],
        "employees": [
            {"userid": "MeiLin", "name": "小梅", "departments": [3], "leads": [3]},
            {"userid": "bo", "name": "阿波", "departments": [4]},
        ],
    }
    await shop.stage.sandbox.post("address-book", wanted, corp_id=shop.corp_id)


def row(console: Console, name: str) -> Locator:
    return console.page.get_by_role("row").filter(has_text=name)


async def act(console: Console, name: str, key: str) -> None:
    """Chooses from the menu of a person's row."""
    await row(console, name).get_by_role("button", name=console.words("organization.staff.actions", name=name)).click()
    await console.page.get_by_role("menuitem", name=console.words(key)).click()


async def test_the_address_book_is_connected_and_a_person_of_it_invited(screens: Screens, shop: Shop) -> None:
    await fill(shop)
    console = await screens.console(shop.owner, at=PEOPLE)
    await expect(console.page.get_by_text(console.words("organization.book.offer"))).to_be_visible()
    await console.page.get_by_role("link", name=console.words("organization.book.connect")).click()
    await console.button("organization.book.begin").click()
    done = console.page.get_by_label(console.words("organization.book.last"))
    await expect(done).to_contain_text(console.words("organization.book.figure.departments"))
    await expect(console.page.get_by_text(console.words("organization.book.nightly_hint"))).to_be_visible()

    await console.go(PEOPLE)
    tree = console.page.get_by_role("navigation", name=console.words("organization.department.list"))
    await tree.get_by_role("button", name=re.compile("^门店")).click()
    await expect(row(console, "小梅")).to_contain_text("一店（负责人）")
    await expect(row(console, "阿波")).to_have_count(0)
    await act(console, "小梅", "organization.people.invite")
    await console.field("organization.staff.sign_in_name").fill(f"mei-{new_id().hex[-10:]}")
    await console.button("organization.people.make_link").click()
    await expect(console.page.get_by_role("dialog").locator("code")).to_contain_text("/join#")
    await console.button("common.done").click()
    await expect(row(console, "小梅")).to_contain_text(console.words("organization.people.is.invited"))


async def test_the_secret_of_contact_sync_brings_changes_in_at_once(screens: Screens, shop: Shop) -> None:
    await fill(shop)
    sandbox = shop.stage.sandbox
    contacts = await sandbox.post("apps", {"name": "通讯录同步", "contact_sync": True}, corp_id=shop.corp_id)
    await shop.owner.put("/api/address-book", {"wecom_app_id": shop.app_id})
    console = await screens.console(shop.owner, at=BOOK)
    await console.field("organization.book.contacts.secret").fill(contacts["secret"])
    await console.button("common.save").click()
    await expect(console.page.get_by_text(console.words("organization.book.contacts.unheard"))).to_be_visible()
    book = (await shop.owner.get("/api/address-book"))["book"]["contacts"]
    values = {
        "url": book["callback_url"], "token": book["callback_token"], "encoding_aes_key": book["callback_aes_key"],
    }  # fmt: skip
    saved = await sandbox.put(f"apps/{contacts['agentid']}/callback", values, corp_id=shop.corp_id)
    assert saved["ok"], saved

    await console.go(PEOPLE)
    await expect(row(console, "阿波")).to_be_visible()
    new = {"employees": [{"userid": "dong", "name": "小东", "departments": [4]}]}
    await sandbox.post("address-book", new, corp_id=shop.corp_id)
    await expect(row(console, "小东")).to_be_visible()
    await console.go(BOOK)
    await expect(console.page.get_by_text(re.compile("已收到企业微信的变更通知"))).to_be_visible()


async def test_when_most_people_are_gone_it_asks_before_anybody_is_marked_as_left(screens: Screens, shop: Shop) -> None:
    people = [{"userid": f"m{number}", "name": f"员工{number}", "departments": [1]} for number in range(15)]
    sandbox = shop.stage.sandbox
    await sandbox.post("address-book", {"employees": people}, corp_id=shop.corp_id)
    await shop.owner.put("/api/address-book", {"wecom_app_id": shop.app_id})
    console = await screens.console(shop.owner, at=BOOK)
    await expect(console.page.get_by_label(console.words("organization.book.last"))).to_be_visible()
    wanted = {"visible_departments": [], "visible_users": ["m1"]}
    await sandbox.patch(f"apps/{shop.agentid}", wanted, corp_id=shop.corp_id)

    await console.button("organization.book.now").click()
    await expect(console.page.get_by_text(re.compile("人将标为离职，确认？"))).to_be_visible()
    await console.page.get_by_role("button", name=re.compile("^确认 ")).click()
    await expect(console.page.get_by_text(console.words("organization.book.is.idle"), exact=True)).to_be_visible()
    left = await shop.owner.get("/api/people", state="left")
    assert len(left["items"]) >= 14


async def test_by_hand_on_the_phone_departments_are_made_and_people_leave(screens: Screens, shop: Shop) -> None:
    phone = await screens.console(shop.owner, at=PEOPLE, size=MOBILE)
    await phone.button("organization.people.add_any").click()
    await phone.page.get_by_role("menuitem", name=phone.words("organization.department.add")).click()
    await phone.field("organization.department.name").fill("一店")
    await phone.button("common.save").click()
    way = phone.page.get_by_role("navigation", name=phone.words("organization.department.way"))
    await expect(way.get_by_role("button", name="一店")).to_be_visible()
    await phone.button("organization.people.add_any").click()
    await phone.page.get_by_role("menuitem", name=phone.words("organization.people.add")).click()
    await phone.field("organization.staff.name").fill("小梅")
    await phone.button("common.save").click()
    await expect(row(phone, "小梅")).to_contain_text(phone.words("organization.people.is.listed"))

    await act(phone, "小梅", "organization.people.leave")
    await phone.page.get_by_role("dialog").get_by_role("button", name=phone.words("organization.people.leave")).click()
    await expect(row(phone, "小梅")).to_have_count(0)
    await phone.go(f"{PEOPLE}?state=left")
    await act(phone, "小梅", "organization.people.back")
    await expect(row(phone, "小梅")).to_have_count(0)
    await phone.go(PEOPLE)
    await expect(row(phone, "小梅")).to_be_visible()


async def test_people_come_in_from_a_file_and_bad_rows_are_named(screens: Screens, shop: Shop) -> None:
    book = openpyxl.Workbook()
    assert isinstance(book.active, Worksheet)
    for line in (("姓名", "企业微信账号", "部门"), ("小梅", "", "门店/一店"), ("", "bo", "仓库")):
        book.active.append(list(line))
    target = io.BytesIO()
    book.save(target)
    console = await screens.console(shop.owner, at=f"{PEOPLE}/import")
    await console.page.locator("input[type=file]").set_input_files(
        {"name": "员工.xlsx", "mimeType": "application/octet-stream", "buffer": target.getvalue()}
    )
    await expect(console.page.get_by_text("没有写姓名")).to_be_visible()
    await console.button_named("导入 1 人").click()
    await expect(console.page.get_by_text(console.words("organization.people.import.done"))).to_be_visible()
    await console.page.get_by_role("link", name=console.words("organization.people.import.to_list")).click()
    await expect(row(console, "小梅")).to_contain_text("一店")
