"""Routes of a chat page's visitors. Nothing here asks for a permission: visitors reach their own conversation only."""

from typing import Annotated

from fastapi import APIRouter, Query

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.public_links import PublicLink
from huitouke.kernel.visitors import PAGES, page_of
from huitouke.kernel.visitors.http import ArrivingContext, PageCode, VisitorContext, VisitorTransaction
from huitouke.modules.conversations.service import hosted_pages, visiting
from huitouke.modules.conversations.service.hosted_pages import PageView
from huitouke.modules.conversations.visitor_schemas import Sent, Visit, VisitorMessageIn, VisitorMessages

router = APIRouter(prefix=f"{PAGES}/{{code}}", tags=["page"])

Number = Annotated[int | None, Query(ge=0, le=2**53)]


@router.post("/visit", operation_id="visitor_visit")
async def visit(code: PageCode, context: ArrivingContext) -> Visit:
    """Opens the page: who was there before goes on where they were, anybody else is new. Sets the page's cookie."""
    return await visiting.visit(context, await _page(context, await page_of(code)))


@router.get("/messages", operation_id="visitor_messages")
async def list_messages(
    code: PageCode, ctx: VisitorTransaction, after: Number = None, before: Number = None
) -> VisitorMessages:
    """What changed after a number (at most 500), or the 50 messages before one; the newest 50 without either."""
    link = await page_of(code)
    await hosted_pages.page_for_visitors(ctx, link.target_id)
    return await visiting.messages(ctx, after=after, before=before)


@router.post("/messages", status_code=201, operation_id="visitor_write")
async def write(code: PageCode, body: VisitorMessageIn, context: VisitorContext) -> Sent:
    """Writes a message. The answer comes over the socket, or with the next look."""
    return await visiting.write(context, await _page(context, await page_of(code)), body)


async def _page(context: Context, link: PublicLink) -> PageView:
    async with transaction(context) as ctx:
        return await hosted_pages.page_for_visitors(ctx, link.target_id)
