"""The developer guide shows code that exists: each of its blocks stands, to the letter, in the file it names."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "developing.md").read_text()
BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```\w", re.MULTILINE)


def test_every_block_names_its_file() -> None:
    assert len(BLOCK.findall(GUIDE)) == len(FENCE.findall(GUIDE)) > 5


def test_every_block_stands_in_its_file() -> None:
    gone = [name for name, code in BLOCK.findall(GUIDE) if code not in (ROOT / name).read_text()]
    assert not gone
