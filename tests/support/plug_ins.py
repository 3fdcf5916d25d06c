"""An installation that has a plug-in: found by its entry point, its tables migrated."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from huitouke.kernel.database import Database, configure, engine
from huitouke.kernel.database.migrate import migrate
from huitouke.kernel.modules import Modules, load_modules
from tests.support.database import clone, make_template


@contextmanager
def installed(site: Path, package: str, entry_point: str) -> Iterator[Modules]:
    """The modules of an installation with that package, whose entry point stands where an installer writes it.

    `site` is an empty folder; `entry_point` is `name = package:function`.
    """
    told = site / f"{package.replace('-', '_')}-0.1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1.0\n")
    (told / "entry_points.txt").write_text(f"[huitouke.modules]\n{entry_point}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        load_modules.cache_clear()
        yield load_modules()
    load_modules.cache_clear()


@asynccontextmanager
async def migrated(modules: Modules, name: str) -> AsyncIterator[None]:
    """A database of its own with the tables of these modules stands in for the worker's for a while."""
    before = engine.configured()
    address = os.environ["HUITOUKE_TEST_POSTGRES"].replace("%7Bdatabase%7D", "{database}")
    urls = await clone(await make_template(address), name)
    assert urls.owner is not None
    await migrate(urls.owner, modules)
    own = Database(urls)
    configure(own)
    try:
        yield
    finally:
        configure(before)
        await own.close()
