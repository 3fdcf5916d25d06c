"""What outlives the process: everything in the data folder, and the command itself."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from tests.modules.wechat_sandbox.shop import Sandbox, open_shop, running_sandbox


async def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    async with running_sandbox(tmp_path) as sandbox:
        shop = await open_shop(sandbox)
        await shop.serves()
        await shop.writes("第一次")
        await shop.send("您好", msgid="m1")
        await sandbox.advance(1_000)
        await sandbox.faults(api_delay_ms=1)
        cursor = (await shop.sync())["next_cursor"]
        before = (await sandbox.get("state"), await shop.chat(), await sandbox.get("records"))
    async with running_sandbox(tmp_path) as sandbox:
        shop.sandbox = sandbox
        after = (await sandbox.get("state"), await shop.chat(), await sandbox.get("records"))
        assert {**before[0], "now": 0} == {**after[0], "now": 0}
        assert before[1:] == after[1:]
        assert (await sandbox.get("faults"))["api_delay_ms"] == 1
        assert (await sandbox.get("clock"))["offset_seconds"] == 1_000
        assert (await shop.send(msgid="m1"))["errcode"] == 95033, "the token and the msgid are known still"
        await shop.writes("第二次")
        answer = await shop.sync(cursor=cursor)
        assert [one["text"]["content"] for one in answer["msg_list"]] == ["第二次"]


async def test_a_message_that_was_to_fail_fails_after_the_restart(tmp_path: Path) -> None:
    async with running_sandbox(tmp_path) as sandbox:
        shop = await open_shop(sandbox)
        await sandbox.faults(send_fail_probability=1.0, send_fail_delay_ms=60_000)
        await shop.writes()
        await shop.send()
        await sandbox.faults(send_fail_delay_ms=0)
    async with running_sandbox(tmp_path) as sandbox:
        shop.sandbox = sandbox
        assert len(await shop.events("msg_send_fail")) == 1


async def test_reset_leaves_nothing_behind(tmp_path: Path) -> None:
    async with running_sandbox(tmp_path) as sandbox:
        await (await open_shop(sandbox)).writes()
        await sandbox.post("reset")
        assert (await sandbox.get("state"))["corps"] == []
    async with running_sandbox(tmp_path) as sandbox:
        state = await sandbox.get("state")
        assert (state["corps"], state["customers"]) == ([], [])


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    return [sys.executable, "-m", "wechat_sandbox", "--port", "0", "--data", str(tmp_path / "数据 folder")]


def _start(command: list[str]) -> tuple[subprocess.Popen[str], str]:
    environment = {**os.environ, "PYTHONPATH": "src"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("wechat-sandbox ready "):
            return process, line.split()[-1]
    raise AssertionError(process.communicate()[1])


def test_the_command_says_where_it_listens_and_survives_a_kill(command: list[str]) -> None:
    process, address = _start(command)
    try:
        made = httpx2.post(f"{address}/sandbox/customers", json={"nickname": "阿明"}, trust_env=False).json()
        second = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "src"})
        assert second.returncode == 1
        assert "another sandbox" in second.stderr
    finally:
        process.kill()
        process.wait()
    process, address = _start([*command, "--quiet"])
    try:
        kept = httpx2.get(f"{address}/sandbox/customers", trust_env=False).json()
        assert [one["external_userid"] for one in kept] == [made["external_userid"]]
    finally:
        process.kill()
        process.wait()


def test_ctrl_c_ends_it_at_once_though_a_page_listens(command: list[str]) -> None:
    process, address = _start(command)
    try:
        with httpx2.stream("GET", f"{address}/sandbox/stream", trust_env=False) as stream:
            next(stream.iter_lines())
            started = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=10) == 0
            assert time.monotonic() - started < 3
    finally:
        process.kill()
    assert process.stderr is not None
    assert process.stderr.read() == ""


def test_a_taken_port_is_said_so(running: Sandbox) -> None:
    port = running.address.rsplit(":", 1)[1]
    run = subprocess.run(
        [sys.executable, "-m", "wechat_sandbox", "--port", port],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "src"}, timeout=60,
    )  # fmt: skip
    assert run.returncode == 1
    assert "--port" in run.stderr
