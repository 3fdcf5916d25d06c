"""FastAPI dependencies of the console's routes.

`ConsoleTransaction` commits after the route's function and before the response is sent (`scope="function"`), so that
nobody is told of a success that the database then refuses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, Header, Request, Security
from fastapi.security import APIKeyCookie

from huitouke.kernel.access import SESSION_COOKIE, SignedIn, resolve_session
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.masking import read_by
from huitouke.kernel.modules import Modules
from huitouke.kernel.plans.reading import refuse_when_read_only

MAX_IDEMPOTENCY_KEY_CHARACTERS: Final = 100

_session_cookie = APIKeyCookie(name=SESSION_COOKIE, scheme_name="session", auto_error=False)


async def signed_in_person(request: Request, token: Annotated[str | None, Security(_session_cookie)]) -> SignedIn:
    """The person whose session cookie came with the request; from here on errors speak the person's language.

    Raises:
        Unauthenticated: nobody is signed in.
        TenantReadOnly: it would change something, and the time of the tenant's plan is over.
    """
    person = await resolve_session(token)
    request.state.locale = person.locale
    structlog.contextvars.bind_contextvars(tenant_id=str(person.tenant_id), user_id=str(person.user_id))
    await refuse_when_read_only(person.tenant_id, request.method, request.scope.get("endpoint"))
    return person


async def console_context(request: Request, person: Annotated[SignedIn, Depends(signed_in_person)]) -> Context:
    """The context of the signed-in person, without a transaction."""
    context = person.context(request_id=request.state.request_id, address=client_address(request))
    read_by(context.permissions)
    return context


async def console_transaction(
    context: Annotated[Context, Depends(console_context)],
) -> AsyncIterator[Context]:
    """The same with an open transaction of the person's tenant."""
    async with transaction(context) as ctx:
        yield ctx


async def loaded_modules(request: Request) -> Modules:
    """The modules that this application was put together from."""
    modules: Modules = request.app.state.modules
    return modules


ConsolePerson = Annotated[SignedIn, Depends(signed_in_person)]
"""Who is signed in: names, tenant, role, permissions."""

ConsoleContext = Annotated[Context, Depends(console_context)]
"""Signed-in staff, no transaction: for routes that call the outside between transactions of their own."""

ConsoleTransaction = Annotated[Context, Depends(console_transaction, scope="function")]
"""Signed-in staff with an open transaction that commits before the response is sent."""

LoadedModules = Annotated[Modules, Depends(loaded_modules)]
"""The loaded modules."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=MAX_IDEMPOTENCY_KEY_CHARACTERS,
        description="Chosen by the caller; the same key never does the same thing twice.",
    ),
]


def requires(permission: str, *others: str) -> Any:
    """For `dependencies=[…]` of a route: lets in only people with that permission, before any transaction opens.

    Where there are others, any one of them is enough.

    Raises:
        PermissionMissing: the person lacks it.
    """
    return Depends(_checker(permission, others))


def _checker(permission: str, others: tuple[str, ...]) -> Callable[[Context], Awaitable[None]]:
    async def check(context: Annotated[Context, Depends(console_context)]) -> None:
        if not any(map(context.allows, others)):
            context.require(permission)

    return check


def client_address(request: Request) -> str | None:
    """The caller's network address; behind a proxy the one that uvicorn took from X-Forwarded-For."""
    return request.client.host if request.client is not None else None
