"""The demo as one command: the whole story, and what is left when it is killed."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.install.running_demo import ROOT, RunningDemo

SLOW_MACHINE_SECONDS = 600
GONE_SECONDS = 40

pytestmark = pytest.mark.xdist_group("demo")


@dataclass(frozen=True)
class Played:
    """The story's end, and the data that its demo left."""

    story: subprocess.CompletedProcess[str]
    data: Path


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    data = tmp_path_factory.mktemp("story") / "demo"
    command = [sys.executable, "-m", "tests.install.smoke", str(data)]
    return Played(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False), data)


@pytest.mark.timeout(SLOW_MACHINE_SECONDS)
def test_the_story_of_a_customer_goes_through_from_end_to_end(played: Played) -> None:
    assert played.story.returncode == 0, played.story.stdout + played.story.stderr


@pytest.mark.timeout(SLOW_MACHINE_SECONDS)
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_a_killed_demo_leaves_no_process_behind_and_starts_again(played: Played) -> None:
    data = played.data
    with RunningDemo(data) as demo:
        assert len(processes_below(data)) > 4
        with pytest.raises(AssertionError, match=f"already running at {demo.addresses.console}"):
            RunningDemo(data).start()
        demo.kill()
        deadline = time.monotonic() + GONE_SECONDS
        while left := processes_below(data):
            assert time.monotonic() < deadline, f"still running: {left}"
            time.sleep(0.1)
        demo.start()
        assert demo.addresses.console


def processes_below(data: Path) -> dict[int, str]:
    """The processes that name the data folder in their arguments or environment, or work inside it."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes()
            mentions = str(data).encode() in arguments + (entry / "environ").read_bytes()
            inside = (entry / "cwd").readlink().is_relative_to(data)
        except OSError:
            continue  # gone, or a zombie
        if mentions or inside:
            found[int(entry.name)] = arguments.replace(b"\0", b" ").decode(errors="replace")[:120]
    return found
