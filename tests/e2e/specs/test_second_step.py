"""Two-step sign-in on the phone, from turning it on to a lost phone."""

import re

from playwright.async_api import expect

from huitouke.kernel.keys import Secret
from tests.e2e.composers.people import Staff
from tests.e2e.composers.shop import PASSWORD, Shop
from tests.e2e.pages.console import Console
from tests.e2e.pages.screens import MOBILE, Screens
from tests.support.second_step import Authenticator

RECOVERY_CODE = re.compile(r"^[2-9A-HJ-NP-Z]{5}-[2-9A-HJ-NP-Z]{5}$")


async def turn_on(console: Console) -> Authenticator:
    """Through the dialog on the own page, as a person does; ends on the recovery codes."""
    await console.button("app.second_factor.turn_on").click()
    dialog = console.dialog("app.second_factor.turn_on")
    await dialog.get_by_label(console.words("app.second_factor.password")).fill(PASSWORD)
    await console.page.keyboard.press("Enter")
    await expect(dialog.get_by_role("img", name=console.words("app.second_factor.qr"))).to_be_visible()
    app = Authenticator(Secret(await dialog.locator("code").inner_text()))
    code = dialog.get_by_label(console.words("app.second_factor.first_code"))
    await expect(code).to_be_focused()
    await code.fill(app.code().reveal())
    await console.page.keyboard.press("Enter")
    codes = dialog.get_by_role("list", name=console.words("app.second_factor.codes")).get_by_role("listitem")
    await expect(codes).to_have_count(10)
    app.recovery_codes = await codes.all_inner_texts()
    assert all(RECOVERY_CODE.match(one) for one in app.recovery_codes)
    return app


async def sign_in_with_password(screens: Screens, person: Staff) -> Console:
    console = await screens.console(size=MOBILE)
    await console.sign_in(person.sign_in_name, PASSWORD)
    await expect(console.page.get_by_role("heading", name=console.words("app.second_step.heading"))).to_be_visible()
    return console


async def test_it_is_turned_on_and_the_next_sign_in_takes_a_code(screens: Screens, shop: Shop) -> None:
    person = await shop.colleague("小雨")
    at_me = await screens.console(person, at="/me", size=MOBILE)
    app = await turn_on(at_me)
    await at_me.button("app.second_factor.codes_saved").click()
    await expect(at_me.button("app.second_factor.turn_off")).to_be_visible()

    console = await sign_in_with_password(screens, person)
    console.watch.expects("401 POST .*/api/session/second-step$")
    code = console.field("app.second_step.code")
    await expect(code).to_be_focused()
    await code.press_sequentially(app.wrong_code().reveal())
    await expect(console.alert).to_contain_text("验证码不对")
    await expect(code).to_be_empty()
    # The present code turned it on, and counts once; the server takes the next one as well.
    await code.press_sequentially(app.code(steps_later=1).reveal())
    await expect(console.inbox.list).to_be_visible()


async def test_without_the_phone_a_recovery_code_lets_in_and_a_colleague_helps(screens: Screens, shop: Shop) -> None:
    person = await shop.colleague("小雨")
    at_me = await screens.console(person, at="/me")
    app = await turn_on(at_me)

    console = await sign_in_with_password(screens, person)
    await console.button("app.second_step.use_recovery").click()
    await console.field("app.second_step.recovery_code").fill(app.recovery_codes[0])
    await console.button("app.second_step.submit").click()
    await expect(console.inbox.list).to_be_visible()

    owner = await screens.console(shop.owner, at="/settings/staff")
    await owner.page.get_by_role("button", name=owner.words("organization.staff.actions", name="小雨")).click()
    await owner.page.get_by_role("menuitem", name=owner.words("organization.staff.second_step.lost")).click()
    await owner.button("organization.staff.second_step.remove").click()
    await owner.is_told(owner.words("organization.staff.second_step.removed", name="小雨"))

    back = await screens.console()
    await back.sign_in(person.sign_in_name, PASSWORD)
    await expect(back.inbox.list).to_be_visible()


async def test_a_code_that_comes_too_late_leads_back_to_the_password(screens: Screens, shop: Shop) -> None:
    person = await shop.colleague("小雨")
    app = await turn_on(await screens.console(person, at="/me"))
    console = await sign_in_with_password(screens, person)
    await console.page.route(
        "**/api/session/second-step",
        lambda route: route.continue_(post_data={"challenge": "long-gone", "code": app.code().reveal()}),
    )
    console.watch.expects("410 POST .*/api/session/second-step$")
    await console.field("app.second_step.code").press_sequentially(app.code().reveal())
    await expect(console.alert).to_contain_text("请重新输入密码")
    await expect(console.field("app.sign_in.name")).to_have_value(person.sign_in_name)
    await expect(console.field("app.sign_in.password")).to_be_empty()
