"""What must hold for every page in every form: accessible, nothing cut off, one language."""

import re
from functools import cache
from pathlib import Path

from playwright.async_api import Page

AXE = Path(__file__).parents[3] / "web/node_modules/axe-core/axe.min.js"
STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
CHINESE = re.compile(r"[\u3400-\u9fff\uff00-\uffef\u3000-\u303f]+")
ENGLISH = re.compile(r"\b[A-Za-z]{2,}(?: [a-z]{2,})+\b")
"""Two words of a sentence or more; single ones are names (Excel, WeCom) or somebody's sign-in name."""
RAW_KEY = re.compile(
    r"\b(?:app|common|errors|conversations|customers|assistant|organization|notices)\.[a-z_]+(?:\.[a-z_]+)*\b"
)

WORDS_OF_PAGE = """() => {
  // What says that it is Chinese may be; what was and became is data of the shop.
  const NOT_OURS = 'script, style, template, [lang]:not(html):lang(zh), del, ins';
  const said = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const holder = walker.currentNode.parentElement;
    if (holder && !holder.closest(NOT_OURS)) said.push(walker.currentNode.textContent);
  }
  for (const element of document.querySelectorAll('*')) {
    for (const name of ['aria-label', 'title', 'placeholder', 'alt', 'data-tip']) {
      if (element.hasAttribute(name) && !element.closest(NOT_OURS)) said.push(element.getAttribute(name));
    }
  }
  said.push(document.title);
  return said.map((one) => one.trim()).filter(Boolean);
}"""

TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  const found = [];
  const whole = document.documentElement.scrollWidth;
  if (whole > width) found.push(`the page is ${whole} wide`);
  const scrolls = (element) => {
    for (let up = element.parentElement; up; up = up.parentElement) {
      const kind = getComputedStyle(up).overflowX;
      if (kind === 'auto' || kind === 'scroll') return true;
    }
    return false;
  };
  for (const element of document.body.querySelectorAll('*')) {
    const box = element.getBoundingClientRect();
    const seen = box.width > 1 && box.height > 1 && element.checkVisibility({ visibilityProperty: true });
    if (seen && box.right > width + 1 && !scrolls(element) && !element.closest('.sr-only')) {
      found.push(`${element.tagName.toLowerCase()}.${element.className} ends at ${Math.round(box.right)}`);
    }
  }
  return found.slice(0, 5);
}"""


@cache
def _axe() -> str:
    return AXE.read_text()


async def faults_of_access(page: Page, *, only: tuple[str, ...] = ()) -> list[str]:
    """What axe finds: the rule, what it asks for, and the first elements. `only`: these rules alone."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_axe())
    run = {"type": "rule", "values": list(only)} if only else {"type": "tag", "values": list(STANDARDS)}
    found = await page.evaluate(
        "run => axe.run(document, { runOnly: run, resultTypes: ['violations'] }).then(result => result.violations)", run
    )
    return [
        f"{one['id']}: {one['help']}: " + " | ".join(node["html"][:160] for node in one["nodes"][:3]) for one in found
    ]


async def chinese_leftovers(page: Page) -> list[str]:
    """Texts of an English page that have Chinese in them; its data must be English."""
    said: list[str] = await page.evaluate(WORDS_OF_PAGE)
    return [text for text in said if CHINESE.search(text)]


async def english_leftovers(page: Page) -> list[str]:
    """Texts of a Chinese page that are English sentences; its data must be Chinese."""
    said: list[str] = await page.evaluate(WORDS_OF_PAGE)
    return [text for text in said if ENGLISH.search(text) and not CHINESE.search(text)]


async def raw_keys(page: Page) -> list[str]:
    """Texts that are keys: somebody forgot to write them."""
    said: list[str] = await page.evaluate(WORDS_OF_PAGE)
    return [text for text in said if RAW_KEY.search(text)]


async def too_wide(page: Page) -> list[str]:
    """What reaches beyond the window without a way to scroll there."""
    found: list[str] = await page.evaluate(TOO_WIDE)
    return found
