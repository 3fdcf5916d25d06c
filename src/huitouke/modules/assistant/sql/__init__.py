"""Hand-written statements of the index, one a file."""

from functools import lru_cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent


@lru_cache
def statement(name: str) -> str:
    """The statement in `<name>.sql`."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
