"""Reads of customers that are more than a lookup."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import DateTime, func, literal_column, or_, select, tuple_

from huitouke.kernel.context import Context
from huitouke.kernel.errors import NotFound
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of
from huitouke.modules.customers.models import Customer, CustomerIdentity
from huitouke.modules.customers.schemas import CustomerOut, CustomerRow, IdentityOut

SEEN: Final = func.coalesce(
    Customer.last_seen_at, literal_column("'1970-01-01 00:00:00+00'::timestamptz", DateTime(timezone=True))
)
"""Customers who never wrote stand last: the order of the index `ix_customers_seen`, found only by a constant."""


async def customer_page(ctx: Context, q: str | None, cursor: str | None, limit: int) -> Page[CustomerRow]:
    """Customers, last seen first; `q` is looked for in name and remark, whatever the case."""
    statement = select(Customer, SEEN.label("seen")).order_by(SEEN.desc(), Customer.id.desc()).limit(limit + 1)
    if q:
        wanted = q.strip().lower()
        statement = statement.where(
            or_(
                func.strpos(func.lower(Customer.name), wanted) > 0,
                func.strpos(func.lower(func.coalesce(Customer.remark, "")), wanted) > 0,
            )
        )
    if cursor is not None:
        at, after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        statement = statement.where(tuple_(SEEN, Customer.id) < tuple_(at, after))
    rows = (await ctx.session.execute(statement)).tuples().all()
    page = page_of(rows, limit, lambda row: encode_cursor(row[1], row[0].id))
    return Page(
        items=[CustomerRow.model_validate(row, from_attributes=True) for row, _ in page.items],
        next_cursor=page.next_cursor,
    )


async def contacts(ctx: Context) -> int:
    """How many customers there are; 100,000 are counted in some 15 ms, hence never for every message."""
    return await ctx.session.scalar(select(func.count(Customer.id))) or 0


async def customer_card(ctx: Context, customer_id: UUID) -> CustomerOut:
    """One customer with all identities. Raises NotFound."""
    customer = await ctx.session.scalar(select(Customer).where(Customer.id == customer_id))
    if customer is None:
        raise NotFound(kind="customer")
    identities = await ctx.session.scalars(
        select(CustomerIdentity).where(CustomerIdentity.customer_id == customer_id).order_by(CustomerIdentity.id)
    )
    row = CustomerRow.model_validate(customer, from_attributes=True)
    return CustomerOut(
        **row.model_dump(),
        version=customer.version,
        identities=[IdentityOut(kind=one.kind, issuer=one.issuer, value=one.value) for one in identities],
    )
