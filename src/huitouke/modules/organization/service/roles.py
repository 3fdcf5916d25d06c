"""What a role may do: presets over the permissions that modules register, and the merchant's own choices of them."""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias
from uuid import UUID

from huitouke.kernel.modules import Modules

PresetName: TypeAlias = Literal["owner", "administrator", "manager", "operator", "agent", "analyst", "cashier"]

PRESET_NAMES: Final[tuple[PresetName, ...]] = (
    "owner",
    "administrator",
    "manager",
    "operator",
    "agent",
    "analyst",
    "cashier",
)

OWN: Final = "own"
"""Stands in `staff.role` for a role that the merchant made."""

EVERYTHING: Final = frozenset({"owner", "administrator"})
"""They have all permissions, those of modules yet to come included; they differ in staff rules."""

RoleKey: TypeAlias = PresetName | UUID
"""By what a role is named: a preset by its name, an own one by its id."""


def permissions_of(role: str, modules: Modules, own: Iterable[str] = ()) -> frozenset[str]:
    """The registered permissions of a preset or, for `own`, those among the ones that its row names."""
    if role in EVERYTHING:
        return modules.permissions()
    if role == OWN:
        return modules.permissions().intersection(own)
    return frozenset(one.name for module in modules for one in module.permissions if role in one.presets)
