"""An expired tenant reads and takes out; it changes nothing. The rule stands once, before every console operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar
from uuid import UUID

from huitouke.kernel import clock
from huitouke.kernel.plans.problems import TenantReadOnly
from huitouke.kernel.plans.standing import standing_of_tenant

UNSAFE_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

F = TypeVar("F", bound=Callable[..., Any])

_also_expired: set[Callable[..., Any]] = set()


def also_when_read_only(function: F) -> F:
    """Marks a route's function: it changes something, and yet is for expired tenants too.

    That is what guards the person's own account, takes data out, ends a visit, and pays.
    """
    _also_expired.add(function)
    return function


async def refuse_when_read_only(tenant_id: UUID, method: str, endpoint: object) -> None:
    """Lets pass what only reads, what is marked, and everybody whose plan has time left.

    Raises:
        TenantReadOnly: the plan's time is over.
    """
    if method not in UNSAFE_METHODS or endpoint in _also_expired:
        return
    if (await standing_of_tenant(tenant_id)).read_only(clock.now()):
        raise TenantReadOnly
