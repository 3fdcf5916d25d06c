"""The console on a phone."""

from playwright.async_api import expect

from tests.e2e.composers.shop import PASSWORD, WANTS_A_PERSON, Shop
from tests.e2e.pages.screens import MOBILE, Screens


async def test_on_a_phone_one_signs_in_opens_a_chat_answers_and_comes_back(screens: Screens, shop: Shop) -> None:
    customer = await shop.customer()
    await customer.asks(WANTS_A_PERSON)
    console = await screens.console(size=MOBILE, theme="dark")
    inbox = console.inbox
    await console.sign_in(shop.owner.sign_in_name, PASSWORD)
    await expect(console.menu.get_by_role("link")).to_have_count(5)
    await expect(inbox.list).to_be_visible()

    await inbox.row(customer.nickname).tap()
    await inbox.is_open(customer.nickname)
    await expect(console.menu).to_have_count(0)
    await inbox.take()
    await inbox.reply("您好，我来处理。")
    await inbox.is_sent("您好，我来处理。")
    assert "您好，我来处理。" in [one["text"] for one in await customer.answers()]

    await inbox.thread.get_by_role("link", name=console.words("common.back")).tap()
    await expect(inbox.row(customer.nickname)).to_be_visible()
    await expect(console.menu).to_be_visible()
    await console.page.go_back()
    await inbox.is_open(customer.nickname)


async def test_the_details_of_a_customer_open_over_the_conversation(screens: Screens, shop: Shop) -> None:
    customer = await shop.customer()
    await customer.writes("在吗")
    console = await screens.console(shop.owner, size=MOBILE, at=f"/conversations/{await customer.conversation()}")
    await console.inbox.thread.get_by_role("button", name=console.words("conversations.details")).tap()
    drawer = console.dialog("conversations.details")
    await expect(drawer).to_contain_text(customer.nickname)
    await drawer.get_by_role("button", name=console.words("common.close")).tap()
    await expect(drawer).to_be_hidden()


async def test_a_dialog_is_a_sheet_from_below_as_wide_as_the_phone_and_no_higher_than_its_words(
    screens: Screens, shop: Shop
) -> None:
    console = await screens.console(shop.owner, size=MOBILE, at=f"/settings/channels/accounts/{shop.account_id}")
    await console.button("organization.ending.begin").tap()
    sheet = console.page.get_by_role("dialog")
    await expect(sheet).to_be_visible()
    box = await sheet.bounding_box()
    assert box is not None
    width, height = MOBILE
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, width, height)
    assert box["height"] < height * 0.8


async def test_the_assistant_is_paused_for_everybody_on_a_phone_too(screens: Screens, shop: Shop) -> None:
    console = await screens.console(shop.owner, size=MOBILE, at="/assistant/settings")
    pause = console.page.get_by_role("main").get_by_role("button", name=console.words("assistant.pause.serving"))
    await pause.tap()
    await console.page.get_by_role("menuitem", name=console.words("assistant.pause.until_told")).tap()
    await console.is_told(console.words("assistant.pause.done"))
    assert (await shop.owner.get("/api/assistant/settings"))["paused"] is True
