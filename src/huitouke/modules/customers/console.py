"""The console's routes about customers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from huitouke.kernel.http import ConsoleTransaction, requires
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from huitouke.modules.customers import queries, service
from huitouke.modules.customers.schemas import CustomerOut, CustomerPatch, CustomerRow

router = APIRouter(prefix="/api/customers", tags=["customers"])

Search = Annotated[str | None, Query(max_length=60, description="Part of a name or remark.")]

Quiet = Annotated[int | None, Query(ge=1, le=3650, description="Only who was not seen for so many days.")]


@router.get("", operation_id="customers_list", dependencies=[requires("customers.view")])
async def list_customers(
    ctx: ConsoleTransaction,
    q: Search = None,
    quiet_days: Quiet = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[CustomerRow]:
    """Customers, last seen first."""
    return await queries.customer_page(ctx, q, queries.after_quiet(quiet_days, cursor), limit)


@router.get("/{customer_id}", operation_id="customers_get", dependencies=[requires("customers.view")])
async def get_customer(customer_id: UUID, ctx: ConsoleTransaction) -> CustomerOut:
    """One customer's card."""
    return await queries.customer_card(ctx, customer_id)


@router.patch("/{customer_id}", operation_id="customers_change", dependencies=[requires("customers.edit")])
async def change_customer(customer_id: UUID, body: CustomerPatch, ctx: ConsoleTransaction) -> CustomerOut:
    """Changes name or remark."""
    await service.edit(ctx, customer_id, name=body.name, remark=body.remark)
    return await queries.customer_card(ctx, customer_id)


@router.put(
    "/{customer_id}/followers/{staff_id}",
    status_code=204,
    operation_id="customers_add_follower",
    dependencies=[requires("customers.edit")],
)
async def add_follower(customer_id: UUID, staff_id: UUID, ctx: ConsoleTransaction) -> None:
    """Makes the customer somebody's: they follow from now on. Who sees only their own customers sees it then."""
    await service.add_follower(ctx, customer_id, staff_id)


@router.delete(
    "/{customer_id}/followers/{staff_id}",
    status_code=204,
    operation_id="customers_remove_follower",
    dependencies=[requires("customers.edit")],
)
async def remove_follower(customer_id: UUID, staff_id: UUID, ctx: ConsoleTransaction) -> None:
    """They don't follow the customer any more. A customer whom nobody follows is seen by everybody."""
    await service.remove_follower(ctx, customer_id, staff_id)
