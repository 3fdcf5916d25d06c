"""The console's routes about privacy: who gets no offers, how many others get, and who else handles data."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from huitouke.kernel.http import ConsoleContext, ConsoleTransaction, requires
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from huitouke.kernel.plans.reading import also_when_read_only
from huitouke.modules.customers import privacy_queries as queries
from huitouke.modules.customers import service
from huitouke.modules.customers.privacy_schemas import (
    ListFound,
    ListIn,
    ListTaken,
    PrivacyIn,
    PrivacyOut,
    RefusalsExport,
    RefusedOut,
)
from huitouke.modules.customers.schemas import AllowIn
from huitouke.modules.customers.service import refusal_lists

PRIVACY = "customers.privacy"

router = APIRouter(prefix="/api/privacy", tags=["privacy"], dependencies=[requires(PRIVACY)])

Search = Annotated[str | None, Query(max_length=60, description="Part of a name or remark, or a whole phone number.")]


@router.get("", operation_id="customers_privacy")
async def get_privacy(ctx: ConsoleTransaction) -> PrivacyOut:
    """How many offers anybody gets, and who else handles data."""
    return await queries.privacy(ctx)


@router.put("", operation_id="customers_change_privacy")
async def change_privacy(body: PrivacyIn, ctx: ConsoleTransaction) -> PrivacyOut:
    """Changes how many offers one person gets in seven days, over all channels."""
    await service.set_marketing_per_week(ctx, body.marketing_per_week)
    return await queries.privacy(ctx)


@router.get("/refusals", operation_id="customers_refusals")
async def list_refusals(
    ctx: ConsoleTransaction, q: Search = None, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Page[RefusedOut]:
    """Who gets no offers, newest first."""
    return await queries.refusal_page(ctx, q, cursor, limit)


@router.post("/refusals/exports", operation_id="customers_export_refusals")
@also_when_read_only
async def export_refusals(ctx: ConsoleTransaction) -> RefusalsExport:
    """The newest 10,000, to be kept elsewhere. That they were taken out stands in the log."""
    return await queries.export_refusals(ctx)


@router.post("/refusals/{refusal_id}/end", status_code=204, operation_id="customers_end_refusal")
async def end_refusal(refusal_id: UUID, body: AllowIn, ctx: ConsoleTransaction) -> None:
    """Ends one refusal; why, stands in the log."""
    await service.end_refusal(ctx, refusal_id, body.reason)


@router.post("/refusals/lists/look", operation_id="customers_look_at_list")
async def look_at_list(body: ListIn, context: ConsoleContext) -> ListFound:
    """What taking in an uploaded file would do. Nothing is changed."""
    return queries.list_found(await refusal_lists.look_at(context, body.file_id), context.locale)


@router.post("/refusals/lists", operation_id="customers_take_in_list")
async def take_in_list(body: ListIn, context: ConsoleContext) -> ListTaken:
    """The numbers of an uploaded file get no offers from now on. Doing it again adds nothing."""
    return ListTaken(added=await refusal_lists.take_in(context, body.file_id))
