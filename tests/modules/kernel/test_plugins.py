"""What an uninstalled plug-in leaves: its tables stay until somebody drops them, and migrating goes on."""

import os

import asyncpg
import pytest

from huitouke import plugins
from huitouke.kernel.database import Database
from huitouke.kernel.database.migrate import SchemaAheadError, migrate, missing_revisions
from huitouke.kernel.modules import load_modules
from huitouke.kernel.release import release
from huitouke.plugins import DropRefusedError
from tests.conftest import SERVER_ADDRESS
from tests.support.database import clone, make_template


@pytest.fixture(scope="module")
async def owner_url(worker_id: str) -> str:
    """A database of its own, in which a plug-in "guestbook" was installed once."""
    template = await make_template(os.environ[SERVER_ADDRESS].replace("%7Bdatabase%7D", "{database}"))
    url = (await clone(template, f"plugins_{worker_id}")).owner
    assert url is not None
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE guestbook (id int); CREATE TABLE guestbook_days (id int)")
    await connection.execute("CREATE TABLE guests_of_another (id int)")
    await connection.execute("INSERT INTO alembic_version VALUES ('guestbook_0001')")
    await connection.close()
    return url


async def test_an_uninstalled_plug_in_does_not_hold_up_migrations(owner_url: str):
    assert await migrate(owner_url, load_modules()) == []
    connection = await asyncpg.connect(owner_url)
    assert await connection.fetchval("SELECT 1 FROM alembic_version WHERE version_num = 'guestbook_0001'") == 1
    await connection.close()


@pytest.mark.parametrize("name", ["conversations", "kernel", "never_here"])
async def test_only_what_was_uninstalled_may_be_dropped(owner_url: str, name: str):
    with pytest.raises(DropRefusedError):
        await plugins.find_leftover(owner_url, name, load_modules())


async def test_dropping_takes_the_plug_ins_tables_and_nothing_else(owner_url: str):
    leftover = await plugins.find_leftover(owner_url, "guestbook", load_modules())
    assert leftover.tables == ("guestbook", "guestbook_days")

    await plugins.drop(owner_url, leftover)

    connection = await asyncpg.connect(owner_url)
    assert await connection.fetchval("SELECT to_regclass('guestbook')") is None
    assert await connection.fetchval("SELECT to_regclass('guests_of_another')") is not None
    await connection.close()
    with pytest.raises(DropRefusedError):
        await plugins.find_leftover(owner_url, "guestbook", load_modules())


async def test_the_release_before_goes_on_while_the_schema_is_one_ahead_and_not_further(worker_id: str):
    template = await make_template(os.environ[SERVER_ADDRESS].replace("%7Bdatabase%7D", "{database}"))
    urls = await clone(template, f"ahead_{worker_id}")
    owner = await asyncpg.connect(urls.owner)
    database = Database(urls)
    try:
        assert await missing_revisions(database, load_modules()) == []
        await owner.execute("UPDATE alembic_version SET version_num = 'kernel_9999' WHERE version_num LIKE 'kernel_%'")
        await owner.execute("INSERT INTO alembic_version VALUES ('kernel_9999') ON CONFLICT DO NOTHING")
        assert await missing_revisions(database, load_modules()) == []
        with pytest.raises(SchemaAheadError, match="kernel_9999"):
            await migrate(urls.owner or "", load_modules())

        major, minor, _ = release().split(".")
        await owner.execute(f"COMMENT ON TABLE alembic_version IS '{major}.{int(minor) + 1}.0'")
        assert await missing_revisions(database, load_modules()) == []
        await owner.execute(f"COMMENT ON TABLE alembic_version IS '{major}.{int(minor) + 2}.0'")
        with pytest.raises(SchemaAheadError, match="more than one ahead"):
            await missing_revisions(database, load_modules())

        await owner.execute("DELETE FROM alembic_version WHERE version_num LIKE 'conversations_%'")
        await owner.execute("DELETE FROM alembic_version WHERE version_num = 'kernel_9999'")
        assert "conversations_0001" in await missing_revisions(database, load_modules())  # behind is refused
    finally:
        await owner.close()
        await database.close()
