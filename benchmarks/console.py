"""The console as a person meets it: loading over slow lines, scrolling and opening in a full inbox, typing.

subject  `huitouke serve` with sockets, a merchant with 100,000 conversations, the built console in Chromium
limit    the bars themselves: no other console loads the same inbox, so there is no peer; they stand in the line
line     Chromium's own emulation (CDP): 1.44 Mbit/s + 562 ms and 8.1 Mbit/s + 165 ms per request

"Usable" is the moment at which the inbox answers to a key: rows are there and `j` marks the first of them. Bytes are
those on the wire until then, heads of answers included.
"""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx2
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright

from benchmarks.support import data, inbox_data, postgres
from benchmarks.support.options import CACHE, Options, read_options
from benchmarks.support.processes import Installation
from benchmarks.support.report import Report, percentile, say
from tests.e2e.composers.people import SESSION_COOKIE
from tests.e2e.pages.browser import launch

ROUTE: Final = "/conversations"
LOAD_SECONDS: Final = 60
SETTLE_SECONDS: Final = 2.0
SCROLL_PX: Final = 60_000
SCROLL_PX_PER_SECOND: Final = 6_000
TYPED: Final = "您好，这款现在有货，今天下单明天就能发出。"

WATCH_USABLE: Final = """
(() => {
  const press = () => document.dispatchEvent(new KeyboardEvent('keydown', { key: 'j', code: 'KeyJ', bubbles: true }));
  const rows = () => document.querySelectorAll('a[href^="/conversations/"]');
  const look = setInterval(() => {
    if ([...rows()].some((row) => row.getAttribute('aria-current') === 'true')) {
      clearInterval(look);
      document.documentElement.dataset.usableMs = performance.now();
    } else if (rows().length) press();
  }, 10);
})();
"""

WATCH_FRAMES: Final = """
() => {
  const frames = [];
  let last = performance.now();
  const tick = (now) => { frames.push(now - last); last = now; window.frameWatch = requestAnimationFrame(tick); };
  window.frameWatch = requestAnimationFrame(tick);
  window.frames_ms = frames;
}
"""

OPEN_ONE: Final = """
(number) => new Promise((resolve, reject) => {
  const rows = [...document.querySelectorAll('section ul.rows a[href^="/conversations/"]')];
  const row = rows[number % rows.length];
  const id = row.pathname.split('/').pop();
  const begun = performance.now();
  const thread = () => document.querySelector(`[data-conversation="${id}"]`);
  row.click();
  const look = () => {
    const found = thread();
    if (found && found.querySelector('[role=log] article') && !found.closest('[inert]')) {
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)));
    } else if (performance.now() - begun > 20000) reject(new Error('it did not open'));
    else requestAnimationFrame(look);
  };
  look();
})
"""

WATCH_TYPING: Final = """
() => {
  window.typing_ms = [];
  document.addEventListener('keydown', (event) => {
    const begun = event.timeStamp;
    requestAnimationFrame(() => setTimeout(() => window.typing_ms.push(performance.now() - begun)));
  }, true);
}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """An emulated line, and how soon the inbox should be usable over it."""

    name: str
    kbit_per_second: float
    latency_ms: float
    cold_bar_s: float
    warm_bar_s: float


SLOW: Final = Line("slow", 1_440, 562, cold_bar_s=4.0, warm_bar_s=1.8)
FAST: Final = Line("fast", 8_100, 165, cold_bar_s=1.5, warm_bar_s=0.8)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One loading of the inbox."""

    usable_s: float
    wire_kb: float


class Visit:
    """One browser profile (a context with its cache), signed in."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url

    async def load(self, line: Line | None) -> Loaded:
        """Opens the inbox in a fresh tab."""
        page = await self.context.new_page()
        await page.add_init_script(WATCH_USABLE)
        cdp = await self.context.new_cdp_session(page)
        received = await _count_bytes(cdp)
        if line is not None:
            await _emulate(cdp, line)
        await page.goto(self.url + ROUTE, wait_until="commit", timeout=LOAD_SECONDS * 1000)
        page_itself = page.locator("html[data-usable-ms]")
        await page_itself.wait_for(state="attached", timeout=LOAD_SECONDS * 1000)
        usable_ms = float(await page_itself.get_attribute("data-usable-ms") or 0)
        loaded = Loaded(usable_ms / 1000, received.total / 1000)
        await asyncio.sleep(SETTLE_SECONDS)  # what comes after it belongs to this tab, not to the next
        await page.close()
        return loaded


class _Received:
    """Bytes that came over the wire, counted as they come."""

    def __init__(self) -> None:
        self.total = 0
        self._by_request: dict[str, int] = {}

    def some(self, event: dict[str, Any]) -> None:
        self._put(event["requestId"], self._by_request.get(event["requestId"], 0) + event["encodedDataLength"])

    def all_of(self, event: dict[str, Any]) -> None:
        """Of one request, with its head: replaces what was counted of it."""
        self._put(event["requestId"], event["encodedDataLength"])

    def _put(self, request: str, count: int) -> None:
        self.total += count - self._by_request.get(request, 0)
        self._by_request[request] = count


async def _count_bytes(cdp: CDPSession) -> _Received:
    received = _Received()
    cdp.on("Network.dataReceived", received.some)
    cdp.on("Network.loadingFinished", received.all_of)
    await cdp.send("Network.enable")
    return received


async def _emulate(cdp: CDPSession, line: Line) -> None:
    rate = line.kbit_per_second * 1000 / 8
    await cdp.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": line.latency_ms, "downloadThroughput": rate, "uploadThroughput": rate},
    )


class FullInbox:
    """The inbox of 100,000 conversations in one tab, without an emulated line."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def scroll(self) -> list[float]:
        """Frames in ms while the list runs down, far beyond what was loaded."""
        cdp = await self.page.context.new_cdp_session(self.page)
        box = await self.page.locator("section ul.rows").first.bounding_box()
        assert box is not None, "the list is there"
        await self.page.evaluate(WATCH_FRAMES)
        await cdp.send(
            "Input.synthesizeScrollGesture",
            {"x": box["x"] + 100, "y": 400, "yDistance": -SCROLL_PX, "speed": SCROLL_PX_PER_SECOND,
             "gestureSourceType": "mouse"},
        )  # fmt: skip
        frames: list[float] = await self.page.evaluate("(cancelAnimationFrame(window.frameWatch), window.frames_ms)")
        return frames[2:]

    async def open_each(self, count: int) -> list[float]:
        """Milliseconds from the click on a row, which nobody pointed at before, to the drawn conversation."""
        taken: list[float] = []
        for number in range(count):
            await self.page.evaluate(
                "(px) => document.querySelector('section ul.rows').parentElement.scrollBy(0, px)", 700
            )
            await self.page.wait_for_timeout(250)
            taken.append(await self.page.evaluate(OPEN_ONE, number * 3 + 1))
        return taken

    async def type_reply(self) -> list[float]:
        """Milliseconds from each key to the drawn letter, in the conversation with 10,000 messages."""
        await self.page.evaluate(WATCH_TYPING)
        await self.page.locator("textarea").first.focus()
        await self.page.keyboard.type(TYPED.replace("，", ",").replace("。", ".") + "abcdefghij" * 10, delay=30)
        await self.page.wait_for_timeout(100)
        taken: list[float] = await self.page.evaluate("window.typing_ms")
        return taken


