"""The console's routes about customers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from huitouke.kernel import audit
from huitouke.kernel.http import ConsoleTransaction, requires
from huitouke.kernel.masking import CONTACTS
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from huitouke.kernel.plans.reading import also_when_read_only
from huitouke.modules.customers import queries, service
from huitouke.modules.customers.schemas import (
    AllowIn,
    CustomerOut,
    CustomerPatch,
    CustomerRow,
    PhoneIn,
    PhoneOut,
    ReadingOut,
    RefuseIn,
)

router = APIRouter(prefix="/api/customers", tags=["customers"])

Search = Annotated[str | None, Query(max_length=60, description="Part of a name or remark, or a whole phone number.")]
Refusing = Annotated[bool, Query(description="Only those who get no offers.")]

Quiet = Annotated[int | None, Query(ge=1, le=3650, description="Only who was not seen for so many days.")]


@router.get("", operation_id="customers_list", dependencies=[requires("customers.view")])
async def list_customers(
    ctx: ConsoleTransaction,
    q: Search = None,
    quiet_days: Quiet = None,
    no_offers: Refusing = False,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[CustomerRow]:
    """Customers, last seen first."""
    place = queries.after_quiet(quiet_days, cursor)
    return await queries.customer_page(ctx, q, place, limit, no_offers=no_offers)


@router.get("/{customer_id}", operation_id="customers_get", dependencies=[requires("customers.view")])
async def get_customer(customer_id: UUID, ctx: ConsoleTransaction) -> CustomerOut:
    """One customer's card."""
    return await queries.customer_card(ctx, customer_id)


@router.patch("/{customer_id}", operation_id="customers_change", dependencies=[requires("customers.edit")])
async def change_customer(customer_id: UUID, body: CustomerPatch, ctx: ConsoleTransaction) -> CustomerOut:
    """Changes name or remark."""
    await service.edit(ctx, customer_id, name=body.name, remark=body.remark)
    return await queries.customer_card(ctx, customer_id)


@router.put("/{customer_id}/phone", operation_id="customers_set_phone", dependencies=[requires("customers.edit")])
async def set_phone(customer_id: UUID, body: PhoneIn, ctx: ConsoleTransaction) -> CustomerOut:
    """Enters the customer's phone number, or another one instead."""
    await service.set_phone(ctx, customer_id, body.phone)
    return await queries.customer_card(ctx, customer_id)


@router.delete("/{customer_id}/phone", operation_id="customers_remove_phone", dependencies=[requires("customers.edit")])
async def remove_phone(customer_id: UUID, ctx: ConsoleTransaction) -> CustomerOut:
    """Takes the customer's phone number away."""
    await service.remove_phone(ctx, customer_id)
    return await queries.customer_card(ctx, customer_id)


@router.post(
    "/{customer_id}/phone/reveal",
    operation_id="customers_reveal_phone",
    dependencies=[requires("customers.view"), requires(CONTACTS)],
)
@also_when_read_only
async def reveal_phone(customer_id: UUID, ctx: ConsoleTransaction) -> PhoneOut:
    """The whole number. That it was looked at stands in the log; at most 30 in ten minutes."""
    return PhoneOut(phone=await service.reveal_phone(ctx, customer_id))


@router.get(
    "/{customer_id}/readings",
    operation_id="customers_readings",
    dependencies=[requires("customers.view"), requires(audit.PERMISSION.name)],
)
async def readings(customer_id: UUID, ctx: ConsoleTransaction, limit: Limit = DEFAULT_LIMIT) -> list[ReadingOut]:
    """Who looked at what is hidden of this customer, newest first."""
    return await queries.readings(ctx, customer_id, limit)


@router.post(
    "/{customer_id}/marketing/refusals",
    operation_id="customers_refuse_marketing",
    dependencies=[requires("customers.edit")],
)
async def refuse_marketing(customer_id: UUID, body: RefuseIn, ctx: ConsoleTransaction) -> CustomerOut:
    """The customer gets no offers from now on, in no channel."""
    await service.refuse_for(ctx, customer_id, body.note)
    return await queries.customer_card(ctx, customer_id)


@router.post(
    "/{customer_id}/marketing/allowances",
    operation_id="customers_allow_marketing",
    dependencies=[requires("customers.edit")],
)
async def allow_marketing(customer_id: UUID, body: AllowIn, ctx: ConsoleTransaction) -> CustomerOut:
    """The customer may get offers again, also where they had refused themselves: hence the reason."""
    await service.allow_again(ctx, customer_id, body.reason)
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
