"""The customer's phone in the browser."""

from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages.watch import Watch
from tests.e2e.pages.words import Words


@dataclass
class Phone:
    """A chat of the customer."""

    page: Page
    watch: Watch
    words: Words

    @property
    def chat(self) -> Locator:
        return self.page.get_by_role("log", name=self.words("chat.messages"))

    def message(self, text: str) -> Locator:
        return self.chat.get_by_role("listitem").filter(has_text=text)

    @property
    def pictures(self) -> Locator:
        return self.chat.get_by_role("button", name=self.words("chat.image.open"))

    async def write(self, text: str) -> None:
        field = self.page.get_by_role("textbox", name=self.words("composer.input"))
        await field.fill(text)
        await field.press("Enter")
        await expect(self.message(text).last).to_be_visible()

    async def sees(self, text: str) -> None:
        """The shop's message arrives without a reload."""
        await expect(self.message(text).last).to_be_visible()

    async def taps(self, entry: str) -> None:
        """An entry of the newest menu that has it."""
        await self.chat.get_by_role("button", name=entry, exact=True).last.click()

    async def send_voice(self) -> None:
        """The sandbox's sample, some seconds of AMR."""
        await self.page.get_by_role("button", name=self.words("composer.voice"), exact=True).click()

    async def send_picture(self, file: Path) -> None:
        await self.page.get_by_role("button", name=self.words("composer.more"), exact=True).click()
        async with self.page.expect_file_chooser() as choosing:
            await self.page.get_by_role("button", name=self.words("composer.kind.image"), exact=True).click()
        await (await choosing.value).set_files(file)