async def _visit(browser: Browser, url: str) -> Visit:
    headers = {"X-Requested-With": "huitouke", "Origin": url}
    async with httpx2.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=20) as http:
        body = {"sign_in_name": inbox_data.OWNER, "password": inbox_data.PASSWORD}
        (await http.post("/api/session", json=body)).raise_for_status()
        cookie = http.cookies[SESSION_COOKIE]
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    await context.add_cookies([{"name": SESSION_COOKIE, "value": cookie, "url": url}])
    await context.add_init_script("localStorage.setItem('huitouke.signed_in', '1')")
    return Visit(context, url)


async def _loads(browser: Browser, url: str, line: Line, rounds: int) -> tuple[list[Loaded], list[Loaded]]:
    """Cold and warm loadings over that line: each round has a profile of its own."""
    cold, warm = [], []
    for number in range(rounds):
        visit = await _visit(browser, url)
        cold.append(await visit.load(line))
        warm.append(await visit.load(line))
        await visit.context.close()
        say(
            f"{line.name} line, round {number + 1} of {rounds}:"
            f" {cold[-1].usable_s:.2f} s, then {warm[-1].usable_s:.2f} s"
        )
    return cold, warm


async def _full_inbox(browser: Browser, url: str, options: Options, report: Report) -> None:
    visit = await _visit(browser, url)
    page = await visit.context.new_page()
    await page.goto(url + ROUTE)
    await page.locator("section ul.rows a").first.wait_for()
    await page.wait_for_timeout(SETTLE_SECONDS * 1000)
    inbox = FullInbox(page)
    frames = [await inbox.scroll() for _ in range(int(options.pick(1, 3)))]
    say(f"frames: {sum(map(len, frames))}, longest {', '.join(f'{max(each):.0f}' for each in frames)} ms")
    report.at_most("longest_frame_ms", median(max(each) for each in frames), bar=50)
    report.figure("frame_p99_ms", percentile([frame for each in frames for frame in each], 0.99))
    opened = await inbox.open_each(int(options.pick(20, 60)))
    report.figure("opening_p50_ms", median(opened))
    report.at_most("opening_p95_ms", percentile(opened, 0.95), bar=300)
    await page.goto(url + ROUTE + "?view=mine")
    await page.locator("section ul.rows a").first.click()
    await page.locator("[role=log] article").first.wait_for()
    typed = await inbox.type_reply()
    report.figure("typing_p50_ms", median(typed))
    report.at_most("typing_p95_ms", percentile(typed, 0.95), bar=50)
    await visit.context.close()


async def measure() -> None:
    options = read_options()
    report = Report("console", "s", options)
    with postgres.durable_server("console") as server, ExitStack() as stack:
        kept = await data.template(server, "inbox", fill=inbox_data.fill, made_by=Path(inbox_data.__file__))
        if options.data_only:
            return
        async with data.clone(kept, "console") as urls, async_playwright() as playwright:
            shop = stack.enter_context(Installation(CACHE / "console" / "run", urls))
            served = await shop.serve("realtime")
            browser = await launch(playwright)
            rounds = int(options.pick(1, 5))
            loaded = {line: await _loads(browser, served.url, line, rounds) for line in (SLOW, FAST)}
            await _full_inbox(browser, served.url, options, report)
            await browser.close()
    for line, (cold, warm) in loaded.items():
        report.at_most(f"cold_{line.name}_s", median(each.usable_s for each in cold), bar=line.cold_bar_s)
        report.at_most(f"warm_{line.name}_s", median(each.usable_s for each in warm), bar=line.warm_bar_s)
    report.value = median(each.usable_s for each in loaded[SLOW][0])
    report.at_most("wire_kb", median(each.wire_kb for each in loaded[SLOW][0]), bar=250)
    report.figure("warm_wire_kb", median(each.wire_kb for each in loaded[SLOW][1]))
    report.print()


if __name__ == "__main__":
    asyncio.run(measure())
