"""Who does something, for which tenant, and in which transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

from huitouke.kernel.errors import PermissionMissing

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

DEFAULT_LOCALE: Final = "zh-CN"

AFTER_COMMIT: Final = "huitouke.after_commit"
"""Key in `session.info` under which a transaction keeps its commit hooks."""


class ActorKind(StrEnum):
    """Kinds of doers. An agent is always a person; the machine is the assistant."""

    STAFF = "staff"
    CUSTOMER = "customer"
    VISITOR = "visitor"
    API_KEY = "api_key"
    JOB = "job"
    ASSISTANT = "assistant"
    PLATFORM_OPERATOR = "platform_operator"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it. `id` is the id within the tenant (of staff: `staff.id`), `user_id` the sign-in behind it."""

    kind: ActorKind
    id: UUID | None = None
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AllPermissions:
    """The permissions of jobs, which people's permissions don't bind."""

    def __contains__(self, permission: object) -> bool:
        return True


Permissions: TypeAlias = frozenset[str] | AllPermissions
"""Names of what the actor may do."""


@dataclass(frozen=True, slots=True)
class DataScope:
    """Whose customers the actor sees: those of these people, and of everybody in these departments.

    What belongs to nobody yet is seen by all who may open the page.
    """

    staff_ids: frozenset[UUID] = frozenset()
    department_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class AllData:
    """Everything of the tenant: jobs, and people whose role sees all."""


ALL_DATA: Final = AllData()

Scope: TypeAlias = DataScope | AllData
"""How far the actor sees within the tenant. Permissions say what may be done, the scope with whose customers."""


class NoTransactionError(RuntimeError):
    """A service asked for the session although no transaction is open: a programming error."""


@dataclass(frozen=True, slots=True)
class Context:
    """Tenant, actor and, inside `transaction(context)`, the session. Passed first to every service function."""

    tenant_id: UUID
    actor: Actor
    permissions: Permissions = frozenset()
    scope: Scope = DataScope()
    locale: str = DEFAULT_LOCALE
    request_id: str | None = None
    causation_id: UUID | None = None
    """The event that caused this, copied into events that follow from it."""
    address: str | None = None
    """The client's network address, for the audit log."""
    lease: object | None = None
    """The lease of a runner or job, which `work.fence` holds against the database."""
    open_session: AsyncSession | None = field(default=None, repr=False, compare=False)

    @property
    def session(self) -> AsyncSession:
        """The session of the open transaction.

        Raises:
            NoTransactionError: no transaction is open.
        """
        if self.open_session is None:
            raise NoTransactionError("no transaction is open; use `async with transaction(context) as ctx`")
        return self.open_session

    def allows(self, permission: str) -> bool:
        """Whether the actor may do that."""
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Lets the actor pass who may do that.

        Raises:
            PermissionMissing: the actor may not.
        """
        if not self.allows(permission):
            raise PermissionMissing(permission=permission)

    def after_commit(self, hook: Callable[[], None]) -> None:
        """Runs `hook` once the transaction has committed, never when it is rolled back. Hooks are cheap and sync."""
        hooks: list[Callable[[], None]] = self.session.info.setdefault(AFTER_COMMIT, [])
        hooks.append(hook)

    def acting_as(self, actor: Actor) -> Context:
        """The same tenant and transaction, another doer."""
        return replace(self, actor=actor)


def job_context(tenant_id: UUID, *, locale: str = DEFAULT_LOCALE, request_id: str | None = None) -> Context:
    """The context of a job of that tenant: every permission, all data, no person."""
    return Context(
        tenant_id=tenant_id,
        actor=Actor(ActorKind.JOB),
        permissions=AllPermissions(),
        scope=ALL_DATA,
        locale=locale,
        request_id=request_id,
    )
