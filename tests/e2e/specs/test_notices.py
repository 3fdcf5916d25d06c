"""Notices: the bell counts, the list leads on, choices are kept, a group's robot is entered and tried."""

from playwright.async_api import expect

from huitouke.kernel.ids import new_id
from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import MOBILE, Screens


async def invites(shop: Shop, name: str) -> None:
    """Another administrator invites somebody: the owner is told."""
    helper = await shop.colleague("小雨", "administrator")
    await helper.post("/api/staff", {"name": name, "sign_in_name": f"new-{new_id().hex}", "role": "agent"})


async def test_the_bell_counts_and_the_notice_leads_to_its_page(screens: Screens, shop: Shop) -> None:
    console = await screens.console(shop.owner, at="/settings/audit")
    bell = console.page.get_by_role("link", name=console.words("app.notices.title")).first
    await invites(shop, "小满")  # while the page is open: the bell learns of it by itself
    await expect(bell).to_contain_text("1")

    await bell.click()
    await console.page.get_by_role("link", name="邀请了 小满 加入").click()
    await expect(console.page).to_have_url(f"{console.address}/settings/staff")
    await expect(bell).not_to_contain_text("1")


async def test_on_a_phone_the_count_stands_at_me(screens: Screens, shop: Shop) -> None:
    await invites(shop, "小满")
    console = await screens.console(shop.owner, size=MOBILE, at="/me")
    await expect(console.menu.last.get_by_text("1", exact=True)).to_be_visible()
    await console.page.get_by_role("link", name=console.words("app.notices.title")).first.click()
    await console.button("app.notices.read_all").click()
    await expect(console.button("app.notices.read_all")).to_be_disabled()


async def test_what_was_chosen_is_kept(screens: Screens, shop: Shop) -> None:
    console = await screens.console(shop.owner, at="/me")
    kind = console.page.get_by_role("group", name="套餐快到期")
    await kind.get_by_label("控制台").uncheck()
    await console.page.get_by_role("switch", name=console.words("app.notices.quiet")).click()
    await console.is_told(console.words("app.notices.quiet_saved"))
    await console.page.reload()
    await expect(kind.get_by_label("控制台")).not_to_be_checked()
    await expect(console.field("app.notices.quiet_from")).to_have_value("22:00")


async def test_a_groups_robot_is_entered_and_tried(screens: Screens, shop: Shop) -> None:
    robot = await shop.stage.sandbox.post("robots", {"name": "店长群"})
    console = await screens.console(shop.owner, at="/settings/notices")
    console.watch.expects("422 POST .*/api/group-robots$")
    await console.button("organization.notices.add").click()
    dialog = console.page.get_by_role("dialog")
    await console.field("organization.notices.name").fill("店长群")
    await console.field("organization.notices.webhook").fill("https://example.cn/hook")
    await dialog.get_by_role("button", name=console.words("common.save")).click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await console.field("organization.notices.webhook").fill(robot["webhook"])
    await dialog.get_by_role("button", name=console.words("common.save")).click()
    await expect(dialog).to_be_hidden()

    await console.button("organization.notices.test").click()
    await console.is_told(console.words("organization.notices.tested"))
    sent = console.page.get_by_text(console.words("organization.notices.state.sent"), exact=True)
    read = await shop.eventually(
        lambda: shop.stage.sandbox.get(f"robots/{robot['key']}/messages"), "the test in the group"
    )
    assert "这是一条测试通知" in read[0]["content"]
    await expect(sent).to_be_visible()
