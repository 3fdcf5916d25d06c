"""One prerequisite of going live, and the list of all.

Texts are the contributing module's: `prerequisites.<name>`, `.why` and `.how`, and `prerequisites.ask.<value>` for what
it asks for.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Final, Literal

from huitouke.kernel.context import Context
from huitouke.kernel.errors import NotFound
from huitouke.kernel.modules import load_modules

PREREQUISITES: Final = "organization.prerequisites"
"""Registry of `Prerequisite`."""

Group = Literal["company", "wecom", "reach", "more"]
Who = Literal["owner", "administrator", "technician", "provider", "accountant"]
Cost = Literal["free", "yearly_fee", "usage", "price"]
Feature = Literal["chat", "staff_desk", "customers", "sign_in", "notices", "payments", "archive", "sms"]

MAX_VALUE_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Usual:
    """How many days it usually takes, as somebody saw it on that date. A shop enters its own figure beside it."""

    days: int
    as_of: date


@dataclass(frozen=True, slots=True)
class Asked:
    """A value that belongs to an entry. `secret`: taken in once and never shown again."""

    name: str
    secret: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """What a live check found. `mistake` is a name of the table of mistakes, with the values of its sentence."""

    state: Literal["ok", "failed", "waiting"]
    mistake: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


Check = Callable[[Context, Mapping[str, str]], Awaitable[Found]]
"""`(context without a transaction, what was entered) → what was found`."""

Take = Callable[[Context, Mapping[str, str]], Awaitable[None]]
"""Does something with what was entered, in the open transaction. Raises the problems of what it does."""


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """`after`: what has to be done before it can be begun. `features`: what can't be used without it.

    Without `check` a person says that it is done. Values marked secret reach `take` alone and are kept nowhere else.
    """

    name: str
    group: Group
    who: Who
    cost: Cost
    usual: Usual
    after: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()
    asks: tuple[Asked, ...] = ()
    check: Check | None = None
    take: Take | None = None


@lru_cache(maxsize=1)
def prerequisites() -> Mapping[str, Prerequisite]:
    """All of them by name, each after those that it waits for.

    Raises ValueError for a name that is taken, one that is not there, and a circle.
    """
    listed: list[Prerequisite] = load_modules().extensions(PREREQUISITES)
    known = {one.name: one for one in listed}
    if len(known) != len(listed):
        raise ValueError("two prerequisites have the same name")
    ordered: dict[str, Prerequisite] = {}
    while len(ordered) < len(known):
        ready = [one for one in listed if one.name not in ordered and all(name in ordered for name in one.after)]
        if not ready:
            missing = sorted(set(known) - set(ordered))
            raise ValueError(f"prerequisites that wait for each other, or for one that isn't there: {missing}")
        ordered |= {one.name: one for one in ready}
    return ordered


def prerequisite(name: str) -> Prerequisite:
    """The prerequisite of that name. Raises NotFound."""
    found = prerequisites().get(name)
    if found is None:
        raise NotFound(kind="prerequisite")
    return found
