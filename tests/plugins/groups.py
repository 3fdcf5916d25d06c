"""Tests that share something expensive run in one worker: those of an `xdist_group`, those of a module's fixture, and
those of a folder's, which come in a row then: what a folder shares (a server that lives as long) meddles with others.

xdist 3.8 writes the group into `_nodeid`, which pytest 9.2 no longer reads: every group fell apart without a word, and
each worker built what the group was to share. Until they agree again the group is written where pytest reads it.
"""

import pytest
from _pytest.nodeid import NodeId


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("loadgroup", False):
        return
    for item in items:
        if name := group_of(item):
            item._id = NodeId.parse(f"{item.nodeid}@{name}")


def group_of(item: pytest.Item) -> str | None:
    """The group that a mark names; else the folder or the file, when a fixture of the test is made once for it."""
    mark = item.get_closest_marker("xdist_group")
    if mark is not None:
        return str(mark.args[0])
    definitions = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    folders = {definition[-1].baseid for definition in definitions.values() if definition[-1].scope == "package"}
    if folders:
        return min(folders)
    shared = any(definition[-1].scope == "module" for definition in definitions.values())
    return f"{item.path.parent.name}.{item.path.stem}" if shared else None
