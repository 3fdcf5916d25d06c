"""Every page, at both widths, light and dark, in both languages: accessible, nothing cut off, nothing untranslated."""

from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
from playwright.async_api import Page

from tests.e2e.composers.lived_in import Part, lived_in
from tests.e2e.composers.shop import found_shop
from tests.e2e.pages.looks import chinese_leftovers, faults_of_access, raw_keys, too_wide
from tests.e2e.pages.screens import DESKTOP, MOBILE, Screens
from tests.e2e.pages.words import Language

PEOPLE_OF_OTHER_SHOPS = " · "
"""The sandbox offers everybody's phone and everybody's desk, by name and id."""
WIDTHS = {"1440": DESKTOP, "375": MOBILE}
LANGUAGES = get_args(Language)
SEVERAL_PAGES_SECONDS = 300
"""A dozen pages, each looked at in light and dark: longer than other tests where the machine is slow."""


def forms(*cases: tuple[str, ...]) -> list[Any]:
    """Every combination of the last two, width and language, for what comes before; those not named are `long`.

    The named ones have every page at both widths and in both languages, but not each width in each language.
    """
    every = [
        (*first, *rest) for first in dict.fromkeys(case[:-2] for case in cases) for rest in product(WIDTHS, LANGUAGES)
    ]
    return [pytest.param(*each, marks=() if each in cases else pytest.mark.long) for each in every]


@pytest.mark.timeout(SEVERAL_PAGES_SECONDS)
@pytest.mark.parametrize(
    ("part", "width", "language"),
    forms(
        ("working", "1440", "en"), ("working", "375", "zh-CN"), ("settings", "1440", "zh-CN"), ("settings", "375", "en")
    ),
)
async def test_every_page_is_accessible_whole_and_in_one_language(
    screens: Screens, tmp_path: Path, part: Part, width: str, language: Language
) -> None:
    place = await lived_in(screens.stage, tmp_path, language)
    console = await screens.console(place.shop.owner, size=WIDTHS[width], language=language)
    faults: list[str] = []
    for name, path in place.pages[part].items():
        await console.go(path)
        await console.is_settled()
        faults += [f"{name}: {fault}" for fault in await _faults(console.page, language)]
    await place.shop.close()
    assert not faults, "\n".join(faults)


@pytest.mark.timeout(SEVERAL_PAGES_SECONDS)
@pytest.mark.parametrize(("width", "language"), forms(("1440", "en"), ("375", "zh-CN")))
async def test_a_new_owners_pages_too_in_simple_mode(screens: Screens, width: str, language: Language) -> None:
    shop = await found_shop(screens.stage, name="Corner shop", owner="Olive")
    await shop.owner.put("/api/simple-mode", {"simple_mode": True})
    console = await screens.console(shop.owner, size=WIDTHS[width], language=language, at="/start")
    faults: list[str] = []
    for step, path in enumerate(("/start", "/start/facts", "/start/ready", "/today", "/activities", "/me")):
        if step == 1:
            await shop.owner.put("/api/onboarding/industry", {"industry": "beauty"})
        if step == 2:
            await shop.owner.put("/api/onboarding/facts", {"facts": {"hours": "10:00–21:00"}})
        await console.go(path)
        await console.is_settled()
        faults += [f"{path}: {fault}" for fault in await _faults(console.page, language)]
    await shop.close()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("width", WIDTHS)
async def test_the_sign_in_page_is_accessible_whole_and_in_one_language(screens: Screens, width: str) -> None:
    console = await screens.console(size=WIDTHS[width])
    await console.button("app.sign_in.submit").wait_for()
    faults = await _faults(console.page, "zh-CN")
    await console.button_named("English").click()
    await console.speak("en")
    await console.button("app.sign_in.submit").wait_for()
    assert faults + await _faults(console.page, "en") == []


@pytest.mark.timeout(SEVERAL_PAGES_SECONDS)
@pytest.mark.parametrize(("width", "language"), forms(("1440", "zh-CN"), ("375", "en")))
async def test_the_phone_and_the_desk_of_the_sandbox_too(
    screens: Screens, tmp_path: Path, width: str, language: Language
) -> None:
    place = await lived_in(screens.stage, tmp_path, language)
    phone = await screens.phone(place.customer, size=WIDTHS[width], language=language)
    await phone.chat.get_by_role("listitem").first.wait_for()
    faults = [f"chat: {fault}" for fault in await _faults(phone.page, language)]
    wecom = await screens.wecom(place.shop, "lin", size=WIDTHS[width], language=language)
    await wecom.page.get_by_role("region").first.wait_for()
    faults += [f"desk: {fault}" for fault in await _faults(wecom.page, language)]
    await place.shop.close()
    faults = [fault for fault in faults if PEOPLE_OF_OTHER_SHOPS not in fault]
    assert not faults, "\n".join(faults)


async def _faults(page: Page, language: Language) -> list[str]:
    faults = [*await too_wide(page), *await raw_keys(page), *await faults_of_access(page)]
    if language == "en":
        faults += [f"Chinese: {text}" for text in await chinese_leftovers(page)]
    await page.emulate_media(color_scheme="dark")
    faults += [f"dark: {fault}" for fault in await faults_of_access(page, only=("color-contrast",))]
    await page.emulate_media(color_scheme="light")
    return faults
