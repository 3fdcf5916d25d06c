"""A group stays in one worker: in parallel as in a row."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def shared() -> None:
    """Something expensive."""


def _processes_seen(folder: Path, name: str) -> set[str]:
    """Which processes have been here so far, this one among them."""
    (folder / f"{name}-{os.getpid()}").touch()
    return {each.name for each in folder.glob(f"{name}-*")}


@pytest.mark.parametrize("number", range(8))
@pytest.mark.xdist_group("together")
def test_tests_of_a_group_meet(number: int, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> None:
    run = tmp_path_factory.getbasetemp()
    assert len(_processes_seen(run if worker_id == "master" else run.parent, "together")) == 1


@pytest.mark.parametrize("number", range(8))
@pytest.mark.usefixtures("shared")
def test_tests_that_share_a_fixture_of_their_module_meet(
    number: int, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> None:
    run = tmp_path_factory.getbasetemp()
    assert len(_processes_seen(run if worker_id == "master" else run.parent, "module")) == 1
