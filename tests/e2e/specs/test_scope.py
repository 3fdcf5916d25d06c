"""Whose customers a role sees: set on the role's page, followed live in the inbox, changed on the customer's card."""

import re

from playwright.async_api import expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import Screens

PERMISSIONS = ["assistant.view", "conversations.view", "conversations.reply", "customers.view"]


async def test_the_owner_narrows_a_role_and_is_asked_which_departments(screens: Screens, shop: Shop) -> None:
    role = await shop.owner.post("/api/roles", {"name": "专属客服", "permissions": PERMISSIONS})
    console = await screens.console(shop.owner, at=f"/settings/roles/{role['key']}")
    await expect(console.page.get_by_text(console.words("organization.roles.scope.hint"))).to_be_visible()
    own = console.page.get_by_role("radio", name=re.compile(f"^{console.words('organization.roles.scope.own')}"))
    await expect(own).not_to_be_checked()
    await own.check()
    await console.button("common.save").click()
    await console.is_told(console.words("common.saved"))
    changed = next(one for one in (await shop.owner.get("/api/roles"))["items"] if one["key"] == role["key"])
    assert changed["data_scope"] == "own"

    await console.go("/settings/audit")
    await expect(console.page.get_by_text(console.words("organization.roles.scope.own")).first).to_be_visible()

    await console.go(f"/settings/roles/{role['key']}")
    chosen = console.page.get_by_role("radio", name=re.compile(f"^{console.words('organization.roles.scope.chosen')}"))
    await chosen.check()
    await expect(console.page.get_by_text(console.words("organization.roles.scope.no_departments"))).to_be_visible()
    await expect(console.button("common.save")).to_be_disabled()


async def test_a_customer_that_somebody_takes_leaves_the_others_inboxes_and_comes_back_by_the_card(
    screens: Screens, shop: Shop
) -> None:
    await shop.pause_assistant()
    body = {"name": "只看自己的", "permissions": PERMISSIONS, "data_scope": "own"}
    role = await shop.owner.post("/api/roles", body)
    person = await shop.colleague("小雨", role["key"])
    customer = await shop.customer("晓雯")
    await customer.writes("有大一点的吗")
    conversation = await customer.conversation()
    theirs = await screens.console(person)
    await expect(theirs.inbox.row("晓雯")).to_be_visible()

    await shop.owner.post(f"/api/conversations/{conversation}/take")
    await expect(theirs.inbox.row("晓雯")).to_have_count(0)

    console = await screens.console(shop.owner, at="/customers")
    await console.button_named("晓雯").click()
    followers = console.page.get_by_role("region", name=console.words("customers.followers"))
    await expect(followers.get_by_text("店长")).to_be_visible()
    await followers.get_by_role("button", name=console.words("customers.followers_add")).click()
    await followers.get_by_role("combobox").select_option(label="小雨")
    await followers.get_by_role("button", name=console.words("common.save")).click()
    await expect(followers.get_by_text("小雨")).to_be_visible()
    await expect(theirs.inbox.row("晓雯")).to_be_visible()

    remove = console.words("customers.followers_remove").replace("{name}", "小雨")
    await followers.get_by_role("button", name=remove).click()
    await console.is_told(console.words("customers.followers_removed").replace("{name}", "小雨"))
    await expect(theirs.inbox.row("晓雯")).to_have_count(0)
