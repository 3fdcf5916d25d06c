"""The router's own table: what pages there are, and which of them an address leads to."""

from collections.abc import Iterable

from playwright.async_api import Page

ROUTER = "document.querySelector('#app').__vue_app__.config.globalProperties.$router"


async def routes_of(page: Page) -> set[str]:
    """The patterns of all pages that the application knows now; not of what only leads on, or only frames others."""
    found: list[str] = await page.evaluate(
        f"""() => {ROUTER}.getRoutes()
          .filter((one) => !one.redirect && !one.children.length && Object.keys(one.components ?? {{}}).length)
          .map((one) => one.path)"""
    )
    return set(found)


async def patterns_of(page: Page, addresses: Iterable[str]) -> set[str]:
    """The patterns that the addresses fit."""
    found: list[str] = await page.evaluate(
        f"(addresses) => addresses.map((one) => {ROUTER}.resolve(one).matched.at(-1)?.path ?? one)", list(addresses)
    )
    return set(found)
