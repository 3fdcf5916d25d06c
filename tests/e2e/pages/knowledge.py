"""Knowledge and assistant: the list, the import, the model."""

from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages.words import Words


@dataclass
class Knowledge:
    """What the assistant knows, and with what it answers."""

    page: Page
    words: Words

    # ---- the import of a table

    async def choose_file(self, file: Path) -> None:
        async with self.page.expect_file_chooser() as choosing:
            await self.page.get_by_role("button", name=self.words("assistant.import.pick"), exact=True).click()
        await (await choosing.value).set_files(file)

    def import_error(self, reason: str) -> Locator:
        """A line of the table of rows that cannot be taken."""
        return self.page.get_by_role("row").filter(has_text=reason)

    async def apply(self, rows: int) -> None:
        await self.page.get_by_role("button", name=self.words("assistant.import.apply", n=rows), exact=True).click()
        done = self.page.get_by_role("heading", name=self.words("assistant.import.done"))
        await expect(done).to_be_visible()

    # ---- the model

    async def fill_model(self, address: str, model: str, key: str) -> None:
        await self._field("assistant.model.base_url").fill(address)
        await self._field("assistant.model.name").fill(model)
        await self._field("assistant.model.key", optional=True).fill(key)

    async def test_model(self) -> Locator:
        """Presses "test"; gives the place where the result is said."""
        await self.page.get_by_role("button", name=self.words("assistant.model.test"), exact=True).click()
        return self.page.get_by_role("status")

    async def save(self) -> None:
        await self.page.get_by_role("button", name=self.words("common.save"), exact=True).click()
        await expect(self.page.get_by_role("status").filter(has_text=self.words("common.saved"))).to_be_visible()

    # ---- pausing for everybody

    async def pause_everybody(self) -> None:
        await self.page.get_by_role("button", name=self.words("assistant.pause.serving")).click()
        await self.page.get_by_role("menuitem", name=self.words("assistant.pause.until_told")).click()
        await expect(self.page.get_by_role("button", name=self.words("assistant.pause.paused"))).to_be_visible()

    def _field(self, key: str, *, optional: bool = False) -> Locator:
        """A field's label is followed by "optional" where it is."""
        label = f"{self.words(key)} {self.words('common.optional')}" if optional else self.words(key)
        return self.page.get_by_label(label, exact=True)
