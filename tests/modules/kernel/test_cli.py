"""The command line: what it prints, and how it fails."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from huitouke import cli
from huitouke.kernel.access import second_factor
from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.database import Database, transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import get_key_ring
from huitouke.kernel.settings import get_settings
from tests.support.http import PASSWORD, application, make_account
from tests.support.operators import operator_client
from tests.support.second_step import turn_on
from tests.support.world import World

ROOT = Path(__file__).parent.parent.parent.parent
PATIENCE_SECONDS = 90


@pytest.fixture
def environment(database: Database, tmp_path: Path) -> dict[str, str]:
    """A fresh data folder, the worker's database, no test switches."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HUITOUKE_", "DATABASE_"))}
    return {
        **kept,
        "PYTHONPATH": str(ROOT / "src"),
        "DATABASE_URL": database.urls.application,
        "HUITOUKE_DATA_DIR": str(tmp_path / "data"),
        "HUITOUKE_LOG_FORMAT": "text",
    }


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def here(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ended]]:
    """Runs a command that needs no database in this process, which saves the start of one."""

    def command(*arguments: str, **variables: str) -> Ended:
        for name in [name for name in os.environ if name.startswith(("HUITOUKE_", "DATABASE_"))]:
            monkeypatch.delenv(name)
        for name, value in {**environment, **variables}.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        status = cli.main(arguments)
        printed = capsys.readouterr()
        return Ended(status, printed.out, printed.err)

    yield command
    monkeypatch.undo()
    get_settings.cache_clear()


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "huitouke", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_the_version_is_printed(here: Callable[..., Ended]):
    assert re.fullmatch(r"huitouke \d+\.\d+\.\d+\n", here("version").stdout)


def test_keys_are_made_once_and_shown_by_fingerprint(here: Callable[..., Ended], environment: dict[str, str]):
    made, again, shown = here("keys", "make"), here("keys", "make"), here("keys", "show")
    ring = (Path(environment["HUITOUKE_DATA_DIR"]) / "keys").read_text()

    assert made.returncode == 0, made.stderr
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert re.fullmatch(r"[0-9a-f]{8}=[0-9a-f]{12}\n", shown.stdout)
    assert ring.split(":")[1].strip() not in made.stdout + shown.stdout


def test_a_printed_ring_can_be_used(here: Callable[..., Ended]):
    name, _, value = here("keys", "make", "--print").stdout.strip().partition("=")
    assert here("keys", "show", **{name: value}).returncode == 0


def test_without_a_ring_the_server_does_not_start_and_says_how_to_make_one(here: Callable[..., Ended]):
    refused = here("serve", "--port", "0")
    assert refused.returncode == 1
    assert "huitouke keys make" in refused.stderr


def test_a_wrong_setting_is_named(here: Callable[..., Ended]):
    refused = here("version", HUITOUKE_PORT="eighty")
    assert refused.returncode == 1
    assert "HUITOUKE_PORT" in refused.stderr


def test_an_unknown_role_is_named(here: Callable[..., Ended]):
    refused = here("serve", "--with", "work,cooking")
    assert refused.returncode == 1
    assert "cooking" in refused.stderr


def test_migrating_needs_the_owner(here: Callable[..., Ended]):
    refused = here("migrate")
    assert refused.returncode == 1
    assert "DATABASE_OWNER_URL" in refused.stderr


def test_the_settings_are_one_documented_list(here: Callable[..., Ended]):
    listed = here("doctor", "--settings").stdout
    for name in ("DATABASE_URL", "HUITOUKE_KEYS", "HUITOUKE_PUBLIC_URL", "FILES_HOST"):
        assert name in listed


def test_the_modules_are_listed(here: Callable[..., Ended]):
    assert "kernel" in here("module", "list").stdout


def test_the_document_of_a_surface_needs_no_database(here: Callable[..., Ended]):
    document = json.loads(
        here("openapi", "--surface", "console", DATABASE_URL="postgresql://nobody@127.0.0.1:9/x").stdout
    )
    assert "/api/session" in document["paths"]
    operations = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(operations) == len(set(operations))


