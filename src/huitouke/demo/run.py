"""The demo's parent: starts its three children in order, waits, and stops them in the opposite order."""

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from huitouke.demo.children import Child
from huitouke.demo.places import DemoFailedError, Places, choose, lock
from huitouke.demo.reload import Sources
from huitouke.demo.requests import mail_server, move_callbacks, status_of
from huitouke.installation import PASSWORDS_FILE, POSTGRES_FOLDER
from huitouke.kernel.database.embedded import prepare
from huitouke.kernel.database.launcher import Server, start
from huitouke.kernel.keys import make_ring_file

SIGN_IN_NAME: Final = "demo"
PASSWORD: Final = "huitouke-demo"  # noqa: S105 - the demo's own, printed on the terminal
READY_TIMEOUT_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.1
RELOAD_POLL_SECONDS: Final = 1.0
SAME_CTRL_C_SECONDS: Final = 1.0
"""A wrapper (make, timeout, a package runner) may pass on the Ctrl-C that the terminal has sent us as well."""


class Stopped(Exception):
    """The person pressed Ctrl-C, or the system asked the demo to end."""


class Demo:
    """One run of the demo on a data folder."""

    def __init__(self, data: Path, port: int | None, sandbox_port: int | None, *, reload: bool) -> None:
        self._data = data.expanduser().absolute()
        self._lock = lock(self._data)
        self._places: Places = choose(self._data, port, sandbox_port)
        self._reload = reload
        self._stop = threading.Event()
        self._asked_at = 0.0
        self._postgres: Server | None = None
        self._environment: dict[str, str] = {}
        self._sandbox: Child | None = None
        self._server: Child | None = None

    def run(self) -> None:
        """Runs until Ctrl-C, SIGTERM or SIGHUP; a second Ctrl-C does not wait for anything any more."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._ask_to_stop())
        started = time.monotonic()
        try:
            with contextlib.suppress(Stopped):
                self._start()
                _say(f"\n  {time.monotonic() - started:.1f} s\n")
                _say(_addresses(self._places))
                self._watch()
        finally:
            self._end()

    def _ask_to_stop(self) -> None:
        now = time.monotonic()
        if not self._stop.is_set():
            self._asked_at = now
            self._stop.set()
        elif now - self._asked_at > SAME_CTRL_C_SECONDS:
            os._exit(130)  # asked twice: the pipes end with us, and the children with them

    def _start(self) -> None:
        with self._step("PostgreSQL"):
            self._start_postgres()
        # The sandbox comes up while the schema is made: both take about a second of one core.
        self._sandbox = self._child("sandbox", *_sandbox_arguments(self._places, self._data))
        with self._step("数据库结构 Database schema"):
            self._finish("migrate", "migrate")
        with self._step("微信沙箱 WeChat sandbox"):
            self._wait_for(self._sandbox, f"{self._places.sandbox}/sandbox/openapi.json")
            self._environment |= {
                "HUITOUKE_SMS_BASE_URL": self._places.sandbox,
                "HUITOUKE_SMTP_URL": mail_server(self._places.sandbox),
                "HUITOUKE_MAIL_FROM": "回头客 <no-reply@huitouke.invalid>",
            }
        with self._step("服务 Server"):
            self._start_server()
            move_callbacks(self._places.sandbox, self._places.console)
        loaded = self._data / POSTGRES_FOLDER / "demo-loaded"  # beside the cluster: who removes that removes both
        if not loaded.exists():
            with self._step("演示数据 Demo data"):  # after the server: the sandbox verifies the callback's address
                self._finish("demo-data", "demo-data", "--sandbox-url", self._places.sandbox)
            loaded.touch()

    def _start_postgres(self) -> None:
        self._postgres = start(self._data / POSTGRES_FOLDER)
        urls = asyncio.run(prepare(self._postgres, self._data / PASSWORDS_FILE))
        make_ring_file(self._data / "keys")  # elsewhere a server with a DATABASE_URL asks its operator for one
        self._environment = {
            "DATABASE_URL": urls.application,
            "DATABASE_DIRECT_URL": urls.direct,
            "DATABASE_OWNER_URL": urls.owner or "",
            "HUITOUKE_DATA_DIR": str(self._data),
            "HUITOUKE_HOST": "127.0.0.1",
            "HUITOUKE_PORT": str(self._places.port),
            "HUITOUKE_PUBLIC_URL": self._places.console,
            "HUITOUKE_WECOM_BASE_URL": self._places.sandbox,
            "HUITOUKE_WECOM_OAUTH_URL": self._places.sandbox,
            "HUITOUKE_WECOM_SSO_URL": self._places.sandbox,
            "HUITOUKE_SANDBOX_URL": self._places.sandbox,
            "HUITOUKE_LOG_FORMAT": "text",
        }

    def _start_server(self) -> None:
        self._server = self._child("server", "-m", "huitouke", "serve", "--with", "work,realtime")
        self._wait_for(self._server, f"{self._places.console}/health/ready")

    def _child(self, name: str, *arguments: str) -> Child:
        # The server must not be able to use the owner's role: only migrate and the demo data get its address.
        owner_only = {"migrate", "demo-data"}
        environment = {
            key: value for key, value in self._environment.items() if key != "DATABASE_OWNER_URL" or name in owner_only
        }
        return Child(name, arguments, environment, self._data / "logs" / f"{name}.log")

    def _finish(self, name: str, *arguments: str) -> None:
        """Runs one of our commands to its end."""
        child = self._child(name, "-m", "huitouke", *arguments)
        try:
            while child.status is None:
                self._check_stop(POLL_SECONDS / 5)
            if child.status != 0:
                raise DemoFailedError(f"`huitouke {arguments[0]}` failed. {child.end_of_log()}")
        finally:
            child.stop()

    def _wait_for(self, child: Child, address: str) -> None:
        """Returns when the address answers 200; says why when the child ends or the time is up."""
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        answer = "no answer"
        while True:
            if child.status is not None:
                raise DemoFailedError(f"The {child.name} ended at once. {child.end_of_log()}")
            answer = status_of(address) or answer
            if answer == "200":
                return
            if time.monotonic() > deadline:
                raise DemoFailedError(
                    f"The {child.name} was not ready within {READY_TIMEOUT_SECONDS:.0f} s ({address}: {answer}). "
                    + child.end_of_log()
                )
            self._check_stop(POLL_SECONDS)

    def _check_stop(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped

    def _watch(self) -> None:
        """Until someone asks to stop; a child that ends by itself ends the demo with a sentence."""
        sources = Sources() if self._reload else None
        while True:
            self._check_stop(RELOAD_POLL_SECONDS)
            for child in (self._server, self._sandbox):
                if child is not None and child.status is not None:
                    raise DemoFailedError(f"The {child.name} ended with status {child.status}. {child.end_of_log()}")
            if sources is not None and sources.changed():
                self._restart_server()

    def _restart_server(self) -> None:
        """After a change of the sources; a server that does not come up is waited for until the next change."""
        with self._step("sources changed, server starts again"):
            if self._server is not None:
                self._server.stop()
                self._server = None
            try:
                self._finish("migrate", "migrate")
                self._start_server()
            except DemoFailedError as failed:
                self._server = None
                _say(f"✗ {failed}")

    def _end(self) -> None:
        if self._server is not None:
            _say("\n停止服务 Stopping: the server hands back what is in flight …")
            self._server.stop()
        if self._sandbox is not None:
            self._sandbox.stop()
        if self._postgres is not None:
            self._postgres.stop()
            _say("已停止，数据都还在 Stopped; everything is kept in " + str(self._data))
        os.close(self._lock)

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        _say(f"  ✓ {name} ({time.monotonic() - begun:.1f} s)")


def _sandbox_arguments(places: Places, data: Path) -> tuple[str, ...]:
    return ("-m", "wechat_sandbox", "--port", str(places.sandbox_port), "--data", str(data / "sandbox"))


def _addresses(places: Places) -> str:
    return (
        f"  控制台 Console    {places.console}    登录 sign in: {SIGN_IN_NAME} / {PASSWORD}\n"
        f"  开新店 New shop   {places.console}/sign-up    注册到第一个回答 to a first answer\n"
        f"  手机   Phone      {places.sandbox}/\n"
        f"  接口   API docs   {places.console}/docs\n\n"
        "  按 Ctrl-C 停止 Ctrl-C stops it."
    )


def _say(text: str) -> None:
    print(text, flush=True)
