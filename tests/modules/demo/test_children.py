"""Children of the demo end with their parent, and in good order when they are asked to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from huitouke.demo import children
from huitouke.demo.children import Child

SOURCE = Path(__file__).parents[3] / "src"
WRITES_ITS_PID_AND_WAITS = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
ENDS_IN_ORDER = """
import signal, sys, time
def end(*_):
    print("handed back", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("started", flush=True)
time.sleep(60)
"""
IGNORES_EVERYTHING = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)


def runs(process: int) -> bool:
    """Whether a process is there and no zombie that waits for its parent."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def text_of(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def test_a_child_asked_to_stop_ends_in_its_own_way(tmp_path: Path) -> None:
    child = Child("worker", ["-c", ENDS_IN_ORDER], {}, tmp_path / "log")
    wait_until(lambda: "started" in text_of(child.log))
    child.stop()
    assert child.status == 0
    assert "handed back" in child.end_of_log()


def test_a_child_that_does_not_listen_is_killed_when_its_time_is_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "GRACE_SECONDS", 1)
    child = Child("worker", ["-c", IGNORES_EVERYTHING], {}, tmp_path / "log")
    wait_until(lambda: "up" in text_of(child.log))
    child.stop()
    assert child.status == 128 + signal.SIGKILL


def test_the_status_of_a_child_that_ended_by_itself_is_its_own(tmp_path: Path) -> None:
    child = Child("worker", ["-c", "raise SystemExit(3)"], {}, tmp_path / "log")
    wait_until(lambda: child.status is not None)
    assert child.status == 3


def test_kill_9_of_the_parent_leaves_no_child_behind(tmp_path: Path) -> None:
    parent_code = f"""
import sys, time
from pathlib import Path
from huitouke.demo.children import Child
folder = Path(sys.argv[1])
Child("worker", ["-c", {WRITES_ITS_PID_AND_WAITS!r}, str(folder / "pid")], {{}}, folder / "log")
time.sleep(60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", parent_code, str(tmp_path)], env=os.environ | {"PYTHONPATH": str(SOURCE)}
    )
    wait_until(lambda: text_of(tmp_path / "pid"))
    child = int(text_of(tmp_path / "pid"))
    assert runs(child)
    parent.kill()
    parent.wait()
    wait_until(lambda: not runs(child))


def test_ctrl_c_in_the_terminal_does_not_reach_a_child(tmp_path: Path) -> None:
    child = Child("worker", ["-c", WRITES_ITS_PID_AND_WAITS, str(tmp_path / "pid")], {}, tmp_path / "log")
    wait_until(lambda: text_of(tmp_path / "pid"))
    assert os.getsid(int(text_of(tmp_path / "pid"))) != os.getsid(0)
    child.stop()
