"""Fields for passwords: hidden, and open to whoever keeps passwords elsewhere."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.composers.shop import Shop
from tests.e2e.pages.screens import Screens

COPIED = "from a manager 9#vQ"


async def _copy(page: Page) -> None:
    """Puts the text on the clipboard, as another program would."""
    await page.evaluate(
        """text => {
          const area = document.createElement('textarea');
          area.value = text;
          document.body.append(area);
          area.select();
          document.execCommand('copy');
          area.remove();
        }""",
        COPIED,
    )


@pytest.mark.parametrize("at", ["/sign-in", "/me", "/operator/sign-in"])
async def test_password_fields_hide_and_take_what_is_pasted(screens: Screens, shop: Shop, at: str) -> None:
    console = await screens.console(shop.owner if at == "/me" else None, at=at)
    console.watch.expects("401 GET .*/operator/api/session$")
    fields = console.page.locator("input[type=password]")
    await expect(fields.first).to_be_visible()
    assert await console.page.get_by_label(console.words.like("app.sign_in.password")).count() <= await fields.count()
    for number in range(await fields.count()):
        field = fields.nth(number)
        assert await field.get_attribute("autocomplete") in {"current-password", "new-password"}
        await _copy(console.page)
        await field.focus()
        await console.page.keyboard.press("ControlOrMeta+v")
        await expect(field).to_have_value(COPIED)
