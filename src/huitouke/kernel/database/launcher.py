"""Starts the embedded PostgreSQL as a child that is gone when its parent is.

One data root holds all of it: `cluster/` (the data), `postgres.log`, `launcher.lock` (who owns the server),
`launcher.json` (where it listens). The first process that takes the lock owns the server; every other one attaches.
The server listens on a Unix socket in a folder that only its account may enter, and on no TCP port.

    parent ── /bin/sh watchdog ── postgres          the watchdog reads a pipe from the parent; when the parent dies,
                └─ reader (pipe)                    however it dies, the pipe ends and PostgreSQL shuts down (SIGINT)

As root, PostgreSQL runs as `nobody`. Where that account cannot reach the data root by name (a clone in /root), it gets
an open handle of the data folder and works through `/proc/self/fd/N`; no folder's permissions are ever changed.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

from huitouke.kernel.database.postgres_binaries import (
    Binaries,
    LauncherError,
    binaries_for_nobody,
    clean_environment,
    find_binaries,
    readable_by_everyone,
)
from huitouke.kernel.database.postgres_probe import answers
from huitouke.kernel.database.postgres_processes import end_leftovers, processes_in, signal_process

__all__ = ["LauncherError", "Server", "start"]

SUPERUSER = "postgres"
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH_BYTES = 103  # macOS allows 104 with the closing zero, Linux 108
START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 30.0
ATTACH_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.005
RESTARTS_PER_MINUTE = 5
"""So often it is started again at once; beyond that after RESTART_PAUSE_SECONDS."""
RESTART_PAUSE_SECONDS = 5.0
LONGEST_LOG_BYTES = 10 * 1024 * 1024
LOG_LINES_IN_ERRORS = 12

# The pipe is the standard input (dash knows descriptors of one digit only). The reader waits for it to end; `wait`
# gives the watchdog PostgreSQL's own status.
WATCHDOG = """
exec 3<&0
"$@" 3<&- </dev/null & server=$!
( read -r line <&3; kill -INT $server 2>/dev/null ) & reader=$!
exec 3<&-
wait $server; status=$?
kill $reader 2>/dev/null
exit $status
"""


@dataclass(frozen=True, slots=True)
class _Account:
    """The account that PostgreSQL runs as where the launcher runs as root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class _Paths:
    """The files of one data root."""

    root: Path

    @property
    def cluster(self) -> Path:
        return self.root / "cluster"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    @property
    def lock(self) -> Path:
        return self.root / "launcher.lock"

    @property
    def state(self) -> Path:
        return self.root / "launcher.json"


