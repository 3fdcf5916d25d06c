"""People come in by a link, and see where they are signed in."""

import re
from urllib.parse import urlsplit

from playwright.async_api import expect

from huitouke.kernel.ids import new_id
from tests.e2e.composers.people import Staff
from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import MOBILE, Screens

NEW_PASSWORD = "quite another pass phrase"


async def test_an_invited_colleague_sets_a_password_on_the_phone_and_is_in(screens: Screens, shop: Shop) -> None:
    console = await screens.console(shop.owner, at="/settings/staff")
    await console.button("organization.staff.add").click()
    await console.field("organization.staff.name").fill("小满")
    name = f"xiaoman-{new_id().hex[-10:]}"
    await console.field("organization.staff.sign_in_name").fill(name)
    await console.button("common.save").click()
    link = console.page.get_by_role("dialog").locator("code")
    await expect(link).to_contain_text("/join#")
    place = urlsplit(await link.inner_text())
    at = f"{place.path}#{place.fragment}"

    phone = await screens.console(at=at, size=MOBILE)
    await expect(phone.field("app.sign_in.name")).to_have_value(name)
    assert "#" not in phone.page.url, "the token stays in no history"
    phone.watch.expects("422 POST .*/api/access-links/use$")
    await phone.field("app.join.password").fill("12345678")
    await phone.button("app.join.submit").click()
    await expect(phone.page.get_by_text("太容易被猜到")).to_be_visible()
    await phone.field("app.join.password").fill(NEW_PASSWORD)
    await phone.button("app.join.submit").click()
    await expect(phone.inbox.list).to_be_visible()

    again = await screens.console(at=at)
    again.watch.expects("410 POST .*/api/access-links/look$")
    await expect(again.page.get_by_text(re.compile("^这个链接已经用过"))).to_be_visible()


async def test_a_person_signs_out_a_lost_phone(screens: Screens, shop: Shop) -> None:
    person = await shop.colleague("小雨")
    lost = await screens.console(person)
    await expect(lost.inbox.list).to_be_visible()
    here = await Staff.signed_in(person.console, person.name, person.sign_in_name, person.password)
    shop.people.append(here)
    console = await screens.console(here, at="/me")
    await console.button("app.devices.end").first.click()
    await expect(console.page.get_by_text(console.words("app.devices.ended"))).to_be_visible()
    await expect(console.button("app.devices.end")).to_have_count(0)
