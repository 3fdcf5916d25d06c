"""Reads of customers that are more than a lookup."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, Subquery, case, func, literal_column, or_, select, tuple_

from huitouke.kernel import clock
from huitouke.kernel.context import Context, DataScope
from huitouke.kernel.errors import NotFound
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of
from huitouke.kernel.scoping import OF_A_FOUND_ROW
from huitouke.kernel.windows import Narrowed, narrowed
from huitouke.modules.customers.models import Customer, CustomerFollower, CustomerIdentity
from huitouke.modules.customers.schemas import CustomerOut, CustomerRow, FollowerOut, IdentityOut
from huitouke.modules.customers.service import MAX_FOLLOWERS, customers_within
from huitouke.modules.organization import service as organization

NEVER: Final = literal_column("'1970-01-01 00:00:00+00'::timestamptz", DateTime(timezone=True))
"""Customers who never wrote stand last. As a constant of the statement: with a parameter the index isn't found."""

LAST_ID: Final = UUID(int=2**128 - 1)
"""Behind which no id stands."""

Place = tuple[datetime, UUID]


def seen(columns: Any) -> ColumnElement[datetime]:
    """When the customer was last seen: the order of the index `ix_customers_seen_order`.

    CASE, not coalesce: under row-level security PostgreSQL lets an index answer only what can't leak, and of the two it
    knows CASE alone to be so; a page deep in the list would walk there from its beginning.
    """
    return case((columns.last_seen_at.is_(None), NEVER), else_=columns.last_seen_at)


SEEN: Final = seen(Customer)


async def customer_page(ctx: Context, q: str | None, cursor: str | None, limit: int) -> Page[CustomerRow]:
    """Customers, last seen first; `q` is looked for in name and remark, whatever the case."""
    place = None if cursor is None else decode_cursor(cursor, datetime.fromisoformat, UUID)
    rows: Sequence[Any]
    if q or not isinstance(ctx.scope, DataScope):
        rows = (await ctx.session.execute(_walked(q, place).limit(limit + 1))).all()
    else:
        rows = await narrowed(ctx, _within(ctx.tenant_id, ctx.scope, place, limit), _of_window, limit)
    page = page_of(rows, limit, lambda row: encode_cursor(row[1], row[0].id))
    return Page(
        items=[CustomerRow.model_validate(row, from_attributes=True) for row, _ in page.items],
        next_cursor=page.next_cursor,
    )


def after_quiet(days: int | None, cursor: str | None) -> str | None:
    """The cursor of a list that begins with who was not seen for so many days: the list is in that order."""
    if days is None or cursor is not None:
        return cursor
    return encode_cursor(clock.now() - timedelta(days=days), LAST_ID)


async def contacts(ctx: Context) -> int:
    """How many customers there are; 100,000 are counted in some 15 ms, hence never for every message."""
    return await ctx.session.scalar(select(func.count(Customer.id))) or 0


async def customer_card(ctx: Context, customer_id: UUID) -> CustomerOut:
    """One customer with all identities and followers. Raises NotFound."""
    customer = await ctx.session.scalar(select(Customer).where(Customer.id == customer_id))
    if customer is None:
        raise NotFound(kind="customer")
    identities = await ctx.session.scalars(
        select(CustomerIdentity).where(CustomerIdentity.customer_id == customer_id).order_by(CustomerIdentity.id),
        execution_options=OF_A_FOUND_ROW,
    )
    row = CustomerRow.model_validate(customer, from_attributes=True)
    return CustomerOut(
        **row.model_dump(),
        version=customer.version,
        identities=[IdentityOut(kind=one.kind, issuer=one.issuer, value=one.value) for one in identities],
        followers=await followers(ctx, customer_id),
    )


async def followers(ctx: Context, customer_id: UUID) -> list[FollowerOut]:
    """Who follows a customer found in scope, the first ones first; those who took them of themselves may be many."""
    rows = (
        await ctx.session.scalars(
            select(CustomerFollower)
            .where(CustomerFollower.customer_id == customer_id)
            .order_by(CustomerFollower.since, CustomerFollower.staff_id)
            .limit(MAX_FOLLOWERS),
            execution_options=OF_A_FOUND_ROW,
        )
    ).all()
    names = await organization.staff_names(ctx, [row.staff_id for row in rows])
    return [FollowerOut(id=row.staff_id, name=names[row.staff_id], since=row.since) for row in rows]


def _walked(q: str | None, place: Place | None) -> Select[Customer, datetime]:
    """The list in its order, from the index."""
    statement = select(Customer, SEEN.label("seen")).order_by(SEEN.desc(), Customer.id.desc())
    if q:
        wanted = q.strip().lower()
        statement = statement.where(
            or_(
                func.strpos(func.lower(Customer.name), wanted) > 0,
                func.strpos(func.lower(func.coalesce(Customer.remark, "")), wanted) > 0,
            )
        )
    if place is not None:
        statement = statement.where(tuple_(SEEN, Customer.id) < tuple_(*place))
    return statement


def _within(tenant_id: UUID, scope: DataScope, place: Place | None, limit: int) -> Narrowed:
    """The two ways to a page for who sees some of 200,000 customers; both give ids with their place in the order."""
    newest, nobodys, theirs = (Customer.__table__.alias(name) for name in ("newest", "nobodys", "theirs"))

    def ids(table: Any) -> Select[Any]:
        at = seen(table.c)
        found = select(table.c.id, at.label("seen")).where(table.c.tenant_id == tenant_id)
        return found if place is None else found.where(tuple_(at, table.c.id) < tuple_(*place))

    def in_order(table: Any, found: Select[Any]) -> Select[Any]:
        return found.order_by(seen(table.c).desc(), table.c.id.desc())

    unfollowed = in_order(nobodys, ids(nobodys).where(~nobodys.c.followed)).limit(limit + 1).subquery()
    followed = ids(theirs).where(theirs.c.id.in_(customers_within(tenant_id, scope))).offset(0).subquery()
    both = select(unfollowed).union_all(select(followed)).subquery("both")
    return Narrowed(
        walked=in_order(newest, ids(newest)),
        from_scope=select(both).order_by(both.c.seen.desc(), both.c.id.desc()),
    )


def _of_window(window: Subquery) -> Select[Any]:
    return (
        select(Customer, window.c.seen)
        .join(window, window.c.id == Customer.id)
        .order_by(window.c.seen.desc(), window.c.id.desc())
    )
