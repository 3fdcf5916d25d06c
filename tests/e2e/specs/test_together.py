"""Several people at once: who takes a conversation, and what the others see."""

import asyncio

from playwright.async_api import expect

from tests.e2e.composers.shop import WANTS_A_PERSON, Shop
from tests.e2e.pages.screens import Screens


async def test_two_agents_take_the_same_conversation_and_one_is_told_who_has_it(screens: Screens, shop: Shop) -> None:
    first, second = await shop.colleague("小雨"), await shop.colleague("阿宁")
    customer = await shop.customer()
    await customer.asks(WANTS_A_PERSON)
    one, other = await screens.console(first), await screens.console(second)
    for console in (one, other):
        console.watch.expects("409 POST .*/take$")
        await console.inbox.open(customer.nickname)
        await expect(console.inbox.take_button.first).to_be_visible()

    await asyncio.gather(*(console.inbox.take_button.first.click() for console in (one, other)))

    holder = await _holder(shop, customer.nickname)
    mine, theirs = (one, other) if holder == first.name else (other, one)
    await mine.inbox.status_is("conversations.status.mine")
    await theirs.inbox.status_is("conversations.status.colleague", name=holder)
    await expect(theirs.inbox.take_button).to_have_count(0)


async def test_a_conversation_taken_by_a_colleague_changes_in_the_open_list(screens: Screens, shop: Shop) -> None:
    colleague = await shop.colleague("小雨")
    customer = await shop.customer()
    await customer.asks(WANTS_A_PERSON)
    console = await screens.console(shop.owner)
    row = console.inbox.row(customer.nickname)
    await expect(row).to_be_visible()
    conversation = await customer.conversation()
    await colleague.post(f"/api/conversations/{conversation}/take")
    await expect(row).to_contain_text("小雨")


async def _holder(shop: Shop, nickname: str) -> str:
    async def staff() -> str | None:
        rows = (await shop.owner.get("/api/conversations", view="all", limit=100))["items"]
        row = next(row for row in rows if row["customer"]["name"] == nickname)
        return row["staff"]["name"] if row["staff"] else None

    return str(await shop.eventually(staff, "that somebody has it"))
