"""The log of what was done: narrowed to a person and a period, taken out as a table."""

import csv
from pathlib import Path

from playwright.async_api import expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import Screens

COLUMNS = ("time", "who", "what", "thing", "changes", "address")


async def test_the_owner_takes_out_what_one_person_did_today(screens: Screens, shop: Shop, tmp_path: Path) -> None:
    xiaoyu = await shop.colleague("小雨", "administrator")
    await xiaoyu.post("/api/knowledge/entries", {"question": "=可以退吗", "answer": "七天内可以", "group": "售后"})

    console = await screens.console(shop.owner, at="/settings/audit")
    await console.page.get_by_label(console.words("organization.audit.filter_who")).select_option(label="小雨")
    await console.page.get_by_label(console.words("organization.audit.filter_period")).select_option("today")
    await expect(console.page.get_by_text("=可以退吗").first).to_be_visible()
    async with console.page.expect_download() as told:
        await console.button("organization.audit.export").click()
    file = tmp_path / "log.csv"
    await (await told.value).save_as(file)

    with file.open(encoding="utf-8-sig", newline="") as text:
        head, *rows = list(csv.reader(text))
    assert head == [console.words(f"organization.audit.column.{name}") for name in COLUMNS]
    assert [row[1:4] for row in rows] == [["小雨", "新增知识", "'=可以退吗"]], "no spreadsheet takes it for a formula"

    await console.page.get_by_label(console.words("organization.audit.filter_who")).select_option("")
    await expect(
        console.page.get_by_text(console.words("organization.audit.action.kernel.audit_exported"))
    ).to_be_visible()
