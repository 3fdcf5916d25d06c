"""The example plug-in, loaded as an installed one is: its table, its handler, its route, its texts."""

import os
from collections.abc import AsyncIterator

import pytest
from huitouke_visits import module as visits

from huitouke.kernel import locales
from huitouke.kernel.database import Database, configure, transaction
from huitouke.kernel.database.migrate import migrate
from huitouke.kernel.events import emit
from huitouke.kernel.events.contracts import check_contracts
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import Modules, assemble, load_modules
from huitouke.kernel.work.testing import drain
from huitouke.modules.conversations.events import MessageReceived
from tests.support.database import clone, make_template
from tests.support.http import application, client
from tests.support.world import World, make_world


@pytest.fixture(scope="module")
def modules() -> Modules:
    return assemble([*(built_in for built_in in load_modules() if built_in.name != "kernel"), visits()])


@pytest.fixture
async def plugged(database: Database, modules: Modules, worker_id: str) -> AsyncIterator[World]:
    """A tenant in a database of its own that the plug-in has migrated."""
    address = os.environ["HUITOUKE_TEST_POSTGRES"].replace("%7Bdatabase%7D", "{database}")
    urls = await clone(await make_template(address), f"visits_{worker_id}")
    assert urls.owner is not None
    await migrate(urls.owner, modules)
    own = Database(urls)
    configure(own)
    yield await make_world()
    configure(database)
    await own.close()


async def test_the_plug_in_counts_what_another_module_reports(plugged: World, modules: Modules) -> None:
    async with transaction(plugged.context) as ctx:
        for seq in range(3):
            await emit(
                ctx,
                MessageReceived(
                    customer_id=new_id(),
                    conversation_id=new_id(),
                    message_id=new_id(),
                    seq=seq,
                    msgtype="text",
                    handler="assistant",
                ),
            )
    await drain(modules=[visits()])
    from huitouke_visits import service

    async with transaction(plugged.context) as ctx:
        days = await service.latest_days(ctx, 10)
    assert [day.messages for day in days] == [3]


async def test_its_handler_reads_only_fields_that_the_event_has(modules: Modules) -> None:
    check_contracts(modules)


async def test_its_route_asks_for_a_sign_in(plugged: World, modules: Modules) -> None:
    async with client(application(modules)) as stranger:
        answer = await stranger.get("/api/visits")
    assert answer.status_code == 401


async def test_its_permission_has_a_name_in_both_languages(modules: Modules) -> None:
    assert locales.translate("zh-CN", "permissions.visits.view") == "查看每天的来访"
    assert locales.translate("en", "permissions.visits.view") == "See visits per day"
