"""FastAPI dependencies of the visitors' routes. A console's cookie is never read here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import structlog
from fastapi import Depends, Path, Request, Response, Security
from fastapi.security import APIKeyCookie

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.http.dependencies import client_address
from huitouke.kernel.visitors.tokens import (
    LIFETIME,
    VISITOR_COOKIE,
    Visitor,
    make_visitor_token,
    new_visitor,
    open_visitor_token,
)
from huitouke.kernel.visitors.visits import CODE, PAGES, context_of, page_of, visitor_context

_cookie = APIKeyCookie(name=VISITOR_COOKIE, scheme_name="visitor", auto_error=False)

PageCode = Annotated[str, Path(pattern=f"^{CODE}$", description="Of the page's address.")]


async def visiting(request: Request, code: PageCode, token: Annotated[str | None, Security(_cookie)]) -> Context:
    """The visitor whose cookie came with the request.

    Raises:
        Unauthenticated: nobody has begun to visit this page with this browser.
        PageGone, PageNotOpen: there is no such page (any more), or its shop is not open.
    """
    context = await visitor_context(
        code,
        token,
        locale=request.state.locale,
        request_id=request.state.request_id,
        address=client_address(request),
    )
    structlog.contextvars.bind_contextvars(tenant_id=str(context.tenant_id), visitor_id=str(context.actor.id))
    return context


async def visiting_transaction(context: Annotated[Context, Depends(visiting)]) -> AsyncIterator[Context]:
    """The same with an open transaction of the page's tenant."""
    async with transaction(context) as ctx:
        yield ctx


async def arriving(
    request: Request, response: Response, code: PageCode, token: Annotated[str | None, Security(_cookie)]
) -> Context:
    """Whoever opens the page: who was there before is known by the cookie, anybody else becomes a new visitor.

    Either gets a fresh cookie, bound to this page's path. Nothing is stored. Raises PageGone, PageNotOpen.
    """
    link = await page_of(code)
    known = open_visitor_token(token)
    if known is None or (known.tenant_id, known.page_id) != (link.tenant_id, link.target_id):
        known = new_visitor(link.tenant_id, link.target_id)
    _give(request, response, code, known)
    structlog.contextvars.bind_contextvars(tenant_id=str(known.tenant_id), visitor_id=str(known.id))
    return context_of(
        known, locale=request.state.locale, request_id=request.state.request_id, address=client_address(request)
    )


def _give(request: Request, response: Response, code: str, visitor: Visitor) -> None:
    response.set_cookie(
        VISITOR_COOKIE,
        make_visitor_token(visitor).value,
        max_age=int(LIFETIME.total_seconds()),
        path=f"{PAGES}/{code}",
        secure=request.app.state.settings.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )


ArrivingContext = Annotated[Context, Depends(arriving)]
"""Whoever opens the page, known or new, without a transaction."""

VisitorContext = Annotated[Context, Depends(visiting)]
"""A visitor, without a transaction."""

VisitorTransaction = Annotated[Context, Depends(visiting_transaction, scope="function")]
"""A visitor with an open transaction that commits before the response is sent."""
