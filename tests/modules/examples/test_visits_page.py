"""The example plug-in's page: its entry in the console's menu, and the script behind it."""

import pytest
from huitouke_visits import module as visits

from huitouke.kernel.modules import MenuEntry, Module, ModuleError, assemble, load_modules
from huitouke.modules.organization.service import staff
from tests.modules.conversations.desk import Desk
from tests.support.http import application, signed_in


async def test_its_entry_stands_in_the_menu_and_leads_to_its_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = assemble([*(module for module in load_modules() if module.name not in {"kernel", "visits"}), visits()])
    # Roles are presets over what is installed; an installed plug-in is found by its entry point.
    monkeypatch.setattr(staff, "load_modules", lambda: modules)
    async with signed_in(application(modules), desk.xiaoyu.sign_in_name) as browser:
        await browser.patch("/api/session", json={"locale": "en"})
        menu = (await browser.get("/api/session")).json()["menu"]
        (entry,) = [entry for entry in menu if entry["name"] == "visits"]
        script = await browser.get(entry["page"])

    assert [entry["name"] for entry in menu] == ["conversations", "customers", "assistant", "visits"]
    assert (entry["path"], entry["label"], entry["page"]) == ("/visits", "Visits", "/extensions/visits/page.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "export async function mount" in script.text


def test_a_page_that_is_missing_is_told_when_the_plug_in_is_loaded() -> None:
    entry = MenuEntry("lost", "/lost", "chart", None, 1, page="lost.js")
    with pytest.raises(ModuleError, match=r"lost\.js"):
        assemble([Module(name="lost", menu=(entry,))])
