"""Backup and restore: what was there at one moment is there again, and nothing is lost on the way."""

import asyncio
import os
import shutil
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx2
import orjson
import pytest

from huitouke.app import create_app
from huitouke.kernel import keys
from huitouke.kernel.backup import BackupError, Restored, back_up, restore, what_would_be_lost
from huitouke.kernel.backup.archive import CHECKSUMS, MANIFEST
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import Database, DatabaseUrls, configure, engine, transaction
from huitouke.kernel.database.ddl import OWNER_ROLE
from huitouke.kernel.events import Event, emit
from huitouke.kernel.files import service as files
from huitouke.kernel.files.stores import FolderStore, Store
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import KeyRing, Secret, make_ring
from huitouke.kernel.modules import Module, Modules, load_modules
from huitouke.kernel.settings import get_settings
from huitouke.modules.organization import service as organization
from tests.conftest import SERVER_ADDRESS
from tests.support.database import clone, make_template
from tests.support.http import HEADERS, ORIGIN, PASSWORD, started

HASHED = "SELECT count(*), md5(coalesce(string_agg(md5(t::text), '' ORDER BY t::text), '')) FROM public.\"{}\" t"
TABLES = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""
WORDS = "一段话\t\\N\n\\. 'und' \"so\" \U0001f600".encode()


LATER = """
import sqlalchemy as sa
from huitouke.kernel.database.ddl import tenant_table

revision, down_revision, branch_labels, depends_on = "later_0001", None, ("later",), "kernel_0003"


def upgrade() -> None:
    tenant_table("later_notes", sa.Column("id", sa.Uuid(), nullable=False))
"""
"""A migration that came after the backup."""


class Counted(Event):
    event_type = "test.counted"
    number: int


@dataclass
class Shop:
    """A small installation: a database of its own, a folder for files, a merchant with an owner and a file."""

    urls: DatabaseUrls
    store: FolderStore
    context: Context
    sign_in_name: str
    file_id: UUID

    @property
    def owner(self) -> str:
        assert self.urls.owner is not None
        return self.urls.owner


@asynccontextmanager
async def opened(urls: DatabaseUrls) -> AsyncIterator[Database]:
    """That database as the process's own, for the block."""
    before = engine.configured()
    database = Database(urls)
    configure(database)
    try:
        yield database
    finally:
        configure(before)
        await database.close()


def server() -> str:
    return os.environ[SERVER_ADDRESS].replace("%7Bdatabase%7D", "{database}")


@pytest.fixture
async def elsewhere(shop: Shop, worker_id: str) -> DatabaseUrls:
    """A database that was only just made, as an administrator makes it for us."""
    connection = await asyncpg.connect(server().format(database="postgres"))
    await connection.execute(f'DROP DATABASE IF EXISTS "elsewhere_{worker_id}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "elsewhere_{worker_id}" OWNER {OWNER_ROLE}')
    await connection.close()
    there = (shop.urls.application, shop.urls.direct, shop.owner)
    return DatabaseUrls(*(url.replace("backed_up_", "elsewhere_") for url in there))


