"""From a page's address and a visitor's cookie to the context of what the visitor does."""

from __future__ import annotations

import re
from typing import Final

from huitouke.kernel.context import ALL_DATA, DEFAULT_LOCALE, Actor, ActorKind, Context
from huitouke.kernel.errors import NotFound, PermissionMissing, Unauthenticated
from huitouke.kernel.public_links import PublicLink, resolve_public_link
from huitouke.kernel.visitors.tokens import Visitor, open_visitor_token

LINK_KIND: Final = "page"
PAGES: Final = "/visitor/api/pages"
"""Below it, each page has a path of its own, to which its cookie is bound: two pages of one host share nothing."""

CODE: Final = r"[0-9a-z]{6,40}"
PATH: Final = re.compile(rf"{PAGES}/({CODE})/realtime")
"""Where the live socket of a page's visitors is."""


class PageGone(NotFound):
    """There is no page at this address (any more)."""

    type = "visitors.page_gone"


class PageNotOpen(PermissionMissing):
    """The shop of this page doesn't take customers at present; why is its own affair."""

    type = "visitors.page_not_open"


async def page_of(code: str) -> PublicLink:
    """The page of that code.

    Raises:
        PageGone: there is none.
        PageNotOpen: its tenant is suspended or closed.
    """
    link = await resolve_public_link(LINK_KIND, code)
    if link is None:
        raise PageGone
    if not link.open:
        raise PageNotOpen
    return link


async def visitor_context(
    code: str,
    token: str | None,
    *,
    locale: str = DEFAULT_LOCALE,
    request_id: str | None = None,
    address: str | None = None,
) -> Context:
    """The context of whoever holds the token, on the page of that code.

    Raises:
        Unauthenticated: no token, or one of another page or tenant.
        PageGone, PageNotOpen: as `page_of`.
    """
    visitor = open_visitor_token(token)
    if visitor is None:
        raise Unauthenticated
    link = await page_of(code)
    if (visitor.tenant_id, visitor.page_id) != (link.tenant_id, link.target_id):
        raise Unauthenticated
    return context_of(visitor, locale=locale, request_id=request_id, address=address)


def context_of(
    visitor: Visitor, *, locale: str = DEFAULT_LOCALE, request_id: str | None = None, address: str | None = None
) -> Context:
    """What the visitor does, with no permission at all.

    The scope of staff (whose customers one sees) doesn't bind visitors: a colleague may follow them. They reach nothing
    but through functions that ask for the actor's own conversation.
    """
    return Context(
        tenant_id=visitor.tenant_id,
        actor=Actor(ActorKind.VISITOR, id=visitor.id),
        permissions=frozenset(),
        scope=ALL_DATA,
        locale=locale,
        request_id=request_id,
        address=address,
    )
