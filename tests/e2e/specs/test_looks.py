"""Every page, at both widths, light and dark, in both languages: accessible, nothing cut off, nothing untranslated."""

from collections.abc import Collection, Mapping
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
from playwright.async_api import Page
from sqlalchemy import text

from huitouke.kernel.database import platform_transaction
from huitouke.kernel.keys import Secret
from tests.e2e.composers.lived_in import LivedIn, Part, lived_in
from tests.e2e.composers.operators import sign_up
from tests.e2e.composers.shop import PASSWORD, Shop, found_shop
from tests.e2e.pages.console import Console
from tests.e2e.pages.looks import chinese_leftovers, english_leftovers, faults_of_access, raw_keys, too_wide
from tests.e2e.pages.operator import open_area
from tests.e2e.pages.routes import ROUTER, patterns_of, routes_of
from tests.e2e.pages.screens import DESKTOP, MOBILE, Screens
from tests.e2e.pages.words import Language
from tests.support.second_step import Authenticator

PEOPLE_OF_OTHER_SHOPS = " · "
"""The sandbox offers everybody's phone and everybody's desk, by name and id."""
NEW_OWNERS = ("/start", "/start/facts", "/start/ready", "/today", "/activities", "/me")
"""Pages of a shop that has just begun, in the order in which they open."""

WIDTHS = {"1440": DESKTOP, "375": MOBILE}
LANGUAGES = get_args(Language)
LEADS_ON = {"/": "the first page that the person may open"}
"""Pages that are never seen, and where they lead."""
CRASH = f"""(words) => {{
  const {{ addRoute, push }} = {ROUTER};
  addRoute({{ path: '/crash', component: {{ render() {{ throw new Error(words); }} }} }});
  push('/crash');
}}"""
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
        ("working", "1440", "en"), ("working", "375", "zh-CN"),
        ("settings", "1440", "zh-CN"), ("settings", "375", "en"),
        ("people", "1440", "en"), ("people", "375", "zh-CN"),
    ),
)  # fmt: skip
async def test_every_page_is_accessible_whole_and_in_one_language(
    screens: Screens, tmp_path: Path, part: Part, width: str, language: Language
) -> None:
    place = await lived_in(screens.stage, tmp_path, language)
    console = await screens.console(place.shop.owner, size=WIDTHS[width], language=language)
    faults = await _look_through(console, place.pages[part], language)
    await place.shop.close()
    assert not faults, "\n".join(faults)


@pytest.mark.timeout(SEVERAL_PAGES_SECONDS)
@pytest.mark.parametrize(("width", "language"), forms(("1440", "en"), ("375", "zh-CN")))
async def test_every_page_for_who_is_not_signed_in_is_too(
    screens: Screens, tmp_path: Path, width: str, language: Language
) -> None:
    place = await lived_in(screens.stage, tmp_path, language)
    console = await screens.console(size=WIDTHS[width], language=language)
    console.watch.expects(
        "401 GET ", "410 POST .*/api/(access-links|handed-over)/", "410 GET .*/api/wecom-doors/", "4.. POST .*/sign-in$"
    )
    async with sign_up(screens.stage, place.operator, is_open=False):
        faults = await _look_through(console, place.pages["outside"], language)
    async with sign_up(screens.stage, place.operator, is_open=True):
        faults += await _look_through(console, {"open sign-up": "/sign-up"}, language)
        await console.field("app.sign_up.shop").wait_for()
    faults += await _second_step(screens, place, width, language)
    await place.shop.close()
    assert not faults, "\n".join(faults)


@pytest.mark.timeout(SEVERAL_PAGES_SECONDS)
@pytest.mark.parametrize(("width", "language"), forms(("1440", "zh-CN"), ("375", "en")))
async def test_every_page_of_the_operators_area_is_too(
    screens: Screens, tmp_path: Path, width: str, language: Language
) -> None:
    place = await lived_in(screens.stage, tmp_path, language)
    area = await open_area(screens, place.operator, size=WIDTHS[width], language=language)
    faults = await _look_through(area, place.pages["platform"], language, others=await _names_of_others(place))
    await place.shop.close()
    assert not faults, "\n".join(faults)


