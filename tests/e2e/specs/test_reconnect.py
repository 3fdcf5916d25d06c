"""The line breaks: it is said, nothing is lost, what was written is sent."""

from playwright.async_api import expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import Screens


async def test_offline_is_said_and_what_was_written_meanwhile_arrives_once_on_both_sides(
    screens: Screens, shop: Shop
) -> None:
    await shop.pause_assistant()
    customer = await shop.customer()
    await customer.writes("第一条")
    console = await screens.console(shop.owner)
    console.watch.expects("net::ERR_INTERNET_DISCONNECTED", "WebSocket")
    inbox = console.inbox
    await inbox.open(customer.nickname)
    await inbox.take()

    await console.line.cut()
    offline = console.page.get_by_text(console.words("app.offline"))
    await expect(offline).to_be_visible()
    await customer.writes("断线时的消息")
    await inbox.reply("断线时的回复")
    await expect(inbox.message("断线时的回复")).to_contain_text(console.words("conversations.pending.waiting"))

    await console.line.mend()
    await expect(offline).to_be_hidden()
    await inbox.sees("断线时的消息")
    await inbox.is_sent("断线时的回复")
    await expect(inbox.message("断线时的回复")).to_have_count(1)
    await expect(inbox.message("断线时的消息")).to_have_count(1)
    assert [one["text"] for one in await customer.answers()].count("断线时的回复") == 1


async def test_a_dropped_socket_comes_back_by_itself_and_brings_what_was_missed(screens: Screens, shop: Shop) -> None:
    await shop.pause_assistant()
    open_one, other = await shop.customer("晓雯"), await shop.customer("阿杰")
    await open_one.writes("第一条")
    await other.writes("另一位的第一条")
    console = await screens.console(shop.owner)
    inbox = console.inbox
    await inbox.open(open_one.nickname)
    await inbox.sees("第一条")

    for number in range(2, 5):
        await console.line.drop()
        await open_one.writes(f"第 {number} 条")
        await other.writes(f"另一位的第 {number} 条")
        await inbox.sees(f"第 {number} 条")
        await expect(inbox.row(other.nickname)).to_contain_text(f"另一位的第 {number} 条")
    await expect(inbox.messages.get_by_role("article")).to_have_count(4)
