"""The inbox: list, conversation, composer."""

from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.e2e.pages.words import Words


@dataclass
class Inbox:
    """What one sees and does with conversations."""

    page: Page
    words: Words

    # ---- the list

    @property
    def list(self) -> Locator:
        return self.page.get_by_role("region", name=self.words("conversations.list"))

    def row(self, nickname: str) -> Locator:
        return self.list.get_by_role("link", name=nickname)

    async def open(self, nickname: str) -> None:
        await self.row(nickname).click()
        await self.is_open(nickname)

    async def is_open(self, nickname: str) -> None:
        await expect(self.page.get_by_role("heading", level=1, name=nickname)).to_be_visible()

    # ---- the conversation

    @property
    def messages(self) -> Locator:
        return self.page.get_by_role("log", name=self.words("conversations.messages"))

    def message(self, text: str) -> Locator:
        return self.messages.get_by_role("article").filter(has_text=text)

    async def sees(self, text: str) -> None:
        """A message stands in the conversation, without a reload."""
        await expect(self.message(text).last).to_be_visible()

    async def sees_line(self, key: str) -> None:
        """A line between the messages says what happened."""
        await expect(self.messages.get_by_text(self.words.like(key)).last).to_be_visible()

    async def status_is(self, key: str, **values: object) -> None:
        """Who handles it, as the head of the conversation says."""
        await expect(self.thread.get_by_text(self.words(key, **values), exact=True).first).to_be_visible()

    @property
    def thread(self) -> Locator:
        return self.page.get_by_role("region", name=self.words.like("conversations.with"))

    @property
    def take_button(self) -> Locator:
        return self.thread.get_by_role("button", name=self.words("conversations.action.take"), exact=True)

    async def take(self) -> None:
        """Shows at once; once one may write, the server knows it too."""
        await self.take_button.first.click()
        await self.status_is("conversations.status.mine")
        await expect(self.field).to_be_visible()

    async def choose(self, action: str) -> None:
        """An action of the conversation's menu, by its key."""
        await self.thread.get_by_role("button", name=self.words("common.more"), exact=True).click()
        await self.page.get_by_role("menuitem", name=self.words(action)).click()

    @property
    def pause_notice(self) -> Locator:
        """Above the list while the assistant is silent for everybody."""
        return self.list.get_by_role("status").filter(has=self.page.get_by_role("button"))

    async def hand_back(self, *, then: str = "conversations.status.assistant") -> None:
        await self.thread.get_by_role(
            "button", name=self.words("conversations.action.hand_back"), exact=True
        ).first.click()
        await self.status_is(then)

    # ---- writing

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name=self.words("conversations.compose"))

    async def reply(self, text: str) -> None:
        await self.field.fill(text)
        await self.page.get_by_role("button", name=self.words("conversations.send"), exact=True).click()
        await self.sees(text)

    async def is_sent(self, text: str) -> None:
        """WeCom has accepted it."""
        sent = self.message(text).last.get_by_text(self.words("conversations.message_state.sent"), exact=True)
        await expect(sent).to_be_visible()

    async def send_picture(self, file: Path) -> None:
        async with self.page.expect_file_chooser() as choosing:
            await self.page.get_by_role("button", name=self.words("conversations.attach_image")).click()
        await (await choosing.value).set_files(file)

    @property
    def pictures(self) -> Locator:
        return self.messages.get_by_role("button", name=self.words("conversations.picture_open"))

    @property
    def play_voice(self) -> Locator:
        return self.messages.get_by_role("button", name=self.words("conversations.voice_play"))

    @property
    def voice_player(self) -> Locator:
        """The browser's own player, once a voice was decoded; it has no role."""
        return self.messages.locator("audio")

    async def open_card(self, kind: str) -> Locator:
        """The dialog in which a link, mini program, menu or place is made."""
        await self.thread.get_by_role("button", name=self.words("conversations.card.more"), exact=True).click()
        await self.page.get_by_role("menuitem", name=self.words(f"conversations.kind.{kind}")).click()
        dialog = self.page.get_by_role("dialog", name=self.words(f"conversations.card.send.{kind}"))
        await expect(dialog).to_be_visible()
        return dialog

    async def send_card(self, dialog: Locator) -> None:
        await dialog.get_by_role("button", name=self.words("conversations.send"), exact=True).click()
        await expect(dialog).to_have_count(0)

    async def choose_picture(self, dialog: Locator, file: Path) -> None:
        async with self.page.expect_file_chooser() as choosing:
            await dialog.get_by_role("button", name=self.words("conversations.card.picture")).click()
        await (await choosing.value).set_files(file)

    # ---- why the assistant answered so

    async def open_trace(self, text: str = "") -> Locator:
        """Of the newest answer of the assistant with these words."""
        why = self.page.get_by_role("button", name=self.words("conversations.why"))
        await (
            self.message(text).filter(has=why).last.get_by_role("button", name=self.words("conversations.why")).click()
        )
        drawer = self.page.get_by_role("dialog", name=self.words("conversations.trace"))
        await expect(drawer).to_be_visible()
        return drawer
