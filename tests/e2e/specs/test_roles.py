"""Roles: the owner makes one and gives it, and the colleague's screen follows; nobody meets a closed door."""

import re

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.console import Console
from tests.e2e.pages.screens import MOBILE, Screens


def box(console: Console, label: str) -> Locator:
    return console.page.get_by_role("checkbox", name=re.compile(f"^{label}"))


async def test_the_owner_makes_a_role_gives_it_and_the_colleagues_menu_follows(screens: Screens, shop: Shop) -> None:
    person = await shop.colleague("小雨")
    theirs = await screens.console(person)
    await expect(theirs.inbox.list).to_be_visible()
    await expect(theirs.menu.get_by_role("link", name="设置")).to_have_count(0)

    console = await screens.console(shop.owner, at="/settings/roles")
    await console.button("organization.roles.add").click()
    await console.field("organization.roles.name").fill("周末主管")
    await box(console, "接待并回复客户").check()
    await expect(box(console, "查看会话")).to_be_checked()
    await box(console, "查看操作记录").check()
    await console.button("common.save").click()
    await expect(console.page.get_by_role("link", name=re.compile("周末主管"))).to_be_visible()

    await console.go("/settings/staff")
    await console.button_named("小雨").click()
    await console.page.get_by_role("radio", name=re.compile("^周末主管")).check()
    await console.button("common.save").click()
    await console.is_told(console.words("common.saved"))
    await expect(console.page.get_by_role("cell", name="周末主管")).to_be_visible()

    await theirs.menu.get_by_role("link", name="设置").click()
    await expect(theirs.page.get_by_role("heading", name=theirs.words("organization.audit.title"))).to_be_visible()
    await expect(theirs.menu.get_by_role("link", name="客户", exact=True)).to_have_count(0)


async def test_a_role_that_people_have_is_deleted_with_another_one_for_them(screens: Screens, shop: Shop) -> None:
    role = await shop.owner.post("/api/roles", {"name": "前台", "permissions": ["customers.view"]})
    await shop.colleague("小雨", role["key"])
    console = await screens.console(shop.owner, at=f"/settings/roles/{role['key']}")
    await console.button("organization.roles.delete").click()
    await console.page.get_by_role("combobox").select_option("cashier")
    await console.button("organization.roles.move_do").click()
    await console.is_told("已删除「前台」")
    assert "cashier" in {one["role"] for one in (await shop.owner.get("/api/staff"))["items"]}


async def test_who_leaves_with_changes_is_asked(screens: Screens, shop: Shop) -> None:
    console = await screens.console(shop.owner, at="/settings/roles/manager")
    await console.button("organization.roles.copy").click()
    await expect(console.field("organization.roles.name")).to_have_value("主管（副本）")
    await box(console, "查看操作记录").uncheck()
    await console.page.get_by_role("link", name=console.words("organization.staff.title"), exact=True).first.click()
    await console.button("common.cancel").click()
    await expect(box(console, "查看操作记录")).not_to_be_checked()
    await console.page.get_by_role("link", name=console.words("organization.staff.title"), exact=True).first.click()
    await console.button("organization.roles.leave_do").click()
    await expect(console.button("organization.staff.add")).to_be_visible()


PAGES = {
    "analyst": ("/conversations", "/customers", "/assistant/knowledge", "/assistant/try"),
    "cashier": ("/customers",),
    "manager": (
        "/settings/staff",
        "/settings/people",
        "/settings/roles",
        "/settings/roles/agent",
        "/settings/audit",
        "/assistant/settings",
    ),
}


@pytest.mark.parametrize("role", PAGES)
async def test_nobody_meets_a_closed_door(screens: Screens, shop: Shop, role: str) -> None:
    """No page that the menu offers asks the server for what it refuses: the watch fails for each such answer."""
    customer = await shop.customer()
    await customer.writes("在吗")
    conversation = await customer.conversation()
    console = await screens.console(await shop.colleague("小雨", role), at="/")
    await console.is_settled()
    await expect(console.page).to_have_url(re.compile(PAGES[role][0] if role != "manager" else "/conversations"))
    pages = [*PAGES[role], *([f"/conversations/{conversation}"] if role != "cashier" else []), "/me"]
    for page in pages:
        await console.go(page)
        await console.is_settled()
        await expect(console.page.get_by_text(console.words("app.forbidden.title"))).to_have_count(0)
    for entry in await console.menu.get_by_role("link").all():
        await entry.click()
        await console.is_settled()
        await expect(console.page.get_by_text(console.words("app.forbidden.title"))).to_have_count(0)


async def test_a_cashier_starts_with_the_customers_on_the_phone(screens: Screens, shop: Shop) -> None:
    phone = await screens.console(await shop.colleague("小雨", "cashier"), size=MOBILE, at="/")
    await expect(phone.page.get_by_role("heading", name=phone.words("customers.title"), exact=True)).to_be_visible()
    await phone.go("/settings/roles")
    await expect(phone.page.get_by_text(phone.words("app.forbidden.title"))).to_be_visible()
    await phone.page.get_by_role("link", name=phone.words("app.to_start")).click()
    await expect(phone.page.get_by_role("heading", name=phone.words("customers.title"), exact=True)).to_be_visible()
