"""The embedded PostgreSQL's launcher: what must hold however processes die and wherever the data lie."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from huitouke.kernel.database import launcher, postgres_binaries
from huitouke.kernel.database.launcher import LauncherError, Server, start
from huitouke.kernel.database.postgres_processes import processes_in

SOURCE = Path(__file__).parents[3] / "src"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="what root needs can only be seen as root")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="finds child processes in /proc")

# Starts a server and stays alive until its standard input ends.
OWNER = """
import json, os, sys
from pathlib import Path
from huitouke.kernel.database.launcher import start
server = start(Path(sys.argv[1]))
print(json.dumps({"url": server.url(), "owned": server.owned, "pid": os.getpid()}), flush=True)
sys.stdin.read()
"""


def run(url: str, statement: str) -> Any:
    async def ask() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    with asyncio.Runner() as runner:
        return runner.run(ask())


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)


def postmaster(server: Server) -> int:
    return int((server.data_root / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def kill_at_once(*processes: int) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):  # it followed another one at once
            os.kill(process, signal.SIGKILL)


class OtherProcess:
    """Another Python that has started (or attached to) a server on the same data root."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(SOURCE)},
        )
        assert self.process.stdout is not None
        answer = json.loads(self.process.stdout.readline())
        self.url: str = answer["url"]
        self.owned: bool = answer["owned"]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def leave(self) -> None:
        self.process.communicate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with start(tmp_path / "data", fsync=False) as started:
        yield started


def test_answers_as_soon_as_start_returns_and_holds_utf8_text(server: Server) -> None:
    assert run(server.url(), "select 1") == 1
    assert run(server.url(), "select lower('ÄÉ') || '回头客' || current_setting('server_encoding')") == "äé回头客UTF8"
    assert run(server.url(), "select current_user") == "postgres"


def test_listens_on_no_tcp_port_and_only_its_account_may_enter_the_socket_folder(server: Server) -> None:
    assert run(server.url(), "show listen_addresses") == ""
    assert server.socket_dir.stat().st_mode & 0o777 == 0o700


def test_url_escapes_what_a_password_or_a_name_may_hold(server: Server) -> None:
    run(server.url(), "create role \"a b\" login password 'p/:@?中'")
    run(server.url(), 'create database "店 1" owner "a b"')
    assert run(server.url("店 1", "a b", "p/:@?中"), "select current_database()") == "店 1"


def test_settings_reach_the_server(tmp_path: Path) -> None:
    with start(tmp_path, settings={"max_connections": "33"}, fsync=False) as server:
        assert run(server.url(), "show max_connections") == "33"
        assert run(server.url(), "show fsync") == "off"


def test_everything_is_still_there_after_stop_and_start(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        run(server.url(), "create table kept as select 42 as value")
    assert processes_in(tmp_path / "cluster") == []
    with start(tmp_path) as server:
        assert run(server.url(), "select value from kept") == 42


def test_stop_may_be_called_twice(server: Server) -> None:
    server.stop()
    server.stop()
    assert not server.is_ready()


def test_a_second_start_attaches_and_its_stop_leaves_the_server_alone(server: Server) -> None:
    with start(server.data_root) as second:
        assert (server.owned, second.owned) == (True, False)
        assert second.url() == server.url()
    assert server.is_ready()


def test_another_process_attaches(server: Server) -> None:
    other = OtherProcess(server.data_root)
    assert (other.owned, other.url) == (False, server.url())
    other.leave()
    assert server.is_ready()


def test_of_several_that_start_at_once_exactly_one_owns(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OWNER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(SOURCE)},
        )
        for _ in range(3)
    ]
    answers = []
    for process in processes:
        assert process.stdout is not None
        answers.append(json.loads(process.stdout.readline()))
    for process in processes:
        process.communicate()
    assert sorted(answer["owned"] for answer in answers) == [False, False, True]


def test_kill_9_of_the_owner_takes_the_server_with_it(tmp_path: Path) -> None:
    other = OtherProcess(tmp_path)
    run(other.url, "create table kept as select 7 as value")
    other.kill()
    wait_until(lambda: not processes_in(tmp_path / "cluster"), seconds=5)
    with start(tmp_path) as server:
        assert server.owned
        assert run(server.url(), "select value from kept") == 7


@on_linux
def test_kill_9_of_owner_watchdog_and_server_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    other = OtherProcess(tmp_path)
    run(other.url, "create table kept as select 8 as value")
    watchdogs = children(other.process.pid)
    kill_at_once(other.process.pid, *watchdogs, *(child for watchdog in watchdogs for child in children(watchdog)))
    other.leave()
    with start(tmp_path) as server:
        assert server.owned
        assert run(server.url(), "select value from kept") == 8


@on_linux
def test_a_server_orphaned_by_killed_watchdogs_is_ended_and_replaced(tmp_path: Path) -> None:
    other = OtherProcess(tmp_path)
    orphan = int((tmp_path / "cluster" / "postmaster.pid").read_text().splitlines()[0])
    watchdogs = children(other.process.pid)
    readers = {child for watchdog in watchdogs for child in children(watchdog)} - {orphan}
    kill_at_once(other.process.pid, *watchdogs, *readers)
    other.leave()
    assert orphan in processes_in(tmp_path / "cluster")
    with start(tmp_path) as server:
        assert server.owned
        assert postmaster(server) != orphan
        assert run(server.url(), "select 1") == 1


