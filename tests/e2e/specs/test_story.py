"""The main story: a customer's message is answered from the shop's knowledge, a person takes over, and gives back."""

from playwright.async_api import expect

from tests.e2e.composers.shop import KNOWN_ANSWER, KNOWN_QUESTION, UNKNOWN_QUESTION, WANTS_A_PERSON, Shop
from tests.e2e.pages.screens import Screens

AGENT_WRITES = "您好，我是店长，我来帮您处理。"


async def test_question_and_answer_appear_in_the_open_console_with_the_reason(screens: Screens, shop: Shop) -> None:
    customer = await shop.customer()
    phone, console = await screens.phone(customer), await screens.console(shop.owner)
    inbox = console.inbox

    await phone.write(KNOWN_QUESTION)
    await phone.sees(KNOWN_ANSWER)
    await expect(phone.message(KNOWN_ANSWER)).to_contain_text("AI")

    await inbox.open(customer.nickname)
    await inbox.sees(KNOWN_QUESTION)
    await inbox.sees(KNOWN_ANSWER)
    await expect(inbox.message(KNOWN_ANSWER)).to_contain_text(console.words("conversations.ai_badge"))

    trace = await inbox.open_trace(KNOWN_ANSWER)
    await expect(trace.get_by_text(console.words("assistant.decision.answered"))).to_be_visible()
    await expect(trace.get_by_role("link", name="有大一点的尺码吗")).to_be_visible()
    await expect(trace.get_by_text(console.words("assistant.trace.used")).first).to_be_visible()
    await expect(trace.get_by_text(console.words("assistant.trace.elapsed.total"))).to_be_visible()
    await console.page.keyboard.press("Escape")
    await expect(trace).to_be_hidden()

    await phone.write("多久能发货")
    await inbox.sees("多久能发货")
    await inbox.sees("48 小时内发出")


async def test_what_the_shop_never_wrote_down_is_not_invented(screens: Screens, shop: Shop) -> None:
    customer = await shop.customer()
    phone, console = await screens.phone(customer), await screens.console(shop.owner)
    await phone.write(UNKNOWN_QUESTION)
    await phone.sees("同事")

    inbox = console.inbox
    await inbox.open(customer.nickname)
    answer = inbox.messages.get_by_role("article").filter(has_text="同事")
    await expect(answer).to_be_visible()
    trace = await inbox.open_trace("同事")
    await expect(trace.get_by_text(console.words("assistant.decision.asked_colleague"))).to_be_visible()


async def test_a_person_is_asked_for_takes_over_replies_and_gives_back(screens: Screens, shop: Shop) -> None:
    customer = await shop.customer()
    await customer.asks(KNOWN_QUESTION)
    phone, console = await screens.phone(customer), await screens.console(shop.owner)
    inbox = console.inbox
    await inbox.open(customer.nickname)

    await phone.write(WANTS_A_PERSON)
    await inbox.sees(WANTS_A_PERSON)
    await inbox.status_is("conversations.status.waiting")
    summary = inbox.thread.get_by_text(console.words.like("conversations.handover_because"))
    await expect(summary).to_be_visible()
    await expect(inbox.thread).to_contain_text("投诉")

    await inbox.take()
    await inbox.reply(AGENT_WRITES)
    await phone.sees(AGENT_WRITES)
    await inbox.is_sent(AGENT_WRITES)

    await inbox.hand_back()
    await phone.write("可以退换货吗")
    await phone.sees("七天内")
    await inbox.sees("七天内")
