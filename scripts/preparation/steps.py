"""Steps with a name and a time, and the one sentence with which a step fails."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
OUTPUT_LINES_SHOWN = 40

_printing = threading.Lock()


class StepFailed(Exception):
    """A step could not be done; the message is a sentence for the person at the terminal."""


def say(sentence: str) -> None:
    with _printing:
        print(sentence, flush=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Prints the name when the step begins to work and the time it took when it is done."""
    say(f"  … {name}")
    started = time.monotonic()
    yield
    say(f"  ✓ {name} ({time.monotonic() - started:.1f} s)")


def run(
    command: Sequence[str | Path],
    failure: str,
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    timeout_seconds: float = 900,
) -> str:
    """Runs a command quietly and returns what it said; raises StepFailed with `failure` and the end of the output."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise StepFailed(f"{failure} ({error.filename} was not found)") from error
    except subprocess.TimeoutExpired as error:
        raise StepFailed(f"{failure} (it took longer than {timeout_seconds:.0f} s)") from error
    if done.returncode != 0:
        end = "\n".join(done.stdout.splitlines()[-OUTPUT_LINES_SHOWN:])
        raise StepFailed(f"{failure}\n{end}" if end else failure)
    return done.stdout


def side_by_side(*works: Callable[[], None]) -> None:
    """Does several works at once, waits for all, and raises what failed: all sentences together, else the first."""
    failures: list[BaseException] = []

    def attempt(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the caller's thread
            failures.append(error)

    threads = [threading.Thread(target=attempt, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures and all(isinstance(failure, StepFailed) for failure in failures):
        raise StepFailed("\n✗ ".join(map(str, failures)))
    if failures:
        raise failures[0]


def main(work: Callable[[], int | None]) -> None:
    """Runs a script: its status, or one sentence when a step failed or Ctrl-C was pressed."""
    try:
        sys.exit(work() or 0)
    except StepFailed as failed:
        sys.exit(f"\n✗ {failed}")
    except KeyboardInterrupt:
        sys.exit("\nStopped.")
