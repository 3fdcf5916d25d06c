"""Is it the same company? Names of entities as people type them, compared as registers mean them."""

import re
import unicodedata
from typing import Final, Literal

Likeness = Literal["same", "brackets", "different"]

_SPACES: Final = re.compile(r"\s+")


def normalised(name: str) -> str:
    """The name with half-width brackets, letters and digits and without spaces: 「上海（集团）」 is 「上海(集团)」."""
    return _SPACES.sub("", unicodedata.normalize("NFKC", name)).casefold()


def likeness(one: str, other: str) -> Likeness:
    """`brackets`: the same entity, written with other brackets, letters of another width, or spaces.

    Registers compare character by character: WeCom and the ICP filing take the two for different companies.
    """
    if one.strip() == other.strip():
        return "same"
    return "brackets" if normalised(one) == normalised(other) else "different"
