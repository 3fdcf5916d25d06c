"""The console's frame: signing in, going from part to part, palette, toasts."""

from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages.connect import Connect
from tests.e2e.pages.inbox import Inbox
from tests.e2e.pages.knowledge import Knowledge
from tests.e2e.pages.line import Line
from tests.e2e.pages.watch import Watch
from tests.e2e.pages.words import Language, Words, console_words


@dataclass
class Console:
    """One window of the console."""

    page: Page
    watch: Watch
    words: Words
    address: str
    line: Line

    async def go(self, path: str) -> None:
        """By its address, as a bookmark does."""
        await self.page.goto(f"{self.address}{path}")

    async def speak(self, language: Language) -> None:
        """From here on the page is expected in this language."""
        self.words = console_words(language)

    async def is_settled(self) -> None:
        """The page is there with its data: its main part stands, and nothing loads any more."""
        await expect(self.page.get_by_role("main").first).to_be_visible()
        await expect(self.page.get_by_text(self.words("common.loading"), exact=True)).to_have_count(0)

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.page, self.words)

    @property
    def connect(self) -> Connect:
        return Connect(self.page, self.words)

    @property
    def knowledge(self) -> Knowledge:
        return Knowledge(self.page, self.words)

    @property
    def menu(self) -> Locator:
        """The rail, or the bottom bar on a phone."""
        return self.page.get_by_role("navigation", name=self.words("app.menu"))

    @property
    def alert(self) -> Locator:
        return self.page.get_by_role("alert")

    def button(self, key: str) -> Locator:
        return self.page.get_by_role("button", name=self.words(key), exact=True)

    def button_named(self, name: str) -> Locator:
        """A button whose name is the same in every language."""
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, key: str) -> Locator:
        return self.page.get_by_label(self.words(key), exact=True)

    def dialog(self, key: str) -> Locator:
        return self.page.get_by_role("dialog", name=self.words(key))

    async def sign_in(self, name: str, password: str) -> None:
        await self.field("app.sign_in.name").fill(name)
        await self.field("app.sign_in.password").fill(password)
        await self.button("app.sign_in.submit").click()

    async def is_told(self, text: str) -> None:
        """A toast says so."""
        await expect(self.page.get_by_role("status").filter(has_text=text)).to_be_visible()

    async def command(self, title: str) -> None:
        """Finds a command in the palette by writing, and runs it with Enter."""
        await self.page.keyboard.press("ControlOrMeta+k")
        palette = self.dialog("app.palette.title")
        await palette.get_by_role("combobox").fill(title)
        await expect(palette.get_by_role("option", name=title).first).to_be_visible()
        await self.page.keyboard.press("Enter")
        await expect(palette).to_be_hidden()
