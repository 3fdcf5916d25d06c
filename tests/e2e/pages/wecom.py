"""An employee's WeCom client in the browser."""

from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages.watch import Watch
from tests.e2e.pages.words import Words


@dataclass
class Wecom:
    """Customers to serve, and messages of apps."""

    page: Page
    watch: Watch
    words: Words

    @property
    def chat(self) -> Locator:
        return self.page.get_by_role("log", name=self.words("chat.messages"))

    def customer(self, nickname: str) -> Locator:
        """The customer's line in the list."""
        return self.page.get_by_role("region", name=self.words("desk.tab.sessions")).get_by_role("link", name=nickname)

    async def open(self, nickname: str) -> None:
        await self.customer(nickname).click()
        await expect(self.page.get_by_role("main").get_by_role("heading", name=nickname)).to_be_visible()

    async def sees(self, text: str) -> None:
        await expect(self.chat.get_by_role("listitem").filter(has_text=text).last).to_be_visible()

    async def reply(self, text: str) -> None:
        field = self.page.get_by_role("textbox", name=self.words("composer.input"))
        await field.fill(text)
        await field.press("Enter")
        await self.sees(text)

    async def end(self) -> None:
        await self.page.get_by_role("button", name=self.words("desk.end")).click()
        await expect(self.page.get_by_text(self.words("desk.ended_line"))).to_be_visible()