def test_a_database_that_does_not_answer_is_told_in_a_sentence(environment: dict[str, str], here: Callable[..., Ended]):
    here("keys", "make")
    nowhere = {**environment, "DATABASE_URL": "postgresql://huitouke_app@127.0.0.1:9/huitouke"}
    refused = run(nowhere, "serve", "--port", "0")
    assert refused.returncode == 1
    assert "refused" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_doctor_says_what_is_well_and_what_is_not(environment: dict[str, str], here: Callable[..., Ended]):
    ill = run(environment, "doctor")
    here("keys", "make")
    well = run(environment, "doctor", "--serve", "40")

    assert ill.returncode == 1
    assert "✗ 密钥 key ring" in ill.stdout
    assert well.returncode == 0, well.stdout
    assert "✓ 通知 NOTIFY: arrives" in well.stdout
    assert re.search("✓ 连接数 connections: 1 serve of 13, 1 work of 13, 1 realtime of 6 need up to 34", ill.stdout)
    assert re.search(
        r"! 连接数 connections: 40 serve of 13, .* need up to 541 with commands; \d+ are allowed", well.stdout
    )


@pytest.fixture
def server(
    environment: dict[str, str], here: Callable[..., Ended], tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    here("keys", "make")
    log = tmp_path / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "huitouke", "serve", "--port", "0", "--with", "work,realtime"],
            env={**environment, "HUITOUKE_LOG_LEVEL": "info"},
            stdout=output,
            stderr=output,
        )
    try:
        yield process, _address(process, log)
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(PATIENCE_SECONDS * 10):
        found = re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text())
        if found and found[1] != "0":
            return found[0]
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def test_a_server_is_ready_and_stops_within_ten_seconds(server: tuple[subprocess.Popen[bytes], str]):
    process, address = server
    with urllib.request.urlopen(f"{address}/health/ready", timeout=PATIENCE_SECONDS) as answer:
        assert json.load(answer)["checks"]["work"] == "ok"

    started = time.monotonic()
    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == 0
    assert time.monotonic() - started < 10


async def test_a_lost_phones_second_step_is_removed_by_the_sign_in_name(
    environment: dict[str, str], world: World
) -> None:
    account = await make_account(world)
    await turn_on(world, account)
    keys = {"HUITOUKE_KEYS": get_key_ring().serialise()}

    removed = await asyncio.to_thread(
        run, {**environment, **keys}, "user", "remove-second-step", account.sign_in_name.upper()
    )
    nobody = await asyncio.to_thread(run, {**environment, **keys}, "user", "remove-second-step", "nobody-at-all")

    assert (removed.returncode, nobody.returncode) == (0, 1), removed.stderr
    assert "signs in with the password alone" in removed.stdout
    assert "Traceback" not in nobody.stderr
    assert (await second_factor.state_of(account.user_id)).on_since is None


async def test_the_first_operator_is_made_by_a_command_and_may_be_removed(environment: dict[str, str]) -> None:
    name = f"operator-{new_id().hex}"
    keys = {**environment, "HUITOUKE_KEYS": get_key_ring().serialise()}

    added = await asyncio.to_thread(run, keys, "operator", "add", name, "--password", PASSWORD)
    assert (added.returncode, added.stderr) == (0, "")
    assert "/operator" in added.stdout
    async with operator_client(application(), name) as operator:
        assert (await operator.get("/operator/api/tenants")).status_code == 200
        removed = await asyncio.to_thread(run, keys, "operator", "remove", name)
        again = await asyncio.to_thread(run, keys, "operator", "remove", name)
        assert (removed.returncode, again.returncode) == (0, 1)
        assert (await operator.get("/operator/api/tenants")).status_code == 401


async def test_a_merchant_is_suspended_listed_and_restored_from_the_machine(
    environment: dict[str, str], world: World
) -> None:
    keys = {**environment, "HUITOUKE_KEYS": get_key_ring().serialise()}
    tenant = str(world.tenant_id)

    suspended = await asyncio.to_thread(run, keys, "tenant", "suspend", tenant, "--reason", "欠费")
    listed = await asyncio.to_thread(run, keys, "tenant", "list", "--state", "suspended")
    twice = await asyncio.to_thread(run, keys, "tenant", "suspend", tenant, "--reason", "欠费")
    restored = await asyncio.to_thread(run, keys, "tenant", "restore", tenant)
    nothing = await asyncio.to_thread(run, keys, "tenant", "restore", "not-an-id")

    assert suspended.returncode == 0, suspended.stderr
    assert tenant in listed.stdout
    assert (twice.returncode, restored.returncode, nothing.returncode) == (1, 0, 1)
    assert "Traceback" not in twice.stderr + nothing.stderr
    async with transaction(world.context) as ctx:
        entries = await ctx.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
        assert list(entries) == ["platform.tenant.suspended", "platform.tenant.restored"]
