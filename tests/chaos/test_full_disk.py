"""The disk of the database is full for a while: nothing is lost, and nobody has to start anything again."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.skipif(
    shutil.which("unshare") is None or os.geteuid() != 0, reason="a small file system of its own needs unshare and root"
)
def test_a_full_disk_loses_nothing_and_passes_when_there_is_room_again(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    ran = subprocess.run(
        ["unshare", "-m", sys.executable, "-m", "tests.chaos.full_disk", str(tmp_path)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if "unshare failed" in ran.stderr or "Operation not permitted" in ran.stderr:
        pytest.skip(f"no mount namespace may be made here: {ran.stderr.strip()[:200]}")
    assert ran.returncode == 0, ran.stderr[-4_000:]
    account = json.loads(ran.stdout.splitlines()[-1])
    if "not_allowed" in account:
        pytest.skip(account["not_allowed"])
    record_property(
        "figure",
        f"full disk ({account['taken_mib']} MiB taken): {account['received']} messages in, {account['sent']} out,"
        f" stored after {account['longest_to_store']:.1f} s at longest, {len(account['endings'])} processes ended",
    )
    assert account["received"] > 0
    assert account["sent"] > 0
    assert account["wrong"] == []
