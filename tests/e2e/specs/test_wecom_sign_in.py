"""Signing in with WeCom: the owner turns it on, a colleague scans and is in, and a stranger learns what is missing."""

from playwright.async_api import Page, expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.console import Console
from tests.e2e.pages.screens import MOBILE, Screens


async def turned_on(screens: Screens, shop: Shop) -> str:
    """The door's path, after the owner turned it on."""
    (app,) = (await shop.owner.get("/api/wecom-apps"))["items"]
    console = await screens.console(shop.owner, at=f"/settings/channels/apps/{app['id']}")
    await console.button("organization.app.sign_in_on").click()
    await console.is_told(console.words("common.saved"))
    address = (await shop.owner.get(f"/api/wecom-apps/{app['id']}"))["sign_in_url"]
    await expect(console.page.get_by_text(address)).to_be_visible()
    return address.removeprefix(console.address)


async def scanned(console: Console, name: str) -> Page:
    await console.button("app.door.scan").click()
    await console.page.get_by_role("link", name=name).click()
    return console.page


async def test_a_colleague_scans_and_next_time_the_page_offers_it(screens: Screens, shop: Shop) -> None:
    await shop.colleague("小雨", wecom_userid="lin")
    door = await turned_on(screens, shop)
    console = await screens.console(at=door, size=MOBILE)
    await expect(console.page.get_by_role("heading", level=1)).to_contain_text(shop.name)
    await scanned(console, "lin")
    await expect(console.inbox.list).to_be_visible()

    await console.go("/me")
    await console.button("app.sign_out").click()
    await console.page.get_by_role("link", name=console.words("app.sign_in.wecom")).click()
    await expect(console.button("app.door.scan")).to_be_visible()


async def test_who_is_not_on_the_staff_list_is_told_what_to_ask_for(screens: Screens, shop: Shop) -> None:
    door = await turned_on(screens, shop)
    console = await screens.console(at=door)
    console.watch.expects("403 POST .*/sign-in$")
    await scanned(console, "lin")
    await expect(console.alert).to_contain_text("企业微信账号：lin")
    await expect(console.button("app.door.again")).to_be_visible()


async def test_a_door_that_was_shut_leads_to_the_password(screens: Screens, shop: Shop) -> None:
    console = await screens.console(at="/in/no-such-door-at-all")
    console.watch.expects("410 GET .*/api/wecom-doors/.*")
    await expect(console.page.get_by_text("已经停用")).to_be_visible()
    await console.page.get_by_role("link", name=console.words("app.door.password")).click()
    await expect(console.field("app.sign_in.name")).to_be_visible()
