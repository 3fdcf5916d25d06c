"""Cards: made in a small dialog, seen on the phone, tapped there, and the choice is back in the inbox."""

from pathlib import Path

from playwright.async_api import expect

from tests.e2e.composers.files import picture
from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import Screens


async def test_a_link_and_a_menu_reach_the_phone_and_what_the_customer_taps_comes_back(
    screens: Screens, shop: Shop, tmp_path: Path
) -> None:
    await shop.pause_assistant()
    customer = await shop.customer()
    await customer.writes("在吗")
    phone, console = await screens.phone(customer), await screens.console(shop.owner)
    inbox = console.inbox
    await inbox.open(customer.nickname)
    await inbox.take()

    link = await inbox.open_card("link")
    await link.get_by_role("textbox", name=console.words("conversations.card.url")).fill("shop.example/new")
    await link.get_by_role("textbox", name=console.words("conversations.card.title")).fill("秋季新款")
    await link.get_by_role("button", name=console.words("conversations.send"), exact=True).click()
    await expect(link.get_by_role("alert").first).to_contain_text("http")
    await link.get_by_role("textbox", name=console.words("conversations.card.url")).fill("https://shop.example/new")
    await inbox.choose_picture(link, picture(tmp_path / "cover.png", "tomato"))
    await expect(link.get_by_text("秋季新款", exact=True)).to_be_visible()
    await inbox.send_card(link)
    await inbox.is_sent("秋季新款")
    await expect(phone.chat.get_by_role("link", name="秋季新款")).to_have_attribute("href", "https://shop.example/new")

    menu = await inbox.open_card("msgmenu")
    await menu.get_by_role("textbox", name=console.words("conversations.card.head")).fill("想看什么？")
    for number, entry in enumerate(("尺码表", "退换货"), start=1):
        field = console.words("conversations.card.entry.name", n=number)
        await menu.get_by_role("textbox", name=field, exact=True).fill(entry)
    await inbox.send_card(menu)
    await inbox.is_sent("想看什么？")
    await expect(inbox.thread.get_by_text("还可发 3 条")).to_be_visible()

    await phone.taps("退换货")
    chosen = inbox.messages.get_by_role("article").filter(has_text=console.words("conversations.menu_chosen"))
    await expect(chosen).to_contain_text("退换货")
    await expect(inbox.thread.get_by_text("还可发 5 条")).to_be_visible()
