"""`make screenshots`: drives the demo and writes the pictures of README and documentation.

docs/images/<screen>-<width>-<theme>.png, each screen at 1440 and 375 px, light and dark.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.async_api import Browser, Page, StorageState, async_playwright, expect

from tests.e2e.composers.files import excel
from tests.e2e.pages.browser import launch
from tests.e2e.pages.console import Console
from tests.e2e.pages.line import Line
from tests.e2e.pages.watch import Watch
from tests.e2e.pages.words import console_words, phone_words
from tests.install.people import Customer, Staff
from tests.install.running_demo import RunningDemo

IMAGES = Path(__file__).parents[2] / "docs/images"
SIGN_IN_NAME, PASSWORD = "demo", "huitouke-demo"
WIDTHS = {1440: 900, 375: 812}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
COLOURS = 256
"""Enough for pages with few colours; a picture then takes a third of the room."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PATIENCE_MILLISECONDS = 15_000

Draw = Callable[[Console], Awaitable[None]]


@dataclass(frozen=True)
class Scene:
    """What was arranged in the demo for the pictures."""

    console: str
    sandbox: str
    conversation: str
    waiting: str
    imported: str
    chat: str


def arrange(demo: RunningDemo, folder: Path) -> Scene:
    """Two customers who have just written, and a file that waits to be imported."""
    staff = Staff(demo.addresses.console, SIGN_IN_NAME, PASSWORD)
    asks, complains = Customer(demo.addresses.phone, "童话里"), Customer(demo.addresses.phone, "一叶舟")
    asks.asks("有大一点的吗")
    asks.asks("多久能发货")
    complains.asks("我的快递还没到，我要投诉，找人工")
    rows = [
        ["问题", "答案", "分组"],
        ["周年庆哪天开始", "12 月 1 日开始，为期三天。", "活动"],
        ["可以开发票吗", "", "售后"],
    ]
    file = excel(folder / "店铺常见问题.xlsx", rows)
    stored = staff.upload("knowledge_import", file.name, file.read_bytes(), XLSX)
    return Scene(
        demo.addresses.console,
        demo.addresses.phone,
        str(staff.conversation_of("童话里")["id"]),
        str(staff.conversation_of("一叶舟")["id"]),
        str(staff.post("/api/knowledge/imports", {"file_id": stored})["id"]),
        asks.place,
    )


def console_screens(scene: Scene) -> dict[str, tuple[str, Draw]]:
    """Name of the picture: where, and what is done there before it is taken."""

    async def nothing(console: Console) -> None:
        await console.is_settled()

    async def with_trace(console: Console) -> None:
        await console.is_settled()
        trace = await console.inbox.open_trace()
        await expect(trace.get_by_role("listitem").first).to_be_visible()

    async def with_question(console: Console) -> None:
        await console.field("assistant.try.question").fill("有大一点的吗")
        await console.button("assistant.try.submit").click()
        await expect(console.page.get_by_role("list", name=console.words("assistant.try.talk"))).to_be_visible()

    return {
        "inbox": (f"/conversations/{scene.conversation}", with_trace),
        "conversation": (f"/conversations/{scene.waiting}", nothing),
        "list": ("/conversations", nothing),
        "customers": ("/customers", nothing),
        "knowledge": ("/assistant/knowledge", nothing),
        "import": (f"/assistant/import?import={scene.imported}", nothing),
        "try": ("/assistant/try", with_question),
        "assistant": ("/assistant/settings", nothing),
        "model": ("/assistant/model", nothing),
        "channels": ("/settings/channels", nothing),
        "connect": ("/settings/channels/connect", nothing),
        "staff": ("/settings/staff", nothing),
        "roles": ("/settings/roles", nothing),
        "role": ("/settings/roles/manager", nothing),
    }


async def draw_all(scene: Scene) -> None:
    """Every screen in every form."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        session = await signed_in(browser, scene)
        for width in WIDTHS:
            for theme in THEMES:
                await draw_form(browser, scene, session, width, theme)
        await browser.close()


async def signed_in(browser: Browser, scene: Scene) -> StorageState:
    """The state of a browser in which somebody has signed in."""
    async with opened(browser, 1440, "light", None) as page:
        console = console_of(page, scene)
        await console.go("/")
        await console.sign_in(SIGN_IN_NAME, PASSWORD)
        await expect(console.inbox.list).to_be_visible()
        return await page.context.storage_state()


async def draw_form(
    browser: Browser, scene: Scene, session: StorageState, width: int, theme: Literal["light", "dark"]
) -> None:
    async with opened(browser, width, theme, None) as page:
        await page.goto(f"{scene.console}/sign-in")
        await page.get_by_role("button", name=console_words()("app.sign_in.submit")).wait_for()
        await take(page, "sign-in", width, theme)
        await page.goto(f"{scene.sandbox}/?{scene.chat}")
        chat = page.get_by_role("log", name=phone_words()("chat.messages"))
        await expect(chat.get_by_role("listitem").filter(has_text="AI").last).to_be_visible()
        await take(page, "phone", width, theme)
        await page.goto(f"{scene.sandbox}/desk")
        apps = phone_words()("desk.tab.apps")
        await page.get_by_role("link", name=apps).click()
        await page.get_by_role("region", name=apps).get_by_role("link").first.click()
        await expect(page.get_by_role("main").get_by_role("heading", level=3).first).to_be_visible()
        await take(page, "desk", width, theme)
    async with opened(browser, width, theme, session) as page:
        console = console_of(page, scene)
        for name, (path, draw) in console_screens(scene).items():
            await console.go(path)
            await draw(console)
            await take(page, name, width, theme)


@contextlib.asynccontextmanager
async def opened(
    browser: Browser, width: int, theme: Literal["light", "dark"], session: StorageState | None
) -> AsyncIterator[Page]:
    context = await browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme=theme,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
        storage_state=session,
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield await context.new_page()
    await context.close()


def console_of(page: Page, scene: Scene) -> Console:
    return Console(page, Watch(page), console_words(), scene.console, Line(page))


async def take(page: Page, name: str, width: int, theme: str) -> None:
    """Waits for fonts and pictures, then writes the file."""
    await page.evaluate("document.fonts.ready")
    await page.wait_for_function("[...document.images].every(one => one.complete || one.loading === 'lazy')")
    shot = await page.screenshot(animations="disabled", caret="hide")
    target = IMAGES / f"{name}-{width}-{theme}.png"
    Image.open(BytesIO(shot)).convert("RGB").quantize(COLOURS).save(target, optimize=True)
    print(f"  {target.relative_to(IMAGES.parents[1])}", flush=True)


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="huitouke-pictures-") as folder:
        demo = RunningDemo(Path(folder) / "demo")
        with demo:
            asyncio.run(draw_all(arrange(demo, Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
