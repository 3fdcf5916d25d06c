"""The operator's area: signing in, a shop's page."""

from playwright.async_api import Locator, expect

from tests.e2e.composers.operators import Operator
from tests.e2e.pages.console import Console
from tests.e2e.pages.screens import DESKTOP, Screens
from tests.e2e.pages.words import Language

NOBODY = "401 GET .*/operator/api/session$"


async def open_area(
    screens: Screens, operator: Operator, *, size: tuple[int, int] = DESKTOP, language: Language = "zh-CN"
) -> Console:
    """The area, signed in."""
    area = await screens.console(at="/operator", size=size, language=language)
    area.watch.expects(NOBODY)
    await area.field("app.sign_in.name").fill(operator.name)
    await area.field("app.sign_in.password").fill(operator.password)
    await area.button("app.sign_in.submit").click()
    await expect(area.button("operator.tenants.add").first).to_be_visible()
    return area


async def add_shop(area: Console, name: str, owner_sign_in: str, *, plan: str | None = None) -> str:
    """Adds a shop on the page; gives the path of the owner's invitation."""
    await area.button("operator.tenants.add").first.click()
    await area.field("operator.tenants.name").fill(name)
    await area.field("operator.tenants.owner").fill("林店长")
    await area.field("operator.tenants.owner_sign_in").fill(owner_sign_in)
    if plan is not None:
        await area.field("operator.plan.label").select_option(label=plan)
    await area.button("operator.tenants.make").click()
    link = area.page.get_by_role("dialog").locator("code")
    await expect(link).to_contain_text("/join#")
    url = await link.inner_text()
    await area.button("common.done").click()
    return url.removeprefix(area.address)


async def open_shop_page(area: Console, name: str) -> None:
    """Finds the shop in the list and opens its page."""
    await area.go("/operator/tenants")
    await area.page.get_by_role("searchbox", name=area.words("operator.tenants.search")).fill(name)
    await area.page.get_by_role("link", name=name, exact=True).click()
    await expect(heading(area, name)).to_be_visible()


def heading(area: Console, name: str) -> Locator:
    return area.page.get_by_role("heading", name=name, level=1)
