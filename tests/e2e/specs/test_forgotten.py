"""Who forgot the password gets a link by mail, where the address was proven before."""

import re

from playwright.async_api import expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import Screens

NEW_PASSWORD = "another long pass phrase"


async def test_an_address_is_proven_and_brings_a_way_back_in(screens: Screens, shop: Shop) -> None:
    xiaoyu = await shop.colleague("小雨")
    address = f"{xiaoyu.sign_in_name}@example.cn"

    async def newest(pattern: str) -> str | None:
        mails = (await shop.stage.sandbox.get("mail", to=address))["items"]
        found = re.search(pattern, mails[0]["text"]) if mails else None
        return found[1] if found else None

    console = await screens.console(xiaoyu, at="/me")
    await console.button("app.notices.email_set").click()
    await console.page.get_by_role("textbox", name=console.words("app.notices.email")).fill(address)
    await console.button("app.notices.code_send").click()
    code = await shop.eventually(lambda: newest(r"\b(\d{6})\b"), "the code")
    await console.field("app.notices.code").fill(code)
    await console.button("app.notices.code_confirm").click()
    await console.is_told(console.words("app.notices.email_saved"))
    await expect(console.page.get_by_text(address)).to_be_visible()
    await console.page.goto("about:blank")  # the new password ends this session

    stranger = await screens.console()
    await stranger.page.get_by_role("link", name=stranger.words("app.forgotten.title")).click()
    await stranger.field("app.sign_in.name").fill(xiaoyu.sign_in_name)
    await stranger.button("app.forgotten.submit").click()
    await expect(stranger.page.get_by_text(stranger.words("app.forgotten.sent"))).to_be_visible()
    token = await shop.eventually(lambda: newest(r"/join#(\S+)"), "the link")
    await stranger.go(f"/join#{token}")
    await stranger.field("app.join.password").fill(NEW_PASSWORD)
    await stranger.button("app.join.submit").click()
    await expect(stranger.menu.first).to_be_visible()
