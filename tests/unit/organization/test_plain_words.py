"""Simple mode speaks as a shop owner does: none of its texts holds a word of `tests/support/jargon.txt`.

Which texts these are is found from the code: the pages of the five entries, what they import, and the keys in there.
What modules say on today's page, the industries and the menu come from the server's texts by their prefix.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import huitouke
from huitouke.kernel.locales import LOCALES
from huitouke.kernel.modules import load_modules

ROOT = Path(huitouke.__file__).parents[2]
CONSOLE = ROOT / "web/console/src"
WORDS = Path(__file__).parents[2] / "support/jargon.txt"

PAGES = (
    "features/organization/start/IndustryPage.vue",
    "features/organization/start/FactsPage.vue",
    "features/organization/start/ReadyPage.vue",
    "features/organization/start/TodayPage.vue",
    "features/organization/start/ActivitiesPage.vue",
    "features/assistant/pages/QuestionsPage.vue",
    "features/conversations/pages/InboxPage.vue",
    "features/customers/pages/CustomersPage.vue",
    "app/preferences/MePage.vue",
    "app/session/SignUpPage.vue",
    "app/shell/ShellLayout.vue",
)
"""The pages behind the five entries, those on the way there, and the frame around them."""

SERVER = re.compile(r"(today|industries|facts|menu\.simple)\.|menu\.(today|conversations|customers|activities)$")
"""Texts of the server on these pages."""

SHOWN_ELSEWHERE = ("app/i18n.ts", "app/session/store.ts", "app/live.ts", "features.ts", "app/shell/menu.ts")
"""Wired to everything: their imports are the whole console."""

IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*'([^']+)'""")
KEY = re.compile(r"""['"`]([a-z_]+(?:\.\w+)+)['"`]""")
BUILT = re.compile(r"""['"`]([a-z_]+\.[\w.]*)\$\{[^`]*`""")


@cache
def jargon() -> tuple[re.Pattern[str], ...]:
    lines = [line.strip() for line in WORDS.read_text(encoding="utf-8").splitlines()]
    words = [line for line in lines if line and not line.startswith("#")]
    return tuple(
        re.compile(rf"(?<![A-Za-z]){re.escape(word)}(?![A-Za-z])" if word.isascii() else re.escape(word), re.IGNORECASE)
        for word in words
    )


def forbidden_in(text: str) -> list[str]:
    without_placeholders = re.sub(r"\{\w+\}", " ", text)
    return [found[0] for word in jargon() if (found := word.search(without_placeholders))]


def files_of(page: str) -> set[Path]:
    """The page and everything of the console that it imports, whoever imports it."""
    seen: set[Path] = set()
    open_ones = [CONSOLE / page]
    while open_ones:
        file = open_ones.pop()
        if file in seen:
            continue
        seen.add(file)
        for wanted in IMPORT.findall(file.read_text(encoding="utf-8")):
            found = _resolve(file, wanted)
            if found is not None and str(found.relative_to(CONSOLE)) not in SHOWN_ELSEWHERE:
                open_ones.append(found)
    return seen


def _resolve(file: Path, wanted: str) -> Path | None:
    if wanted.startswith("@/"):
        base = CONSOLE / wanted.removeprefix("@/")
    elif wanted.startswith("."):
        base = (file.parent / wanted).resolve()
    else:
        return None
    candidates = (base, base.with_name(f"{base.name}.ts"), base / "index.ts")
    return next((one for one in candidates if one.is_file() and one.suffix in (".vue", ".ts")), None)


@cache
def console_texts(locale: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for folder in (CONSOLE, ROOT / "web/packages/i18n/src"):
        for file in sorted(folder.rglob(f"locales/{locale}.json")):
            found |= json.loads(file.read_text(encoding="utf-8"))
    return found


def texts_of(page: str, locale: str) -> Iterator[tuple[str, str]]:
    """The texts whose keys stand in the page's files, whole or put together."""
    known = console_texts(locale)
    for file in sorted(files_of(page)):
        code = file.read_text(encoding="utf-8")
        named = set(KEY.findall(code))
        begun = tuple(prefix for prefix in BUILT.findall(code) if prefix.count("."))
        for key, text in known.items():
            if key in named or (begun and key.startswith(begun)):
                yield key, text


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("page", PAGES)
def test_simple_modes_pages_hold_no_jargon(page: str, locale: str) -> None:
    texts = dict(texts_of(page, locale))
    assert texts, "a page without texts: were they found?"
    assert {key: words for key, text in texts.items() if (words := forbidden_in(text))} == {}


@pytest.mark.parametrize("locale", LOCALES)
def test_what_modules_say_on_these_pages_holds_none_either(locale: str) -> None:
    texts: dict[str, str] = {}
    for module in load_modules():
        if module.locales is not None:
            texts |= json.loads((module.locales / f"{locale}.json").read_text(encoding="utf-8"))
    held = {key: text for key, text in texts.items() if SERVER.match(key)}
    assert len([key for key in held if key.startswith("today.")]) > 20
    assert {key: words for key, text in held.items() if (words := forbidden_in(text))} == {}


def test_the_keys_of_a_page_are_found_through_what_it_imports() -> None:
    keys = {key for key, _ in texts_of("features/organization/start/ReadyPage.vue", "en")}
    assert "organization.start.ready.heading" in keys, "its own"
    assert "organization.start.qr" in keys, "of a component in it"
    assert any(key.startswith("organization.activities.idea.") for key in dict(texts_of(PAGES[4], "en"))), "built ones"


def test_a_word_is_a_word_and_not_a_part_of_one() -> None:
    assert forbidden_in("Connect the API now") == ["API"]
    assert forbidden_in("Therapists leading rapid tokenish tokens") == ["tokens"]
    assert forbidden_in("把私域流量沉淀下来") == ["私域", "沉淀"]
    assert forbidden_in("{token} 位顾客在等") == []
