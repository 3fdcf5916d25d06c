"""`huitouke backup FILE` and `huitouke restore FILE`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from huitouke.installation import database_urls, owner_url
from huitouke.kernel import keys
from huitouke.kernel.backup import Backup, BackupError, Restored, back_up, look_into, restore, what_would_be_lost
from huitouke.kernel.files.stores import get_store, incoming_folder
from huitouke.kernel.modules import load_modules
from huitouke.kernel.settings import Settings

SHOWN: int = 10
"""Names of damaged files that are printed; their number is printed in any case."""
_ERASE_LINE = "\r\x1b[K"


def add_arguments_of_backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="where the backup goes, e.g. huitouke-2026-11-21.tar.gz")


def add_arguments_of_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the backup")
    parser.add_argument("--replace", action="store_true", help="also into a database with merchants, who are lost")
    parser.add_argument("--yes", action="store_true", help="don't ask")


def run_backup(options: argparse.Namespace, settings: Settings) -> int:
    """Writes a backup beside whatever runs; 1 when stored files are damaged, which a backup can't mend."""
    ring = keys.read_ring(settings)
    with database_urls(settings) as urls:
        made = asyncio.run(back_up(owner_url(urls), ring, get_store(), options.file, _progress))
    _progress_ends()
    _tell(made, options.file)
    return 1 if made.damaged else 0


def run_restore(options: argparse.Namespace, settings: Settings) -> None:
    """Asks before anything is lost."""
    modules = load_modules()
    ring = keys.read_ring(settings)
    manifest = look_into(options.file, ring, modules)
    print(f"{options.file}: made at {manifest.made_at:%Y-%m-%d %H:%M} UTC by release {manifest.release}")
    with database_urls(settings) as urls:
        owner = owner_url(urls)
        loss = asyncio.run(what_would_be_lost(owner))
        if loss is not None:
            _ask(loss, options)
        restored = asyncio.run(
            restore(owner, modules, ring, get_store(), options.file, incoming_folder(settings), _progress)
        )
    _progress_ends()
    _tell_restored(restored)


def _ask(loss: str, options: argparse.Namespace) -> None:
    if not options.replace:
        raise BackupError(f"the database is not empty: {loss}. To replace it: --replace")
    if not options.yes and input(f"{loss} will be gone. Type replace to go on: ") != "replace":
        raise BackupError("nothing was changed")


def _tell(made: Backup, file: Path) -> None:
    print(
        f"✓ {file}: {made.tables} tables, {made.rows} rows, {made.files} files, {made.bytes / 1e6:.1f} MB\n"
        f"  The key ring is not in it; restoring needs the ring {made.fingerprint}"
    )
    if made.damaged:
        print(f"✗ {len(made.damaged)} stored files are missing or damaged:", file=sys.stderr)
        for name in made.damaged[:SHOWN]:
            print(f"  {name}", file=sys.stderr)


def _tell_restored(restored: Restored) -> None:
    print(f"✓ restored {restored.tables} tables, {restored.rows} rows, {restored.files} files")
    if restored.migrations:
        print(f"  brought to this release: {', '.join(restored.migrations)}")
    if restored.left_out:
        print(f"! left out, as no module makes them: {', '.join(restored.left_out)}")


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"{_ERASE_LINE}{text}")
        sys.stderr.flush()


def _progress_ends() -> None:
    _progress("")
