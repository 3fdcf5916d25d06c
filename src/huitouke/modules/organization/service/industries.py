"""What kinds of shops there are, what each is asked about itself once, and who prepares a shop with it.

Other modules bring their part (knowledge, texts, …) through registries: this module knows none of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from huitouke.kernel.context import Context

INDUSTRY_PARTS: Final = "organization.industry_parts"
"""Registry of `IndustryPart`: what a module prepares for a shop of some industry."""

CHAT_DOORS: Final = "organization.chat_doors"
"""Registry of `ChatDoor`: where customers write without an account of WeChat's or WeCom's. The first one counts."""


@dataclass(frozen=True, slots=True)
class Industry:
    """A kind of shop; its label is the text `industries.<key>`, `industries.<key>.hint` says who is meant.

    `facts`: what it is asked about itself, in this order; labels `facts.<fact>`, examples `facts.<fact>.example` or,
    where an industry needs another, `facts.<fact>.example.<key>`. `icon` names a drawing of the console.
    """

    key: str
    icon: str
    facts: tuple[str, ...]


INDUSTRIES: Final = (
    Industry("restaurant", "food", ("address", "hours", "phone", "signature", "delivery", "booking", "parking")),
    Industry("ecommerce", "parcel", ("hours", "phone", "ships", "carrier", "postage", "returns")),
    Industry("beauty", "scissors", ("address", "hours", "phone", "services", "booking", "cancellation", "parking")),
    Industry("housekeeping", "home", ("area", "hours", "phone", "services", "booking", "payment", "cancellation")),
    Industry("education", "school", ("address", "hours", "phone", "courses", "ages", "trial", "refund")),
)

BY_KEY: Final[Mapping[str, Industry]] = {industry.key: industry for industry in INDUSTRIES}

INDUSTRY_KEYS: Final = tuple(BY_KEY)


@dataclass(frozen=True, slots=True)
class Shop:
    """What is known of a shop that is prepared: facts by key, those that nobody told are missing."""

    name: str
    industry: str
    facts: Mapping[str, str]


IndustryPart: TypeAlias = Callable[[Context, Shop], Awaitable[None]]
"""`(context with an open transaction, shop)`: prepares the module's part. Called again when facts or the industry
change: it adds and fills in anew, and never overwrites what a person edited."""


@dataclass(frozen=True, slots=True)
class ChatDoor:
    """A page on which customers write: `open` makes it ready, `look` gives its address, None where there is none yet.

    Both take a context with an open transaction; opening it again leaves what a person changed on it.
    """

    open: Callable[[Context, Shop], Awaitable[str]]
    look: Callable[[Context], Awaitable[str | None]]