@pytest.mark.timeout(SEVERAL_PAGES_SECONDS)
@pytest.mark.parametrize(("width", "language"), forms(("1440", "en"), ("375", "zh-CN")))
async def test_a_new_owners_pages_too_in_simple_mode(screens: Screens, width: str, language: Language) -> None:
    name, owner = ("Corner shop", "Olive") if language == "en" else (None, "店长")
    shop = await found_shop(screens.stage, name=name, owner=owner)
    await shop.owner.put("/api/simple-mode", {"simple_mode": True})
    console = await screens.console(shop.owner, size=WIDTHS[width], language=language, at="/start")
    faults: list[str] = []
    for step, path in enumerate(NEW_OWNERS):
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
async def test_the_sign_in_page_changes_its_language(screens: Screens, width: str) -> None:
    console = await screens.console(size=WIDTHS[width])
    await console.button("app.sign_in.submit").wait_for()
    faults = await _faults(console.page, "zh-CN")
    await console.button_named("English").click()
    await console.speak("en")
    await console.button("app.sign_in.submit").wait_for()
    assert faults + await _faults(console.page, "en") == []


@pytest.mark.parametrize(("width", "language"), forms(("1440", "zh-CN"), ("375", "en")))
async def test_the_page_of_a_crash_is_too(screens: Screens, shop: Shop, width: str, language: Language) -> None:
    """A script of the page that doesn't arrive, as after an update: what is drawn then stands on its own."""
    console = await screens.console(shop.owner, size=WIDTHS[width], language=language)
    await console.is_settled()
    console.watch.expects("console: ", "uncaught: ")
    await console.page.evaluate(CRASH, "drawn wrongly" if language == "en" else "画错了")
    await console.page.get_by_text(console.words("app.crash.title")).wait_for()
    assert await _faults(console.page, language) == []


@pytest.mark.timeout(SEVERAL_PAGES_SECONDS)
async def test_no_page_is_left_out(screens: Screens, tmp_path: Path) -> None:
    """By the routers' own tables: who adds a page adds it to `lived_in`, or says here why it shows nothing."""
    place = await lived_in(screens.stage, tmp_path)
    console = await screens.console(place.shop.owner)
    await console.is_settled()
    console.watch.expects("401 GET .*/operator/api/session$")
    await console.go("/operator/sign-in")
    await console.is_settled()
    addresses = [*NEW_OWNERS, *(address for part in place.pages.values() for address in part.values())]
    left = await routes_of(console.page) - await patterns_of(console.page, addresses)
    assert left == set(LEADS_ON)

    phone = await screens.phone(place.customer)
    await phone.chat.get_by_role("listitem").first.wait_for()
    assert await routes_of(phone.page) == {"/", "/desk/:userid?"}, "looked at below, each by its own means"
    await place.shop.close()


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


async def _look_through(
    console: Console, pages: Mapping[str, str], language: Language, *, others: Collection[str] = ()
) -> list[str]:
    """What is wrong with each page. `others`: names that other journeys gave, in whatever language."""
    faults: list[str] = []
    for name, path in pages.items():
        await console.go("/unreachable")  # an address that differs behind its # alone is no other page
        await console.go(path)
        await console.is_settled()
        found = await _faults(console.page, language)
        faults += [f"{name}: {fault}" for fault in found if not any(other in fault for other in others)]
    return faults


async def _second_step(screens: Screens, place: LivedIn, width: str, language: Language) -> list[str]:
    """The page that asks for the code, before the session is there."""
    person = await place.shop.colleague("Robin" if language == "en" else "小雨")
    begun = await person.post("/api/second-factor", {"password": PASSWORD})
    app = Authenticator(Secret(begun["secret"]))
    await person.post("/api/second-factor/confirm", {"code": app.code().reveal()})
    console = await screens.console(size=WIDTHS[width], language=language)
    await console.sign_in(person.sign_in_name, PASSWORD)
    await console.page.get_by_role("heading", name=console.words("app.second_step.heading")).wait_for()
    return [f"second step: {fault}" for fault in await _faults(console.page, language)]


async def _names_of_others(place: LivedIn) -> set[str]:
    """What the shops, plans and operators of other journeys are called."""
    with place.shop.stage.in_database():
        async with platform_transaction() as session:
            names = await session.scalars(
                text("SELECT name FROM tenants UNION SELECT name FROM plans UNION SELECT reason FROM tenant_visits")
            )
            return {name for name in names if name not in (place.shop.name,)}


async def _faults(page: Page, language: Language) -> list[str]:
    faults = [*await too_wide(page), *await raw_keys(page), *await faults_of_access(page)]
    if language == "en":
        faults += [f"Chinese: {text}" for text in await chinese_leftovers(page)]
    else:
        faults += [f"English: {text}" for text in await english_leftovers(page)]
    await page.emulate_media(color_scheme="dark")
    faults += [f"dark: {fault}" for fault in await faults_of_access(page, only=("color-contrast",))]
    await page.emulate_media(color_scheme="light")
    return faults
