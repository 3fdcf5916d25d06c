"""The hook through which one module (organization) says what a user may do in a tenant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from huitouke.kernel.context import ALL_DATA, Context, Scope


@dataclass(frozen=True, slots=True)
class Granted:
    """What a user is and may do in one tenant."""

    staff_id: UUID
    display_name: str
    role: str
    permissions: frozenset[str]
    scope: Scope = ALL_DATA


AccessResolver: TypeAlias = Callable[[Context, UUID], Awaitable[Granted | None]]
"""`(context with an open transaction of the tenant, user id)` → what is granted; None when nothing (any more)."""


class NoResolverError(RuntimeError):
    """No module offers an access resolver, so nobody can be let in."""


_resolver: AccessResolver | None = None


def use_resolver(resolver: AccessResolver | None) -> None:
    """Makes that the resolver of this process; called once at start with the modules' one."""
    global _resolver
    _resolver = resolver


def current_resolver() -> AccessResolver:
    """The resolver of this process.

    Raises:
        NoResolverError: none was given.
    """
    if _resolver is None:
        raise NoResolverError("no loaded module offers an access resolver")
    return _resolver
