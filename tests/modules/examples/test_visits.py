"""The example plug-in, found and loaded as an installed package is: its table, handlers, job, route and texts."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from huitouke_visits import service
from huitouke_visits.service import GOAL_MESSAGES

from huitouke.kernel import clock, locales
from huitouke.kernel.database import Database, transaction
from huitouke.kernel.events import emit_many
from huitouke.kernel.events.contracts import check_contracts
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import Modules
from huitouke.kernel.settings import get_settings
from huitouke.kernel.work.testing import drain
from huitouke.modules.conversations.events import MessageReceived
from huitouke.modules.organization import service as organization
from tests.modules.wechat_sandbox.shop import open_shop, running_sandbox
from tests.support import plug_ins
from tests.support.http import PASSWORD, application, client
from tests.support.world import World, make_world

ENTRY_POINT = "visits = huitouke_visits:module"


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Modules]:
    with plug_ins.installed(tmp_path_factory.mktemp("site"), "huitouke-visits", ENTRY_POINT) as loaded:
        yield loaded


@pytest.fixture(scope="module")
async def installed(database: Database, modules: Modules, worker_id: str) -> AsyncIterator[None]:
    async with plug_ins.migrated(modules, f"visits_{worker_id}"):
        yield


@pytest.fixture
async def plugged(installed: None) -> World:
    """A tenant of an installation that has the plug-in."""
    return await make_world()


async def customers_write(world: World, messages: int) -> None:
    """As the conversations module reports it."""
    async with transaction(world.context) as ctx:
        await emit_many(ctx, [message(seq) for seq in range(messages)])
    await drain()


def message(seq: int) -> MessageReceived:
    conversation_id = new_id()
    return MessageReceived(
        customer_id=new_id(),
        conversation_id=conversation_id,
        message_id=new_id(),
        seq=seq,
        msgtype="text",
        handler="assistant",
        arrived_at=clock.now(),
    )


async def test_the_plug_in_counts_what_another_module_reports(plugged: World) -> None:
    await customers_write(plugged, 3)
    await customers_write(plugged, 4)

    async with transaction(plugged.context) as ctx:
        days = await service.latest_days(ctx, 10)
    assert [day.messages for day in days] == [7]


async def test_the_day_that_reaches_the_goal_is_told_to_the_staff_once(
    plugged: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_sandbox() as sandbox:
        monkeypatch.setenv("HUITOUKE_WECOM_BASE_URL", sandbox.address)
        get_settings.cache_clear()
        shop = await open_shop(sandbox, "小店")
        await _connect(plugged, shop)

        await customers_write(plugged, GOAL_MESSAGES - 1)
        assert await _told(sandbox, shop) == []
        await customers_write(plugged, 2)
        await customers_write(plugged, 2)

        (text,) = await _told(sandbox, shop)
        await organization.close_clients()
    get_settings.cache_clear()
    assert "条顾客消息" in text


async def _connect(world: World, shop: Any) -> None:
    async with transaction(world.context) as ctx:
        await organization.add_staff(
            ctx, organization.NewStaff("店长", f"owner-{new_id().hex}", Secret(PASSWORD), "owner", "lin")
        )
        await organization.create_wecom_app(
            ctx, organization.NewWecomApp("客服", shop.corp_id, str(shop.agentid), Secret(shop.secret))
        )


async def _told(sandbox: Any, shop: Any) -> list[str]:
    """The texts that the employee's WeCom shows."""
    found = await sandbox.get("employees/lin/app-messages", corp_id=shop.corp_id)
    rows = found["items"] if isinstance(found, dict) else found
    return [row["text"] for row in rows]


async def test_its_handlers_read_only_fields_that_the_events_have(modules: Modules) -> None:
    assert check_contracts(modules) == []


async def test_its_route_asks_for_a_sign_in(plugged: World, modules: Modules) -> None:
    async with client(application(modules)) as stranger:
        answer = await stranger.get("/api/visits")
    assert answer.status_code == 401


async def test_its_permission_has_a_name_in_both_languages(modules: Modules) -> None:
    assert locales.translate("zh-CN", "permissions.visits.view") == "查看每天的来访"
    assert locales.translate("en", "permissions.visits.view") == "See visits per day"


def test_what_the_readme_lists_is_there() -> None:
    folder = Path(__file__).parents[3] / "examples/huitouke-visits"
    listed = [line.split("`")[1::2] for line in (folder / "README.md").read_text().splitlines() if line[:3] == "| `"]
    names = [name for row in listed for name in row if "/" in name or name.endswith((".py", ".toml"))]
    missing = [n for n in names if not (folder / n).exists() and not (folder / "src/huitouke_visits" / n).exists()]
    assert names
    assert not missing
