"""The assistant can be made silent, for one customer and for all."""

from playwright.async_api import expect

from tests.e2e.composers.shop import KNOWN_ANSWER, KNOWN_QUESTION, Shop
from tests.e2e.pages.screens import Screens


async def test_paused_for_one_customer_it_answers_the_others(screens: Screens, shop: Shop) -> None:
    quiet, other = await shop.customer("晓雯"), await shop.customer("阿杰")
    await quiet.asks(KNOWN_QUESTION)
    console = await screens.console(shop.owner)
    inbox = console.inbox
    await inbox.open(quiet.nickname)
    await inbox.choose("conversations.action.pause")
    await inbox.status_is("conversations.status.paused")

    before = len(await quiet.answers())
    await quiet.writes("多久能发货")
    await inbox.sees("多久能发货")
    assert KNOWN_ANSWER in await other.asks(KNOWN_QUESTION)
    assert len(await quiet.answers()) == before

    await inbox.choose("conversations.action.resume")
    await inbox.status_is("conversations.status.assistant")
    assert "七天内" in await quiet.asks("可以退换货吗")


async def test_paused_for_everybody_it_is_silent_until_it_is_woken(screens: Screens, shop: Shop) -> None:
    customer = await shop.customer()
    await customer.asks(KNOWN_QUESTION)
    console = await screens.console(shop.owner)
    await console.knowledge.pause_everybody()
    await console.inbox.open(customer.nickname)
    await console.inbox.status_is("conversations.status.paused_all")
    await expect(console.inbox.pause_notice).to_contain_text(shop.owner.name)

    before = len(await customer.answers())
    await customer.writes("多久能发货")
    await console.inbox.sees("多久能发货")
    await console.inbox.take()
    assert len(await customer.answers()) == before
    await console.inbox.reply("今天就发")
    await console.inbox.is_sent("今天就发")

    await console.inbox.hand_back(then="conversations.status.paused_all")
    await console.inbox.pause_notice.get_by_role("button").click()
    await console.inbox.status_is("conversations.status.assistant")
    await expect(console.inbox.pause_notice).to_have_count(0)
    assert "七天内" in await customer.asks("可以退换货吗")
    await expect(console.inbox.message("七天内")).to_be_visible()


async def test_what_the_menu_of_the_pause_offers_is_read_whole_in_its_column(screens: Screens, shop: Shop) -> None:
    console = await screens.console(shop.owner, language="en")
    column = console.page.get_by_role("navigation", name=console.words("conversations.title"))
    await column.get_by_role("button", name=console.words("assistant.pause.serving")).click()
    place, menu = await column.bounding_box(), await column.get_by_role("menu").bounding_box()
    assert place is not None
    assert menu is not None
    assert menu["x"] + menu["width"] <= place["x"] + place["width"]
