"""What goes out: the five messages of the channel, failures that WeCom reports, pictures both ways."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.composers.files import picture
from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import Screens

MESSAGES_PER_ANSWER = 5
"""WeCom lets five messages follow each message of a customer, within 48 hours (path/94677)."""


async def test_the_composer_counts_down_the_messages_that_are_left_and_says_when_none_is(
    screens: Screens, shop: Shop
) -> None:
    await shop.pause_assistant()
    customer = await shop.customer()
    await customer.writes("在吗")
    console = await screens.console(shop.owner)
    inbox = console.inbox
    await inbox.open(customer.nickname)
    await inbox.take()
    for number in range(1, MESSAGES_PER_ANSWER + 1):
        await inbox.reply(f"第 {number} 条")
        await inbox.is_sent(f"第 {number} 条")
        left = MESSAGES_PER_ANSWER - number
        if left:
            await expect(inbox.thread.get_by_text(f"还可发 {left} 条")).to_be_visible()
    await expect(inbox.field).to_have_count(0)
    await expect(inbox.thread.get_by_text("可回复的条数用完了")).to_be_visible()

    await customer.writes("我还在")
    await inbox.sees("我还在")
    await expect(inbox.field).to_be_visible()


@pytest.mark.usefixtures("healthy")
async def test_a_message_that_wecom_reports_as_not_delivered_says_why_and_can_be_sent_again(
    screens: Screens, shop: Shop
) -> None:
    await shop.pause_assistant()
    customer = await shop.customer()
    await customer.writes("在吗")
    console = await screens.console(shop.owner)
    inbox = console.inbox
    await inbox.open(customer.nickname)
    await inbox.take()
    await shop.stage.sandbox.faults(send_fail_probability=1.0, send_fail_type=10)

    await inbox.reply("这就给您查")
    failed = inbox.message("这就给您查").get_by_role("alert")
    await expect(failed).to_contain_text("拒收")

    await shop.stage.sandbox.faults()
    await failed.get_by_role("button", name=console.words("conversations.send_again")).click()
    await inbox.is_sent("这就给您查")
    await expect(failed).to_have_count(0)
    arrived = [one["text"] for one in await customer.answers()]
    assert arrived.count("这就给您查") == 1


async def test_pictures_go_both_ways(screens: Screens, shop: Shop, tmp_path: Path) -> None:
    await shop.pause_assistant()
    customer = await shop.customer()
    phone, console = await screens.phone(customer), await screens.console(shop.owner)
    inbox = console.inbox

    await phone.send_picture(picture(tmp_path / "from_the_customer.png"))
    await expect(phone.pictures).to_have_count(1)
    await inbox.open(customer.nickname)
    await expect(inbox.pictures).to_have_count(1)
    await expect(inbox.pictures.get_by_role("img")).to_have_js_property("complete", True)

    await inbox.take()
    await inbox.send_picture(picture(tmp_path / "from_the_shop.png", "tomato"))
    await expect(inbox.pictures).to_have_count(2)
    await expect(phone.pictures).to_have_count(2)
    await phone.pictures.last.click()
    await expect(phone.page.get_by_role("dialog").get_by_role("img")).to_be_visible()
