"""What the three roles may do: presets over the permissions that modules register."""

from collections.abc import Iterable
from typing import Final, Literal

Role = Literal["owner", "administrator", "agent"]

AGENT_VERBS: Final = frozenset({"view", "reply"})
"""An agent may look and answer …"""

AGENT_ALSO: Final = frozenset({"customers.edit"})
"""… and keep the customers' cards …"""

NOT_FOR_AGENTS: Final = frozenset({"organization.view", "audit.view", "work.view"})
"""… but not look at how the shop is run."""


def permissions_of(role: str, registered: Iterable[str]) -> frozenset[str]:
    """The registered permissions that this role has. Owners and administrators have all; they differ in staff rules."""
    if role in ("owner", "administrator"):
        return frozenset(registered)
    return frozenset(
        name
        for name in registered
        if name not in NOT_FOR_AGENTS and (name.rpartition(".")[2] in AGENT_VERBS or name in AGENT_ALSO)
    )
