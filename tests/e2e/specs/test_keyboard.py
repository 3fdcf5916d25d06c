"""The whole work without a mouse."""

from playwright.async_api import expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import Screens


async def test_conversations_are_walked_taken_answered_and_left_by_keys_alone(screens: Screens, shop: Shop) -> None:
    await shop.pause_assistant()
    first, second = await shop.customer("晓雯"), await shop.customer("阿杰")
    await first.writes("有大一点的吗")
    await first.conversation()
    await second.writes("多久能发货")
    await second.conversation()
    console = await screens.console(shop.owner)
    inbox, keys = console.inbox, console.page.keyboard
    await expect(inbox.row(second.nickname)).to_be_visible()

    await keys.press("j")
    await inbox.is_open(second.nickname)
    await keys.press("j")
    await inbox.is_open(first.nickname)
    await keys.press("k")
    await inbox.is_open(second.nickname)

    await keys.press("t")
    await expect(inbox.field).to_be_visible()
    await keys.press("r")
    await expect(inbox.field).to_be_focused()
    await keys.type("今天就发出")
    await keys.press("Enter")
    await inbox.is_sent("今天就发出")
    await keys.press("Escape")
    await expect(inbox.field).not_to_be_focused()

    await console.command(console.words("conversations.action.hand_back"))
    await inbox.status_is("conversations.status.paused_all")
    await keys.press("Escape")
    await expect(console.page.get_by_text(console.words("conversations.choose.title"))).to_be_visible()
    await keys.press("g")
    await keys.press("k")
    await expect(
        console.page.get_by_role("heading", level=1, name=console.words("assistant.knowledge.title"))
    ).to_be_visible()
    await keys.press("?")
    await expect(console.dialog("app.keys.title")).to_be_visible()
    await keys.press("Escape")
    await expect(console.dialog("app.keys.title")).to_be_hidden()

    await keys.press("Control+k")
    palette = console.dialog("app.palette.title")
    await palette.get_by_role("combobox").fill(first.nickname)
    await palette.get_by_role("option", name=first.nickname).filter(has_text="有大一点的吗").click()
    await inbox.is_open(first.nickname)


async def test_enter_that_ends_the_writing_of_chinese_sends_nothing(screens: Screens, shop: Shop) -> None:
    await shop.pause_assistant()
    customer = await shop.customer()
    await customer.writes("在吗")
    console = await screens.console(shop.owner)
    inbox = console.inbox
    await inbox.open(customer.nickname)
    await inbox.take()
    await inbox.field.focus()
    session = await console.page.context.new_cdp_session(console.page)
    await session.send("Input.imeSetComposition", {"text": "ni'hao", "selectionStart": 6, "selectionEnd": 6})
    await inbox.field.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    await session.send("Input.insertText", {"text": "你好"})
    await expect(inbox.field).to_have_value("你好")
    assert await customer.answers() == []
