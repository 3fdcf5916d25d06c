"""The shop's chat page in a visitor's browser."""

from dataclasses import dataclass
from typing import Final

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages.line import Line
from tests.e2e.pages.watch import Watch
from tests.e2e.pages.words import Language

WORDS: Final = {
    "zh-CN": {"field": "输入您的问题", "send": "发送", "log": "聊天记录", "earlier": "查看更早的消息", "retry": "重发"},
    "en": {
        "field": "Your question",
        "send": "Send",
        "log": "Chat",
        "earlier": "Earlier messages",
        "retry": "Send again",
    },
}


@dataclass
class ChatPage:
    """What a visitor sees and does."""

    page: Page
    watch: Watch
    line: Line
    language: Language

    def word(self, name: str) -> str:
        return WORDS[self.language][name]

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log", name=self.word("log"))

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name=self.word("field"))

    @property
    def status(self) -> Locator:
        return self.page.locator(".status")

    @property
    def bubbles(self) -> Locator:
        return self.log.locator(".bubble")

    def bubble(self, text: str) -> Locator:
        return self.bubbles.filter(has_text=text)

    async def write(self, text: str) -> None:
        await self.field.fill(text)
        await self.page.get_by_role("button", name=self.word("send"), exact=True).click()

    async def sees(self, text: str) -> None:
        """It comes without a reload."""
        await expect(self.bubble(text).last).to_be_visible()

    async def is_sent(self, text: str) -> None:
        """The server has it: nothing beside the bubble says otherwise."""
        await expect(self.log.locator(".mine").filter(has_text=text).locator(".note")).to_have_count(0)
