"""The guided way of connecting WeCom, and the pages of a connected app and account."""

from dataclasses import dataclass
from typing import Literal

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages.words import Words

Step = Literal["credentials", "callback", "rights", "account", "try"]


@dataclass
class Connect:
    """Five steps, and what the live checks say."""

    page: Page
    words: Words

    async def is_at(self, step: Step) -> None:
        await expect(
            self.page.get_by_role("heading", name=self.words(f"organization.connect.{step}.title"))
        ).to_be_visible()

    async def fill(self, *, corp_id: str, agent_id: str, secret: str) -> None:
        """The first step, as copied from WeCom's admin pages."""
        for key, value in {"name": "客服助手", "corp_id": corp_id, "agent_id": agent_id}.items():
            await self.page.get_by_label(self.words(f"organization.app.{key}"), exact=True).fill(value)
        await self.fill_secret(secret)

    async def fill_secret(self, secret: str) -> None:
        await self.page.get_by_label(self.words("organization.app.secret")).fill(secret)
        await self.page.get_by_role("button", name=self.words("organization.app.continue")).click()

    def check(self, state: Literal["ok", "failed", "waiting"]) -> Locator:
        """A line of the live checks that ended so."""
        return self.page.get_by_role("listitem").filter(has_text=self.words(f"common.check.{state}"))

    async def check_again(self) -> None:
        await self.page.get_by_role("button", name=self.words("organization.check.run"), exact=True).last.click()

    async def press(self, key: str) -> None:
        await self.page.get_by_role("button", name=self.words(key), exact=True).click()

    async def copied(self, key: str) -> str:
        """One of the three values that are carried over to WeCom, as the copy button takes it."""
        await self.page.get_by_text(self.words(key), exact=True).locator("..").get_by_role("button").click()
        text: str = await self.page.evaluate("navigator.clipboard.readText()")
        return text
