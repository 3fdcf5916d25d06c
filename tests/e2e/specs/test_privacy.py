"""Numbers and offers: on the customer's card, in a chat, on the page about privacy, and in the log."""

from pathlib import Path

from playwright.async_api import expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import Screens


async def test_a_number_is_entered_looked_at_and_the_look_is_noted(screens: Screens, shop: Shop) -> None:
    await shop.pause_assistant()
    await (await shop.customer("晓雯")).writes("有大一点的吗")
    console = await screens.console(shop.owner, at="/customers")
    console.watch.expects("422 PUT .*/phone$")
    await console.button_named("晓雯").click()
    phone = console.page.get_by_role("region", name=console.words("customers.phone"), exact=True)
    await phone.get_by_role("button", name=console.words("customers.phone_enter")).click()
    await phone.get_by_role("textbox").fill("12345678901")
    await phone.get_by_role("button", name=console.words("common.save")).click()
    await expect(phone.get_by_role("alert")).to_be_visible()
    await phone.get_by_role("textbox").fill("138 0013 8000")
    await phone.get_by_role("button", name=console.words("common.save")).click()
    await expect(phone.get_by_text("138****8000")).to_be_visible()

    await phone.get_by_role("button", name=console.words("customers.phone_reveal")).click()
    await expect(phone.get_by_role("link", name="13800138000")).to_be_visible()
    seen = console.words("customers.reading").replace("{name}", "店长")
    await console.page.get_by_text(console.words("customers.readings").replace("{n}", "1")).click()
    await expect(console.page.get_by_text(seen)).to_be_visible()

    await console.go("/settings/audit")
    await console.page.get_by_label(console.words("organization.audit.filter_read")).select_option("1")
    await expect(
        console.page.get_by_text(console.words("organization.audit.action.customers.phone_revealed"))
    ).to_be_visible()
    await console.go("/customers")
    await console.page.get_by_role("searchbox", name=console.words("customers.search")).fill("13800138000")
    await expect(console.button_named("晓雯")).to_be_visible()


async def test_who_says_no_more_ads_is_told_so_and_stands_on_the_list_until_somebody_says_why_not(
    screens: Screens, shop: Shop
) -> None:
    customer = await shop.customer("晓雯")
    await customer.writes("不要再发广告了")
    console = await screens.console(shop.owner, at="/conversations")
    await console.inbox.row("晓雯").click()
    await expect(console.page.get_by_text("不再给您发优惠").first).to_be_visible()

    await console.go("/customers?offers=none")
    await console.button_named("晓雯").click()
    offers = console.page.get_by_role("region", name=console.words("customers.offers"))
    await expect(offers.get_by_text(console.words("customers.offers_source.customer_words"))).to_be_visible()
    await offers.get_by_role("button", name=console.words("customers.offers_allow")).click()
    await offers.get_by_role("textbox").fill("到店说想收新品消息")
    await offers.get_by_role("button", name=console.words("common.save")).click()
    await expect(offers.get_by_text(console.words("customers.offers_allowed"))).to_be_visible()


async def test_a_list_from_elsewhere_comes_in_and_goes_out(screens: Screens, shop: Shop, tmp_path: Path) -> None:
    sheet = tmp_path / "退订名单.csv"
    sheet.write_text("手机号,备注\n13800138000,门店\n12345678901,\n", encoding="utf-8")
    console = await screens.console(shop.owner, at="/settings/privacy")
    await expect(console.page.get_by_text(console.words("customers.privacy.nobody"), exact=True)).to_be_visible()
    await console.button("customers.privacy.import").click()
    dialog = console.page.get_by_role("dialog")
    await dialog.locator("input[type=file]").set_input_files(sheet)
    await expect(
        dialog.get_by_text(console.words("customers.privacy.import_failed").replace("{n}", "1"))
    ).to_be_visible()
    take = console.words("customers.privacy.import_take").replace("{n}", "1")
    await dialog.get_by_role("button", name=take).click()
    await console.is_told(console.words("customers.privacy.import_done").replace("{n}", "1"))
    await expect(console.page.get_by_text("138****8000")).to_be_visible()

    await console.page.get_by_label(console.words("customers.privacy.limit")).select_option("5")
    await console.is_told(console.words("common.saved"))
    async with console.page.expect_download() as told:
        await console.button("customers.privacy.export").click()
    file = tmp_path / "out.csv"
    await (await told.value).save_as(file)
    assert "8613800138000" in file.read_text(encoding="utf-8-sig")

    await console.button("customers.privacy.end").click()
    await dialog.get_by_role("textbox").fill("号码写错了")
    await dialog.get_by_role("button", name=console.words("customers.offers_allow")).click()
    await expect(console.page.get_by_text(console.words("customers.privacy.nobody"), exact=True)).to_be_visible()