@pytest.fixture(scope="module")
async def shop(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    urls = await clone(await make_template(server()), f"backed_up_{worker_id}")
    store = FolderStore(tmp_path_factory.mktemp("shop"))
    async with opened(urls):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(files, "get_store", lambda: store)
            return await furnish(urls, store)


async def furnish(urls: DatabaseUrls, store: FolderStore) -> Shop:
    name = f"owner-{new_id().hex}"
    founded = await organization.found_tenant("小店", name, Secret(PASSWORD))
    context = job_context(founded.tenant_id)
    file_id = await files.store_bytes(context, "message_received", "话.txt", WORDS)
    async with transaction(context) as ctx:
        await files.attach(ctx, file_id, "test", new_id())
        for number in range(100):
            await emit(ctx, Counted(number=number))
    return Shop(urls, store, context, name, file_id)


@pytest.fixture(scope="module")
async def path(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the shop."""
    return await back_up_of(shop, tmp_path_factory.mktemp("backup") / "a.tar.gz")


def quiet(_text: str) -> None:
    """Nobody watches."""


async def back_up_of(shop: Shop, path: Path) -> Path:
    made = await back_up(shop.owner, keys.get_key_ring(), shop.store, path, quiet)
    assert made.damaged == []
    return path


async def restored(
    urls: DatabaseUrls,
    store: Store,
    path: Path,
    folder: Path,
    ring: KeyRing | None = None,
    modules: tuple[Module, ...] = (),
) -> Restored:
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    assert urls.owner is not None
    return await restore(
        urls.owner, Modules((*load_modules(), *modules)), ring or keys.get_key_ring(), store, path, folder, quiet
    )


async def fingerprints(urls: DatabaseUrls) -> dict[str, tuple[int, str]]:
    """Number and hash of the rows of every table and partition."""
    connection = await asyncpg.connect(urls.owner)
    try:
        names = [row["relname"] for row in await connection.fetch(TABLES)]
        return {name: tuple(await connection.fetchrow(HASHED.format(name))) for name in names}
    finally:
        await connection.close()


async def test_every_table_and_every_file_is_what_it_was_and_the_shop_opens_again(
    shop: Shop, path: Path, elsewhere: DatabaseUrls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = FolderStore(tmp_path / "other")

    done = await restored(elsewhere, other, path, tmp_path / "incoming")

    before, after = await fingerprints(shop.urls), await fingerprints(elsewhere)
    assert after == before
    assert before["events"][0] >= 100
    assert (done.files, done.migrations, done.left_out) == (1, [], [])
    below = [file.relative_to(shop.store.folder) for file in shop.store.folder.rglob("*") if file.is_file()]
    assert [(other.folder / name).read_bytes() for name in below] == [WORDS]
    assert others_may_do(path) == 0

    monkeypatch.setattr(files, "get_store", lambda: other)
    async with opened(elsewhere):
        app = create_app(get_settings(), load_modules())
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with started(app), httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=HEADERS) as browser:
            assert (await browser.get("/health/ready")).status_code == 200
            sign_in = {"sign_in_name": shop.sign_in_name, "password": PASSWORD}
            assert (await browser.post("/api/session", json=sign_in)).status_code == 200
        async with transaction(shop.context) as ctx:
            assert await files.read_bytes(ctx, shop.file_id) == WORDS
            await emit(ctx, Counted(number=100))  # rights, partitions and sequences are there


async def test_while_writes_go_on_the_backup_is_one_moment(shop: Shop, elsewhere: DatabaseUrls, tmp_path: Path):
    stop = asyncio.Event()
    written = [0, 0, 0]

    async def write(writer: int) -> None:
        """Each transaction writes an event and its place in the queue, numbered without a gap."""
        customer = new_id()
        while not stop.is_set():
            async with transaction(shop.context) as ctx:
                await emit(ctx, Counted(customer_id=customer, number=written[writer]))
            written[writer] += 1

    async with opened(shop.urls):
        writers = [asyncio.create_task(write(writer)) for writer in range(3)]
        while min(written) < 20:  # noqa: ASYNC110 - the writers have nobody to tell
            await asyncio.sleep(0.01)
        least = list(written)
        path = await back_up_of(shop, tmp_path / "a.tar.gz")
        stop.set()
        await asyncio.gather(*writers)

    await restored(elsewhere, FolderStore(tmp_path / "other"), path, tmp_path / "incoming")

    connection = await asyncpg.connect(elsewhere.owner)
    rows = await connection.fetch(
        "SELECT array_agg((payload->>'number')::int ORDER BY id) AS numbers FROM events"
        " WHERE customer_id IS NOT NULL GROUP BY customer_id"
    )
    apart = await connection.fetchval(
        "SELECT count(*) FROM events e FULL JOIN event_queue q ON q.event_id = e.id WHERE e.id IS NULL OR q.seq IS NULL"
    )
    ahead = await connection.fetchval("SELECT nextval('event_seq') > max(seq) FROM event_queue")
    await connection.close()
    assert [row["numbers"] for row in rows] == [list(range(len(row["numbers"]))) for row in rows]
    assert sorted(len(row["numbers"]) for row in rows) >= sorted(least)
    assert apart == 0
    assert ahead


async def test_a_backup_needs_its_keys(path: Path, elsewhere: DatabaseUrls, tmp_path: Path):
    store = FolderStore(tmp_path / "other")
    with pytest.raises(BackupError, match="key ring lacks"):
        await restored(elsewhere, store, path, tmp_path / "incoming", make_ring())
    await restored(elsewhere, store, path, tmp_path / "incoming", keys.get_key_ring().with_new_first())
    assert await what_would_be_lost(elsewhere.owner or "") == "1 merchants with all they have"


async def test_a_damaged_backup_changes_nothing(path: Path, elsewhere: DatabaseUrls, tmp_path: Path):
    whole = await asyncio.to_thread(path.read_bytes)
    bad = tmp_path / "bad.tar.gz"
    for content in (
        whole[: len(whole) // 2],
        whole[:2000] + bytes([whole[2000] ^ 4]) + whole[2001:],
        exchanged(path, "tables/tenants/000001.copy", "小店".encode(), "大店".encode()),
        b"a letter",
        b"",
    ):
        bad.write_bytes(content)
        with pytest.raises(BackupError):
            await restored(elsewhere, FolderStore(tmp_path / "other"), bad, tmp_path / "incoming")
    assert await fingerprints(elsewhere) == {}
    assert not (tmp_path / "other").exists()


def exchanged(path: Path, name: str, words: bytes, others: bytes) -> bytes:
    """The same backup with other words in one member, and its checksum as it was."""
    written = BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=written, mode="w:gz") as new:
        for member in old:
            content = old.extractfile(member)
            assert content is not None
            data = content.read()
            new.addfile(member, BytesIO(data.replace(words, others) if member.name == name else data))
    return written.getvalue()


async def test_a_newer_schema_is_refused_by_name(shop: Shop, elsewhere: DatabaseUrls, tmp_path: Path):
    connection = await asyncpg.connect(shop.owner)
    await connection.execute("INSERT INTO alembic_version VALUES ('kernel_9999')")
    ahead = await back_up_of(shop, tmp_path / "ahead.tar.gz")
    await connection.execute("DELETE FROM alembic_version WHERE version_num = 'kernel_9999'")
    await connection.close()
    with pytest.raises(BackupError, match="kernel_9999"):
        await restored(elsewhere, FolderStore(tmp_path / "other"), ahead, tmp_path / "incoming")


async def test_an_older_backup_is_brought_to_this_release(
    shop: Shop, path: Path, elsewhere: DatabaseUrls, tmp_path: Path
):
    later = tmp_path / "later"
    later.mkdir()
    (later / "0001_later.py").write_text(LATER)
    plug_in = Module("later", migrations=later)
    done = await restored(elsewhere, shop.store, path, tmp_path / "incoming", modules=(plug_in,))
    assert done.migrations == ["later_0001"]
    rows = await fingerprints(elsewhere)
    assert rows["later_notes"][0] == 0
    assert rows["events"][0] == 100


async def test_a_database_in_use_is_not_replaced_and_one_that_is_replaced_is_replaced_whole(
    shop: Shop, path: Path, elsewhere: DatabaseUrls, tmp_path: Path
):
    await restored(elsewhere, shop.store, path, tmp_path / "incoming")
    fresh = await fingerprints(elsewhere)
    async with opened(elsewhere):
        await organization.found_tenant("后来的店", f"late-{new_id().hex}", Secret(PASSWORD))
        with pytest.raises(BackupError, match="stop serve"):
            await restored(elsewhere, shop.store, path, tmp_path / "incoming")
    await nobody_there(elsewhere)
    in_use = await fingerprints(elsewhere)

    class FullStore(FolderStore):
        async def put(self, name: str, path: Path) -> None:
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        await restored(elsewhere, FullStore(tmp_path / "full"), path, tmp_path / "incoming")
    assert await fingerprints(elsewhere) == in_use  # what interrupts it leaves everything as it was

    await restored(elsewhere, shop.store, path, tmp_path / "incoming")
    assert await fingerprints(elsewhere) == fresh


def others_may_do(path: Path) -> int:
    return path.stat().st_mode & 0o077


async def nobody_there(urls: DatabaseUrls) -> None:
    """Waits until PostgreSQL has noticed that we hung up."""
    connection = await asyncpg.connect(urls.owner)
    async with asyncio.timeout(30):
        while await connection.fetchval(  # noqa: ASYNC110 - PostgreSQL doesn't tell
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ):
            await asyncio.sleep(0.02)
    await connection.close()


async def test_an_interrupted_backup_leaves_no_file_and_none_is_overwritten(shop: Shop, tmp_path: Path):
    def interrupt(_text: str) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "backups"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        await back_up(shop.owner, keys.get_key_ring(), shop.store, folder / "a.tar.gz", interrupt)
    assert list(folder.iterdir()) == []

    await back_up_of(shop, folder / "a.tar.gz")
    with pytest.raises(BackupError, match="there already"):
        await back_up_of(shop, folder / "a.tar.gz")


async def test_a_stored_file_that_is_gone_or_changed_is_named(shop: Shop, tmp_path: Path):
    store = FolderStore(tmp_path / "objects")
    await asyncio.to_thread(shutil.copytree, shop.store.folder, store.folder)
    (object_path,) = [file for file in store.folder.rglob("*") if file.is_file()]
    object_path.write_bytes(WORDS[::-1])
    changed = await back_up(shop.owner, keys.get_key_ring(), store, tmp_path / "a.tar.gz", quiet)
    object_path.unlink()
    gone = await back_up(shop.owner, keys.get_key_ring(), store, tmp_path / "b.tar.gz", quiet)
    name = str(object_path.relative_to(store.folder))
    assert (changed.damaged, gone.damaged) == ([name], [name])


async def test_any_tool_can_open_it_and_the_keys_are_not_in_it(path: Path):
    with tarfile.open(path) as tar:
        names = tar.getnames()
        content = b"".join(tar.extractfile(name).read() for name in names)  # type: ignore[union-attr]
        manifest = orjson.loads(tar.extractfile(MANIFEST).read())  # type: ignore[union-attr]
    assert (names[0], names[-1]) == (MANIFEST, CHECKSUMS)
    assert manifest["fingerprint"] == keys.get_key_ring().fingerprint()
    assert "小店".encode() in content
    for key in keys.get_key_ring().serialise().split(","):
        assert key.partition(":")[2].encode() not in content
