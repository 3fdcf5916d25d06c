"""`python -m tests.conformance.parsers.fuzz NAME SECONDS`: one parser, for that long, in a process of its own.

Guided by coverage where atheris is installed (`pip install atheris`; it is no dependency, since it is there for few
Pythons and platforms only), else by chance. Ends with the input, written to a file, at the first that does not hold.
Memory is limited, so that an input that takes too much of it is found too.
"""

import faulthandler
import os
import random
import resource
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
os.environ.setdefault("HUITOUKE_TESTING", "1")

SECONDS_PER_INPUT = 2.0
"""Of the processor, on a slow machine; most take well below a millisecond."""

HANG_SECONDS = 40

MEMORY_BYTES = 3 * 1024**3

try:
    import atheris
except ImportError:
    atheris = None
if atheris is not None and __name__ == "__main__":
    with atheris.instrument_imports(include=["huitouke.wechat", "huitouke.modules.assistant.model", "zipfile", "csv"]):
        from tests.conformance.parsers.targets import TARGETS
else:
    from tests.conformance.parsers.targets import TARGETS

from tests.conformance.parsers.mutation import CORPUS, MAX_BYTES, corpus_of, mutated  # noqa: E402 - after the path


def held(name: str, data: bytes) -> None:
    """One input; raises what the parser must not, or AssertionError when it took too long."""
    started = time.thread_time()
    TARGETS[name](data)
    seconds = time.thread_time() - started
    assert seconds < SECONDS_PER_INPUT, f"{seconds:.1f} s for {len(data)} bytes"


def by_chance(name: str, seconds: float) -> int:
    """Changed examples until the time is over; gives how many. The first that does not hold ends the process.

    The input is written before it is tried: a library may hang or abort without an exception.
    """
    dice, examples = random.Random(secrets.randbits(64)), list(corpus_of(name).values())
    tried = Path(tempfile.mkdtemp(prefix=f"huitouke-fuzz-{name}-")) / "input"
    sys.stderr.write(f"The input that was tried last is in {tried}\n")
    ends = time.monotonic() + seconds
    count = 0
    while time.monotonic() < ends:
        data = mutated(dice, examples)
        tried.write_bytes(data)
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        held(name, data)
        faulthandler.cancel_dump_traceback_later()
        count += 1
    shutil.rmtree(tried.parent)
    return count


def main() -> None:
    name, seconds = sys.argv[1], float(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    if atheris is None:
        print(f"{by_chance(name, seconds)} inputs by chance")
        return
    found = Path(tempfile.mkdtemp(prefix=f"huitouke-fuzz-{name}-"))
    settings = [
        f"-max_total_time={int(seconds)}",
        f"-max_len={MAX_BYTES}",
        f"-artifact_prefix={found}/",
        "-rss_limit_mb=0",
    ]
    atheris.Setup([sys.argv[0], *settings, str(found), str(CORPUS / name)], lambda data: held(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
