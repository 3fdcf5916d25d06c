"""Teaching the assistant: an Excel file, an entry by hand, a model."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.composers.files import excel
from tests.e2e.composers.shop import KNOWN_ANSWER, KNOWN_QUESTION, Shop
from tests.e2e.pages.screens import Screens

OWN_QUESTION, OWN_ANSWER = "周年庆哪天开始", "周年庆从 12 月 1 日开始，为期三天。"


async def test_an_excel_file_is_shown_with_its_errors_applied_and_answered_from(
    screens: Screens, shop: Shop, tmp_path: Path
) -> None:
    file = excel(
        tmp_path / "faq.xlsx",
        [["问题", "答案"], [OWN_QUESTION, OWN_ANSWER], ["没有答案的问题", ""], ["", "没有问题的答案"]],
    )
    console = await screens.console(shop.owner, at="/assistant/import")
    knowledge = console.knowledge
    await knowledge.choose_file(file)
    await expect(
        console.page.get_by_text(console.words("assistant.import.counts", total=3, ok=1, failed=2))
    ).to_be_visible()
    await expect(knowledge.import_error("3")).to_be_visible()
    await expect(knowledge.import_error("4")).to_be_visible()
    await knowledge.apply(1)

    phone = await screens.phone(await shop.customer())
    await phone.write(OWN_QUESTION)
    await phone.sees("12 月 1 日")


async def test_a_file_that_is_no_table_is_refused_in_words(screens: Screens, shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "faq.xlsx"
    file.write_bytes(b"this is no table")
    console = await screens.console(shop.owner, at="/assistant/import")
    console.watch.expects("4.. POST .*/api/(files|knowledge/imports)")
    await console.knowledge.choose_file(file)
    await expect(console.alert).to_be_visible()
    await expect(console.button("assistant.import.pick").or_(console.button("assistant.import.again"))).to_be_visible()


async def test_an_entry_written_by_hand_can_be_tried_without_a_customer(screens: Screens, shop: Shop) -> None:
    console = await screens.console(shop.owner, at="/assistant/knowledge")
    await console.button("assistant.knowledge.add").click()
    drawer = console.dialog("assistant.knowledge.add")
    await drawer.get_by_label(console.words("assistant.entry.question"), exact=True).fill(OWN_QUESTION)
    await drawer.get_by_label(console.words("assistant.entry.answer"), exact=True).fill(OWN_ANSWER)
    await drawer.get_by_role("button", name=console.words("common.save")).click()
    await expect(drawer).to_be_hidden()
    await expect(console.page.get_by_role("listitem").filter(has_text=OWN_QUESTION)).to_be_visible()

    await console.page.get_by_role("link", name=console.words("assistant.try.title"), exact=True).click()
    await console.field("assistant.try.question").fill(OWN_QUESTION)
    await console.button("assistant.try.submit").click()
    talk = console.page.get_by_role("list", name=console.words("assistant.try.talk"))
    await expect(talk).to_contain_text("12 月 1 日")


@pytest.mark.usefixtures("healthy")
async def test_a_model_is_tested_with_a_wrong_and_a_right_key_and_then_writes_the_answers(
    screens: Screens, shop: Shop
) -> None:
    console = await screens.console(shop.owner, at="/assistant/model")
    knowledge = console.knowledge
    await knowledge.fill_model(f"{shop.stage.sandbox.address}/v1", "sandbox", "wrong-key")
    result = await knowledge.test_model()
    await expect(result.filter(has_text=console.words("assistant.model.fails"))).to_contain_text("密钥")

    await knowledge.fill_model(f"{shop.stage.sandbox.address}/v1", "sandbox", "sandbox-key")
    result = await knowledge.test_model()
    await expect(result.filter(has_text=console.words("assistant.model.works"))).to_be_visible()
    await knowledge.save()

    customer = await shop.customer()
    assert KNOWN_ANSWER in await customer.asks(KNOWN_QUESTION)
    await console.go(f"/conversations/{await customer.conversation()}")
    trace = await console.inbox.open_trace(KNOWN_ANSWER)
    await expect(trace.get_by_role("definition").filter(has_text="sandbox")).to_be_visible()
    await expect(trace.get_by_text(console.words.like("assistant.trace.tokens_count"))).to_be_visible()
