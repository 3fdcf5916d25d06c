"""No bytes from outside make a parser raise anything undeclared, take long, or give what can't be stored.

In every run the corpus and a few hundred inputs made of it, other ones each time; with --long as many as the minutes of
HUITOUKE_FUZZ_SECONDS per parser allow, guided by coverage where atheris is installed. What was found is kept in corpus.
"""

import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conformance.parsers.fuzz import held
from tests.conformance.parsers.mutation import corpus_of, mutated
from tests.conformance.parsers.targets import TARGETS

FEW = 150
LONG_SECONDS = int(os.environ.get("HUITOUKE_FUZZ_SECONDS", "30"))


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_every_example_is_read_or_refused(name: str) -> None:
    examples = corpus_of(name)
    assert examples
    for example in examples.values():
        held(name, example)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_changed_examples_are_read_or_refused(name: str) -> None:
    seed = secrets.randbits(32)
    dice, examples = random.Random(seed), list(corpus_of(name).values())
    for number in range(FEW if not name.startswith(("sheet", "shared", "workbook")) else FEW // 5):
        data = mutated(dice, examples)
        try:
            held(name, data)
        except Exception as error:
            raise AssertionError(f"seed {seed}, input {number}: {data[:2_000]!r}") from error


@pytest.mark.parametrize("name", sorted(TARGETS))
@given(data=st.binary(max_size=300))
@settings(max_examples=20, deadline=None, database=None)
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    held(name, data)


@pytest.mark.long
@pytest.mark.timeout(LONG_SECONDS + 120)
@pytest.mark.parametrize("name", sorted(TARGETS))
def test_it_holds_for_minutes(name: str, record_property: Callable[[str, object], None]) -> None:
    command = [sys.executable, "-m", "tests.conformance.parsers.fuzz", name, str(LONG_SECONDS)]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONG_SECONDS + 100)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4_000:]
    record_property("figure", f"{name}: {done.stdout.splitlines()[-1]} in {time.monotonic() - started:.0f} s")
