"""Opens the browser pages of one journey, each in a context of its own, and keeps what a failure needs."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, BrowserContext, Page

from tests.e2e.composers.people import Staff
from tests.e2e.composers.shop import Customer, Shop
from tests.e2e.composers.stage import Stage
from tests.e2e.pages.chat_page import ChatPage
from tests.e2e.pages.console import Console
from tests.e2e.pages.line import Line
from tests.e2e.pages.phone import Phone
from tests.e2e.pages.watch import Watch
from tests.e2e.pages.wecom import Wecom
from tests.e2e.pages.words import Language, console_words, phone_words

ACTION_MILLISECONDS = 20_000
DESKTOP = (1440, 900)
MOBILE = (375, 812)
ARTIFACTS = Path(__file__).parents[1] / "artifacts"


@dataclass
class _Opened:
    name: str
    context: BrowserContext
    page: Page
    watch: Watch


@dataclass
class Screens:
    """The screens that people of a journey look at."""

    browser: Browser
    stage: Stage
    _opened: list[_Opened] = field(default_factory=list)

    async def console(
        self,
        staff: Staff | None = None,
        *,
        language: Language = "zh-CN",
        size: tuple[int, int] = DESKTOP,
        theme: Literal["light", "dark"] = "light",
        at: str = "/conversations",
    ) -> Console:
        """The console, signed in as `staff`; without anybody, its sign-in page."""
        name = f"console-{len(self._opened)}"
        opened = await self._open(name, size, theme, language)
        if staff is not None:
            if language != "zh-CN":
                await staff.patch("/api/session", {"locale": language})
            await opened.context.add_cookies([staff.cookie])  # type: ignore[list-item]  # a TypedDict of the library
        line = Line(opened.page)
        await line.install()
        await opened.page.goto(f"{self.stage.console}{at}")
        return Console(opened.page, opened.watch, console_words(language), self.stage.console, line)

    async def phone(
        self, customer: Customer, *, size: tuple[int, int] = DESKTOP, language: Language = "zh-CN"
    ) -> Phone:
        """The customer's WeChat with the shop's chat open."""
        opened = await self._open(f"phone-{len(self._opened)}", size, "light", language)
        query = f"customer={customer.id}&chat={customer.shop.open_kfid}"
        await opened.page.goto(f"{self.stage.sandbox.address}/?{query}")
        return Phone(opened.page, opened.watch, phone_words(language))

    async def visitor(
        self,
        path: str,
        *,
        size: tuple[int, int] = MOBILE,
        language: Language = "zh-CN",
        theme: Literal["light", "dark"] = "light",
    ) -> ChatPage:
        """Somebody who opens a shop's chat page by its link."""
        opened = await self._open(f"visitor-{len(self._opened)}", size, theme, language)
        line = Line(opened.page)
        await line.install()
        await opened.page.goto(f"{self.stage.console}{path}")
        return ChatPage(opened.page, opened.watch, line, language)

    async def wecom(
        self, shop: Shop, userid: str, *, size: tuple[int, int] = DESKTOP, language: Language = "zh-CN"
    ) -> Wecom:
        """An employee's WeCom client."""
        opened = await self._open(f"wecom-{len(self._opened)}", size, "light", language)
        await opened.page.goto(f"{self.stage.sandbox.address}/desk/{userid}?corp={shop.corp_id}")
        return Wecom(opened.page, opened.watch, phone_words(language))

    @property
    def problems(self) -> list[str]:
        """What went wrong in any page and was not expected."""
        return [f"{one.name}: {problem}" for one in self._opened for problem in one.watch.problems]

    async def keep(self, test: str) -> None:
        """Pictures, traces and the server's log of a journey that failed."""
        folder = ARTIFACTS / re.sub(r"[^\w-]+", "_", test)
        folder.mkdir(parents=True, exist_ok=True)
        for one in self._opened:
            await one.page.screenshot(path=folder / f"{one.name}.png")
            await one.context.tracing.stop(path=folder / f"{one.name}.zip")
        (folder / "problems.txt").write_text("\n".join(self.problems))
        (folder / "server.log").write_text(self.stage.server.end_of_log())

    async def close(self) -> None:
        for one in self._opened:
            await one.context.close()

    async def _open(
        self, name: str, size: tuple[int, int], theme: Literal["light", "dark"], language: Language
    ) -> _Opened:
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,
            locale=language,
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            has_touch=size == MOBILE,
        )
        context.set_default_timeout(ACTION_MILLISECONDS)
        await context.tracing.start(snapshots=True)
        page = await context.new_page()
        opened = _Opened(name, context, page, Watch(page))
        self._opened.append(opened)
        return opened