def test_kill_9_of_the_server_is_followed_by_a_restart_at_the_same_address(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        run(server.url(), "create table kept as select 9 as value")
        killed = postmaster(server)
        os.kill(killed, signal.SIGKILL)
        attached = start(tmp_path)  # never a dead address: returns only when a query was answered
        assert run(attached.url(), "select value from kept") == 9
        assert postmaster(server) != killed


def test_a_server_that_can_not_start_or_keeps_ending_is_tried_until_it_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk: whatever kept it from running, it comes back when that is gone."""
    monkeypatch.setattr(launcher, "RESTARTS_PER_MINUTE", 2)
    monkeypatch.setattr(launcher, "RESTART_PAUSE_SECONDS", 0.2)
    with start(tmp_path, fsync=False) as server:
        needed = tmp_path / "cluster" / "global" / "pg_control"
        needed.rename(tmp_path / "taken away")
        os.kill(postmaster(server), signal.SIGKILL)
        wait_until(lambda: server.log_file.read_text().count("could not be started again") >= 4)
        (tmp_path / "taken away").rename(needed)
        wait_until(server.is_ready)
        assert run(server.url(), "select 1") == 1


@pytest.mark.parametrize("foreign", ["living", "own"])
def test_a_stale_pid_file_that_names_a_foreign_process_harms_nobody(tmp_path: Path, foreign: str) -> None:
    with start(tmp_path, fsync=False) as server:
        content = (tmp_path / "cluster" / "postmaster.pid").read_text().splitlines()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        pid = stranger.pid if foreign == "living" else os.getpid()
        (tmp_path / "cluster" / "postmaster.pid").write_text("\n".join([str(pid), *content[1:]]) + "\n")
        (tmp_path / "launcher.json").write_text(json.dumps({"socket_dir": str(server.socket_dir), "owner_pid": pid}))
        with start(tmp_path, fsync=False) as server:
            assert server.owned
            assert run(server.url(), "select 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize(
    "name",
    ["with space", "回头客 数据", 'it\'s "quoted" $HOME `x`', "深" * 60],
    ids=["space", "chinese", "quotes", "longer-than-a-socket-path"],
)
def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    with start(tmp_path / name, fsync=False) as server:
        assert run(server.url(), "select 1") == 1
        assert str(server.socket_dir).isascii()
        assert len(str(server.socket_dir / launcher.SOCKET_NAME)) < 104
    assert not server.socket_dir.exists()


def test_a_killed_initdb_leaves_nothing_that_is_taken_for_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "cluster.unfinished").mkdir()
    (tmp_path / "cluster.unfinished" / "PG_VERSION").write_text("18\n")
    with start(tmp_path, fsync=False) as server:
        assert run(server.url(), "select 1") == 1


def test_a_setting_that_postgresql_refuses_is_shown_with_the_log(tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match="max_connections"):
        start(tmp_path, settings={"max_connections": "many"}, fsync=False)
    with start(tmp_path, fsync=False) as server:
        assert server.owned, "a failed start gives the lock back"


def test_ld_library_path_does_not_reach_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    with start(tmp_path, fsync=False) as server:
        environment = Path(f"/proc/{postmaster(server)}/environ")
        if environment.exists():
            assert b"LD_LIBRARY_PATH" not in environment.read_bytes()


def test_missing_binaries_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUITOUKE_PG_BIN", str(tmp_path))
    with pytest.raises(LauncherError, match="HUITOUKE_PG_BIN names"):
        start(tmp_path / "data")


def test_a_cluster_of_another_version_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUITOUKE_PG_BIN", str(postgres_binaries.find_binaries().folder))
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "PG_VERSION").write_text("13\n")
    with pytest.raises(LauncherError, match="made by PostgreSQL 13"):
        start(tmp_path)


@as_root
def test_root_runs_it_as_nobody_below_a_closed_folder_that_stays_closed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = {folder: folder.stat().st_mode for folder in (closed, *closed.parents)}
    with start(closed / "店 data") as server:
        assert Path(f"/proc/{postmaster(server)}").stat().st_uid == 65534
        run(server.url(), "create table kept as select 5 as value")
        run(server.url(), "select pg_reload_conf()")
        assert run(server.url(), "select value from kept") == 5
    assert {folder: folder.stat().st_mode for folder in before} == before


@as_root
def test_root_uses_a_private_copy_of_binaries_that_nobody_cannot_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = postgres_binaries.find_binaries().folder.parent
    package = tmp_path / "closed" / original.parent.name
    package.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    subprocess.run(["cp", "-a", original, package / original.name], check=True)
    libraries = original.parent.with_name(original.parent.name + ".libs")
    if libraries.is_dir():
        subprocess.run(["cp", "-a", libraries, tmp_path / "closed" / libraries.name], check=True)
    monkeypatch.setenv("HUITOUKE_PG_BIN", str(package / original.name / "bin"))
    copies = Path("/tmp") / f"huitouke-test-copies-{os.getpid()}"  # tmp_path is itself closed to others
    monkeypatch.setattr(postgres_binaries, "SHARED_COPIES", copies)
    try:
        with start(tmp_path / "data", fsync=False) as server:
            assert run(server.url(), "select 1") == 1
            running = Path(f"/proc/{postmaster(server)}/exe").readlink()
            assert running.is_relative_to(copies)
        assert (tmp_path / "closed").stat().st_mode & 0o777 == 0o700
    finally:
        subprocess.run(["rm", "-rf", copies], check=True)
