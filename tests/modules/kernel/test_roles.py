"""Processes of one role: their ports, their end, and what the death of a part does to them."""

import asyncio
import os
import re
import signal
import socketserver
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from huitouke.kernel import ending
from huitouke.kernel.database import Database
from huitouke.kernel.keys import make_ring_file
from tests.support.http import signed_in_client
from tests.support.world import World

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 90
DIES = """
import sys
from huitouke import cli
from huitouke.kernel.work import worker

async def fails(self):
    raise RuntimeError("a part that died")

worker.Worker.{part} = fails
sys.exit(cli.main(sys.argv[1:]))
"""
"""The command line with a worker whose step fails in a way that nobody expected."""


class Process:
    """A command in a process of its own, and what it wrote."""

    def __init__(self, folder: Path, environment: dict[str, str], *command: str) -> None:
        self._log = folder / "process.log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)

    @property
    def printed(self) -> str:
        return self._log.read_text(errors="replace")

    def address(self) -> str:
        """Where it listens, once it does."""
        for _ in range(PATIENCE_SECONDS * 20):
            found = re.search(r"http://127\.0\.0\.1:([1-9]\d*)", self.printed)
            if found:
                return found[0]
            assert self.process.poll() is None, self.printed
            time.sleep(0.05)
        raise AssertionError(self.printed)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def until_it_is_not_ready(address: str) -> str:
    """What a server that was asked to end says on its open port, from the first moment that it is not ready."""
    while (answer := get(f"{address}/health/ready"))[0] == 200:
        time.sleep(0.02)
    assert answer[0] == 503
    return answer[1]


@pytest.fixture
def environment(database: Database, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HUITOUKE_", "DATABASE_"))}
    make_ring_file(tmp_path / "keys")
    return {
        **kept,
        "PYTHONPATH": str(ROOT / "src"),
        "DATABASE_URL": database.urls.application,
        "HUITOUKE_DATA_DIR": str(tmp_path),
        "HUITOUKE_LOG_FORMAT": "text",
        "HUITOUKE_PUBLIC_URL": "http://shop.test",
    }


@contextmanager
def running(folder: Path, environment: dict[str, str], *arguments: str) -> Iterator[Process]:
    process = Process(folder, environment, sys.executable, "-m", "huitouke", *arguments)
    try:
        yield process
    finally:
        process.process.kill()
        process.process.wait()


@pytest.fixture
async def realtime(environment: dict[str, str], tmp_path: Path) -> AsyncIterator[tuple[Process, str]]:
    with running(tmp_path, {**environment, "HUITOUKE_DRAIN_SECONDS": "1.5"}, "realtime", "--port", "0") as process:
        yield process, await asyncio.to_thread(process.address)


async def test_realtime_holds_sockets_of_signed_in_people_and_sends_them_elsewhere_when_it_stops(
    realtime: tuple[Process, str], world: World
) -> None:
    process, address = realtime
    async with signed_in_client(world) as browser:
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    socket_address = address.replace("http", "ws") + "/realtime"
    with pytest.raises(InvalidStatus, match="403"):
        await connect(socket_address, origin=Origin("http://evil.test"), proxy=None)

    ours = connect(socket_address, origin=Origin("http://shop.test"), additional_headers={"Cookie": cookie}, proxy=None)
    async with ours as socket:
        assert '"hello"' in str(await asyncio.wait_for(socket.recv(), 30))
        assert (await asyncio.to_thread(get, f"{address}/health/live"))[0] == 200
        assert (await asyncio.to_thread(get, f"{address}/health/ready"))[0] == 200
        assert "huitouke_realtime_sockets 1.0" in (await asyncio.to_thread(get, f"{address}/metrics"))[1]
        assert (await asyncio.to_thread(get, f"{address}/api/session"))[0] == 404
        assert (await asyncio.to_thread(get, f"{address}/realtime"))[0] == 426

        process.process.send_signal(signal.SIGTERM)
        # The port is open, for the proxy to ask.
        assert "about to end" in await asyncio.to_thread(until_it_is_not_ready, address)
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert await asyncio.to_thread(process.process.wait, 30) == 0, process.printed


def test_work_says_on_its_port_how_it_is(environment: dict[str, str], tmp_path: Path):
    with running(tmp_path, environment, "work", "--port", "0") as process:
        address = process.address()
        status, text = get(f"{address}/health/ready")
        assert (status, '"work":"ok"' in text) == (200, True)
        assert get(f"{address}/health/live")[0] == 200
        assert "huitouke_work_running" in get(f"{address}/metrics")[1]
        assert get(f"{address}/realtime")[0] == 404
        assert process.stop() == 0, process.printed


@pytest.mark.long
def test_a_port_that_is_taken_is_told_in_a_sentence(environment: dict[str, str], tmp_path: Path):
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as taken:
        number = str(taken.server_address[1])
        with running(tmp_path, environment, "realtime", "--port", number) as process:
            assert process.process.wait(60) == 1
            assert f"can't listen on 127.0.0.1:{number}" in process.printed
            assert "Traceback" not in process.printed


@pytest.mark.parametrize(
    "command", [pytest.param(("work",), marks=pytest.mark.long), ("serve", "--port", "0", "--with", "work,realtime")]
)
def test_a_worker_that_dies_ends_the_process_in_order_and_with_a_status_that_has_it_started_again(
    environment: dict[str, str], tmp_path: Path, command: tuple[str, ...]
):
    program = DIES.replace("{part}", "look")
    ended = subprocess.run(
        [sys.executable, "-c", program, *command],
        env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert ended.returncode == 1, ended.stderr
    assert "a part that died" in ended.stderr
    assert "app.service_died" in ended.stderr
    assert "app.stopped" in ended.stderr  # everything else was closed as it should be


def test_a_server_that_drains_goes_on_answering_while_it_says_that_it_ends(environment: dict[str, str], tmp_path: Path):
    with running(tmp_path, {**environment, "HUITOUKE_DRAIN_SECONDS": "2"}, "serve", "--port", "0") as process:
        address = process.address()
        assert get(f"{address}/health/ready")[0] == 200
        process.process.send_signal(signal.SIGTERM)
        until_it_is_not_ready(address)
        with urllib.request.urlopen(f"{address}/health/live", timeout=30) as answer:
            assert answer.headers["Connection"] == "close"
        assert process.process.wait(30) == 0, process.printed


async def test_only_a_death_is_told_and_neither_an_end_nor_being_stopped():
    async def ends() -> None:
        return

    async def dies() -> None:
        raise RuntimeError

    told: list[str] = []
    with ending.deaths(told.append):
        tasks = [ending.vital(ends(), "ends"), ending.vital(asyncio.sleep(60), "stopped"), ending.vital(dies(), "dies")]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
    assert told == ["dies"]
