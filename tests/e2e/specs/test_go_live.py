"""The way to the real channels: what to begin today, and one entry in the hands of somebody from outside."""

import re

from playwright.async_api import expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.looks import too_wide
from tests.e2e.pages.screens import MOBILE, Screens

GO_LIVE = "/settings/go-live"
PROVIDER = "代办公司"
SIGNATURE = "小店餐饮"


async def test_the_page_says_what_to_begin_today_and_the_days_move_with_what_is_done(
    screens: Screens, new_shop: Shop
) -> None:
    console = await screens.console(new_shop.owner, at=GO_LIVE)
    page = console.page
    await expect(page.get_by_text(re.compile("今天就可以开始：营业执照的类型、固定地址的服务器"))).to_be_visible()
    sms = page.get_by_role("listitem").filter(has_text="还差").filter(has=page.get_by_text("短信", exact=True))
    await expect(sms).to_contain_text("起")

    for title in ("营业执照的类型", "短信签名"):
        await page.get_by_role("button", name=re.compile(f"^{title}")).click()
        await page.get_by_label(console.words("organization.golive.progress_label")).select_option("done")
        await expect(page.get_by_role("button", name=re.compile(f"^{title}"))).to_contain_text("办好了")
        await page.get_by_role("button", name=re.compile(f"^{title}")).click()
    await expect(sms).to_have_count(0)


async def test_an_entry_is_handed_over_by_link_and_ticked_by_a_stranger_who_sees_nothing_else(
    screens: Screens, new_shop: Shop
) -> None:
    console = await screens.console(new_shop.owner, at=GO_LIVE)
    page = console.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name=re.compile("^短信签名")).click()
    await page.get_by_role("button", name=console.words("organization.golive.hand_over")).click()
    await page.get_by_label(console.words("organization.golive.hand_label")).fill(PROVIDER)
    await page.get_by_role("button", name=console.words("organization.golive.make_link")).click()
    await page.get_by_role("button", name=console.words("common.copy")).click()
    link: str = await page.evaluate("navigator.clipboard.readText()")
    assert "/handed#" in link

    stranger = await screens.console(at=f"/handed#{link.split('#')[1]}", size=MOBILE)
    there = stranger.page
    await expect(there.get_by_role("heading", name="短信签名")).to_be_visible()
    assert "#" not in there.url, "the token does not stay in the address"
    await expect(there.get_by_text("营业执照的类型")).to_have_count(0)
    await expect(there.get_by_role("navigation")).to_have_count(1)  # that of the languages
    assert await too_wide(there) == []
    await there.get_by_label("签名内容").fill(SIGNATURE)
    await there.get_by_role("button", name=stranger.words("app.handed.done")).click()
    await expect(there.get_by_text("会看到这一项已办好")).to_be_visible()

    await console.go(GO_LIVE)
    entry = page.get_by_role("button", name=re.compile("^短信签名"))
    await expect(entry).to_contain_text(f"{PROVIDER}确认办好")
    await entry.click()
    await expect(page.get_by_label("签名内容")).to_have_value(SIGNATURE)
    await page.get_by_role("button", name=console.words("organization.golive.take_back")).click()
    await expect(page.get_by_text(f"已交给{PROVIDER}")).to_have_count(0)

    gone = await screens.console(at=f"/handed#{link.split('#')[1]}")
    gone.watch.expects("4.. POST .*/api/handed-over/look")
    await expect(gone.page.get_by_text("这个链接已经失效")).to_be_visible()