class Server:
    """A running PostgreSQL: the owner's handle stops it, an attached one only names it."""

    def __init__(self, paths: _Paths, socket_dir: Path, owner: "_Owner | None") -> None:
        self.data_root = paths.root
        self.socket_dir = socket_dir
        self.log_file = paths.log
        self._owner = owner

    @property
    def owned(self) -> bool:
        """Whether this process started the server, and stops it."""
        return self._owner is not None

    def url(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """`postgresql://user:password@/database?host=<socket folder>`, as asyncpg, libpq and SQLAlchemy read it."""
        secret = "" if password is None else ":" + quote(password, safe="")
        where = urlencode({"host": str(self.socket_dir)}, quote_via=quote)
        return f"postgresql://{quote(user, safe='')}{secret}@/{quote(database, safe='')}?{where}"

    def is_ready(self) -> bool:
        """Whether it answers a query at this moment."""
        return answers(self.socket_dir / SOCKET_NAME)

    def stop(self) -> None:
        """Fast shutdown by the owner, waiting for its end; an attached handle leaves the server alone."""
        if self._owner is not None:
            self._owner.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(data_root: Path, *, settings: Mapping[str, str] | None = None, fsync: bool = True) -> Server:
    """Starts PostgreSQL on this data root, or attaches to the one that another process (or call) runs there.

    Returns when the server has answered a query. `settings` are PostgreSQL's own (`max_connections`, …) and count for
    the owner only; `fsync=False` trades crash safety for speed (tests). Raises LauncherError with what to do.
    """
    if sys.platform == "win32":
        raise LauncherError("The embedded PostgreSQL runs on Linux and macOS. Set DATABASE_URL to a running server.")
    root = Path(data_root).expanduser().absolute()
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LauncherError(f"The data folder {root} cannot be made: {error.strerror}.") from error
    paths = _Paths(root)
    deadline = time.monotonic() + ATTACH_TIMEOUT_SECONDS
    while True:
        lock = _take_lock(paths.lock)
        if lock is not None:
            return _start_as_owner(paths, lock, dict(settings or {}), fsync)
        attached = _attach(paths)
        if attached is not None:
            return attached
        if time.monotonic() > deadline:
            raise LauncherError(
                f"Another process holds {paths.lock}, but its PostgreSQL has not answered for "
                f"{ATTACH_TIMEOUT_SECONDS:.0f} s. Stop that process, or look into {paths.log}."
            )
        time.sleep(0.02)


def _take_lock(path: Path) -> int | None:
    """The lock's descriptor when nobody owns the data root; it is released by the system when we die."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _attach(paths: _Paths) -> Server | None:
    try:
        socket_dir = Path(json.loads(paths.state.read_text())["socket_dir"])
    except (OSError, ValueError, KeyError):
        return None  # the owner is still starting, or is replacing the file
    return Server(paths, socket_dir, None) if answers(socket_dir / SOCKET_NAME) else None


def _start_as_owner(paths: _Paths, lock: int, settings: dict[str, str], fsync: bool) -> Server:
    try:
        owner = _Owner(paths, lock, settings, fsync)
        owner.start()
    except BaseException:
        os.close(lock)
        raise
    return Server(paths, owner.socket_dir, owner)


class _Owner:
    """Runs the server of one data root: starts it, restarts it when it dies, stops it."""

    def __init__(self, paths: _Paths, lock: int, settings: dict[str, str], fsync: bool) -> None:
        self._paths = paths
        self._lock = lock
        self._settings = settings
        self._fsync = fsync
        self._account = _account_for_root()
        self._guard = threading.RLock()
        self._stopping = threading.Event()
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._pipe: int | None = None
        self._binaries = self._choose_binaries()
        self.socket_dir = _socket_folder(paths.root, self._account)

    def start(self) -> None:
        self._paths.state.unlink(missing_ok=True)
        end_leftovers(self._paths.cluster)
        if not (self._paths.cluster / "PG_VERSION").exists():
            self._make_cluster()
        _rotate(self._paths.log)
        self._launch()
        unfinished = self._paths.state.with_suffix(".new")
        unfinished.write_text(json.dumps({"socket_dir": str(self.socket_dir), "owner_pid": os.getpid()}))
        unfinished.rename(self._paths.state)
        threading.Thread(target=self._supervise, name="postgres-supervisor", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        with self._guard:
            if self._lock < 0:
                return
            self._end_server()
            self._paths.state.unlink(missing_ok=True)
            _remove_socket_folder(self.socket_dir)
            os.close(self._lock)
            self._lock = -1

    def _choose_binaries(self) -> Binaries:
        version = self._paths.cluster / "PG_VERSION"
        binaries = find_binaries(int(version.read_text()) if version.exists() else None)
        return binaries_for_nobody(binaries, self._paths.root) if self._account else binaries

    def _make_cluster(self) -> None:
        """initdb into a folder of another name, then a rename: a killed initdb leaves nothing that looks whole."""
        unfinished = self._paths.root / "cluster.unfinished"
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if self._binaries.major >= 17 else []
        # Where the system knows no C.UTF-8, plain C serves: since 17 the built-in provider does the text rules anyway.
        for system_locale in ("C.UTF-8", "C"):
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(mode=0o700)
            if self._account:
                os.chown(unfinished, self._account.uid, self._account.gid)
            with self._data_folder(unfinished) as (folder, how):
                command = [str(self._binaries.folder / "initdb"), "-D", folder, "-U", SUPERUSER, "--no-instructions"]
                command += ["--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8"]
                command += [*locale, f"--locale={system_locale}"] + ([] if self._fsync else ["--no-sync"])
                made = subprocess.run(  # noqa: S603 - our own arguments
                    command,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    check=False,
                    **how,
                )
            if made.returncode == 0:
                unfinished.rename(self._paths.cluster)
                return
        shutil.rmtree(unfinished, ignore_errors=True)
        raise LauncherError(f"PostgreSQL could not make its data folder in {self._paths.root}: {made.stderr.strip()}")

    @contextlib.contextmanager
    def _data_folder(self, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        """The name under which PostgreSQL reaches its data folder, and the arguments of the process that does."""
        how: dict[str, Any] = {"env": clean_environment(), "cwd": "/", "start_new_session": True, "pass_fds": ()}
        if self._account is None:
            yield str(folder), how
            return
        how |= {"user": self._account.uid, "group": self._account.gid, "extra_groups": []}
        if readable_by_everyone(folder.parent):
            yield str(folder), how
            return
        if not Path("/proc/self/fd").is_dir():
            raise LauncherError(
                f"PostgreSQL does not run as root, and the account nobody cannot enter {folder.parent}. Run as an "
                "ordinary user, or choose a data folder that everyone may enter."
            )
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{handle}", how | {"pass_fds": (handle,)}
        finally:
            os.close(handle)

    def _launch(self) -> None:
        """Starts the watchdog with the server below it, and returns when the server has answered."""
        _socket_folder(self._paths.root, self._account)  # again, for a sweep of the temporary folder may have taken it
        _remove_stale_files(self._paths.cluster, self.socket_dir)
        reading, writing = os.pipe()
        arguments = [f"-c{name}={value}" for name, value in self._server_settings().items()]
        try:
            with self._data_folder(self._paths.cluster) as (folder, how), self._paths.log.open("ab") as log:
                command = ["/bin/sh", "-c", WATCHDOG, "huitouke-postgres-watchdog"]
                self._watchdog = subprocess.Popen(  # noqa: S603 - our own arguments
                    [*command, str(self._binaries.folder / "postgres"), "-D", folder, *arguments],
                    stdin=reading,
                    stdout=log,
                    stderr=log,
                    **how,
                )
        except BaseException:
            os.close(writing)
            raise
        finally:
            os.close(reading)
        self._pipe = writing
        self._wait_until_ready()

    def _server_settings(self) -> dict[str, str]:
        ours = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "port": "5432",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "logging_collector": "off",
            "cluster_name": "huitouke",
        }
        if not self._fsync:
            ours |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return ours | self._settings

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        assert self._watchdog is not None
        while not answers(self.socket_dir / SOCKET_NAME):
            status = self._watchdog.poll()
            if status is not None or time.monotonic() > deadline:
                happened = "did not answer in time" if status is None else f"ended with status {status}"
                self._end_server()
                raise LauncherError(f"PostgreSQL {happened}. The end of {self._paths.log}:\n{_tail(self._paths.log)}")
            time.sleep(POLL_SECONDS)

    def _end_server(self) -> None:
        """Ends the pipe, upon which the watchdog's reader asks PostgreSQL for a fast shutdown, and waits for it."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        if self._watchdog is not None:
            try:
                self._watchdog.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                for process in processes_in(self._paths.cluster):
                    signal_process(process, signal.SIGQUIT)
                self._watchdog.wait(STOP_TIMEOUT_SECONDS)
            self._watchdog = None
        # A watchdog that was killed leaves its server to the reader; that one is on its way down, too.
        end_leftovers(self._paths.cluster)

    def _supervise(self) -> None:
        """Starts the server again whenever it ends without being asked to, for as long as we live.

        At once, but with a pause when it keeps ending: on a full disk it can't run until somebody has made room.
        """
        endings: list[float] = []
        while not self._stopping.is_set():
            watchdog = self._watchdog
            if watchdog is not None:
                watchdog.wait()
            endings = [at for at in endings if time.monotonic() - at < 60] + [time.monotonic()]
            if len(endings) > RESTARTS_PER_MINUTE and self._stopping.wait(RESTART_PAUSE_SECONDS):
                return
            with self._guard:
                if self._stopping.is_set() or self._watchdog is not watchdog:
                    return
                try:
                    self._end_server()
                    _rotate(self._paths.log)
                    self._launch()
                except (LauncherError, OSError) as error:
                    _note(self._paths.log, f"PostgreSQL could not be started again: {error}")
                else:
                    _note(self._paths.log, "PostgreSQL had ended; it was started again")


def _account_for_root() -> _Account | None:
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return _Account(nobody.pw_uid, nobody.pw_gid)


def _socket_folder(root: Path, account: _Account | None) -> Path:
    """A folder for the socket that only the server's account may enter: short, in ASCII, without characters to quote.

    Inside the data root where its path allows that; else a short one of this user below the temporary folder.
    """
    folder = root / "socket"
    if not _suits_a_socket(folder) or (account is not None and not readable_by_everyone(root)):
        folder = _folder_below_temporary(root, account)
    folder.mkdir(mode=0o700, exist_ok=True)
    uid, gid = (account.uid, account.gid) if account else (os.geteuid(), -1)
    if account is not None:
        os.chown(folder, uid, gid, follow_symlinks=False)
    found = folder.lstat()
    if found.st_uid != uid or folder.is_symlink():
        raise LauncherError(f"The socket folder {folder} belongs to another account. Remove it and start again.")
    folder.chmod(0o700)
    return folder


def _suits_a_socket(folder: Path) -> bool:
    short = len(str(folder / SOCKET_NAME)) <= LONGEST_SOCKET_PATH_BYTES
    return short and re.fullmatch(r"[A-Za-z0-9_./-]+", str(folder)) is not None


def _folder_below_temporary(root: Path, account: _Account | None) -> Path:
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    for temporary in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - a folder of our own is made in it
        ours = temporary / f"huitouke-{os.geteuid()}"
        folder = ours / name
        short = len(str(folder / SOCKET_NAME)) <= LONGEST_SOCKET_PATH_BYTES
        if (
            short
            and re.fullmatch(r"[A-Za-z0-9_./-]+", str(folder))
            and (not account or readable_by_everyone(temporary))
        ):
            ours.mkdir(exist_ok=True)
            if ours.lstat().st_uid != os.geteuid() or ours.is_symlink():
                raise LauncherError(f"{ours} belongs to another account. Remove it and start again.")
            ours.chmod(0o711 if account else 0o700)
            return folder
    raise LauncherError("The temporary folder's path is too long for a socket. Set TMPDIR to a short one.")


def _remove_socket_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not empty: another PostgreSQL was put there, which keeps it
        folder.rmdir()


def _remove_stale_files(cluster: Path, socket_dir: Path) -> None:
    """Removes the lock files of a dead server. Only called when no process has the cluster as its working folder:

    the pid in such a file may by now belong to any other program, upon which PostgreSQL would refuse to start.
    """
    for stale in (cluster / "postmaster.pid", socket_dir / SOCKET_NAME, socket_dir / (SOCKET_NAME + ".lock")):
        stale.unlink(missing_ok=True)


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LONGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def _note(log: Path, sentence: str) -> None:
    with contextlib.suppress(OSError), log.open("a") as file:  # the disk is full: the server's state tells, too
        file.write(f"huitouke launcher: {sentence}\n")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES_IN_ERRORS:])
