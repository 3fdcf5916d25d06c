"""Signing in: a wrong password, too many of them, the language, and back to where one wanted to go."""

from playwright.async_api import expect

from tests.e2e.composers.shop import PASSWORD, Shop
from tests.e2e.pages.screens import Screens

WRONG = "not the password"
ALLOWED_TRIES = 10


async def test_a_wrong_password_is_refused_in_words_and_the_right_one_opens_the_inbox(
    screens: Screens, shop: Shop
) -> None:
    console = await screens.console()
    console.watch.expects("401 POST .*/api/session$")
    await console.sign_in(shop.owner.sign_in_name, WRONG)
    await expect(console.alert).to_contain_text("密码不对")
    await expect(console.field("app.sign_in.name")).to_have_value(shop.owner.sign_in_name)
    await expect(console.field("app.sign_in.password")).to_be_empty()

    await console.sign_in(shop.owner.sign_in_name, PASSWORD)
    await expect(console.inbox.list).to_be_visible()


async def test_empty_fields_are_named_before_anything_is_sent(screens: Screens) -> None:
    console = await screens.console()
    await console.button("app.sign_in.submit").click()
    await expect(console.page.get_by_text(console.words("app.sign_in.name_missing"))).to_be_visible()
    await expect(console.page.get_by_text(console.words("app.sign_in.password_missing"))).to_be_visible()


async def test_too_many_wrong_passwords_lock_the_name_and_say_for_how_long(screens: Screens, shop: Shop) -> None:
    refused = {"sign_in_name": shop.owner.sign_in_name, "password": WRONG}
    for _ in range(ALLOWED_TRIES):
        answer = await shop.owner.http.post("/api/session", json=refused)
        assert answer.status_code == 401
    console = await screens.console()
    console.watch.expects("429 POST .*/api/session$")
    await console.sign_in(shop.owner.sign_in_name, PASSWORD)
    await expect(console.alert).to_contain_text("错误次数太多")


async def test_the_page_speaks_english_before_and_after_signing_in(screens: Screens, shop: Shop) -> None:
    await shop.owner.patch("/api/session", {"locale": "en"})
    console = await screens.console()
    await console.button_named("English").click()
    await console.speak("en")
    await console.sign_in(shop.owner.sign_in_name, PASSWORD)
    await expect(console.menu).to_be_visible()
    await expect(console.inbox.list).to_be_visible()


async def test_who_followed_a_link_is_led_there_after_signing_in(screens: Screens, shop: Shop) -> None:
    console = await screens.console(at="/assistant/knowledge")
    await console.sign_in(shop.owner.sign_in_name, PASSWORD)
    await expect(
        console.page.get_by_role("heading", name=console.words("assistant.knowledge.title"), level=1)
    ).to_be_visible()


async def test_signing_out_leaves_nothing_behind(screens: Screens, shop: Shop) -> None:
    person = await shop.colleague("小雨")
    console = await screens.console(person)
    await console.menu.get_by_role("button", name=console.words("app.account")).click()
    await console.page.get_by_role("menuitem", name=console.words("app.sign_out")).click()
    await expect(console.button("app.sign_in.submit")).to_be_visible()
    await console.go("/conversations")
    await expect(console.button("app.sign_in.submit")).to_be_visible()
