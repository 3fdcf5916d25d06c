"""Reads of customers that are more than a lookup."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, Subquery, case, func, literal_column, or_, select, tuple_

from huitouke.kernel import clock
from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.context import Context, DataScope
from huitouke.kernel.errors import NotFound
from huitouke.kernel.masking import CONTACTS, without_numbers
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of
from huitouke.kernel.scoping import OF_A_FOUND_ROW
from huitouke.kernel.windows import Narrowed, narrowed
from huitouke.modules.customers import service
from huitouke.modules.customers.models import Customer, CustomerFollower, CustomerIdentity, MarketingRefusal
from huitouke.modules.customers.schemas import (
    CustomerOut,
    CustomerRow,
    FollowerOut,
    IdentityOut,
    ReadingOut,
    RefusalOut,
)
from huitouke.modules.customers.service import MAX_FOLLOWERS, customers_within
from huitouke.modules.organization import service as organization

NEVER: Final = literal_column("'1970-01-01 00:00:00+00'::timestamptz", DateTime(timezone=True))
"""Customers who never wrote stand last. As a constant of the statement: with a parameter the index isn't found."""

LAST_ID: Final = UUID(int=2**128 - 1)
"""Behind which no id stands."""
MAX_REFUSALS_SHOWN: Final = 50

Place = tuple[datetime, UUID]


def seen(columns: Any) -> ColumnElement[datetime]:
    """When the customer was last seen: the order of the index `ix_customers_seen_order`.

    CASE, not coalesce: under row-level security PostgreSQL lets an index answer only what can't leak, and of the two it
    knows CASE alone to be so; a page deep in the list would walk there from its beginning.
    """
    return case((columns.last_seen_at.is_(None), NEVER), else_=columns.last_seen_at)


SEEN: Final = seen(Customer)


async def customer_page(
    ctx: Context, q: str | None, cursor: str | None, limit: int, *, no_offers: bool = False
) -> Page[CustomerRow]:
    """Customers, last seen first; `q` is looked for in name and remark, whatever the case, and as a whole number.

    Who may not see numbers doesn't find them by their parts either.
    """
    place = None if cursor is None else decode_cursor(cursor, datetime.fromisoformat, UUID)
    rows: Sequence[Any]
    if q or no_offers or not isinstance(ctx.scope, DataScope):
        found = _walked(ctx, q, place)
        if no_offers:
            found = found.where(refusing(ctx.tenant_id))
        rows = (await ctx.session.execute(found.limit(limit + 1))).all()
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
    of_customer = select(CustomerIdentity).where(CustomerIdentity.customer_id == customer_id)
    found = await ctx.session.scalars(of_customer.order_by(CustomerIdentity.id), execution_options=OF_A_FOUND_ROW)
    identities = found.all()
    row = CustomerRow.model_validate(customer, from_attributes=True)
    return CustomerOut(
        **dict(row),
        version=customer.version,
        identities=[
            IdentityOut(kind=one.kind, issuer=one.issuer, value=one.value) for one in identities if one.kind != "phone"
        ],
        phone=service.shown(next((one.value for one in identities if one.kind == "phone"), None)),
        marketing_refusals=await open_refusals(ctx, customer_id),
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


async def open_refusals(ctx: Context, customer_id: UUID) -> list[RefusalOut]:
    """Why a customer found in scope gets no offers: refusals of the customer, and of their numbers."""
    numbers = select(CustomerIdentity.value).where(
        CustomerIdentity.customer_id == customer_id, CustomerIdentity.kind == "phone"
    )
    rows = (
        await ctx.session.scalars(
            select(MarketingRefusal)
            .where(
                or_(MarketingRefusal.customer_id == customer_id, MarketingRefusal.phone.in_(numbers)),
                MarketingRefusal.ended_at.is_(None),
            )
            .order_by(MarketingRefusal.id)
            .limit(MAX_REFUSALS_SHOWN),
            execution_options=OF_A_FOUND_ROW,
        )
    ).all()
    names = await organization.staff_names(ctx, [row.staff_id for row in rows if row.staff_id is not None])
    return [
        RefusalOut(
            id=row.id,
            source=row.source,
            channel=row.channel,
            refused_at=row.refused_at,
            by=None if row.staff_id is None else names.get(row.staff_id),
            note=row.note,
        )
        for row in rows
    ]


def refusing(tenant_id: UUID) -> ColumnElement[bool]:
    """Customers who get no offers. The list of those who refused is read once, and is short beside all customers."""
    refused, of_number, having = (
        table.__table__.alias(name)
        for table, name in (
            (MarketingRefusal, "refused"),
            (MarketingRefusal, "of_number"),
            (CustomerIdentity, "having"),
        )
    )
    by_person = select(refused.c.customer_id).where(
        refused.c.tenant_id == tenant_id, refused.c.ended_at.is_(None), refused.c.customer_id.is_not(None)
    )
    by_number = (
        select(having.c.customer_id)
        .join(of_number, (of_number.c.tenant_id == having.c.tenant_id) & (of_number.c.phone == having.c.value))
        .where(having.c.tenant_id == tenant_id, having.c.kind == "phone", of_number.c.ended_at.is_(None))
    )
    return Customer.id.in_(by_person.union_all(by_number))


async def readings(ctx: Context, customer_id: UUID, limit: int) -> list[ReadingOut]:
    """Who looked at what is hidden of the customer, newest first. Raises NotFound."""
    if await ctx.session.scalar(select(Customer.id).where(Customer.id == customer_id)) is None:
        raise NotFound(kind="customer")
    rows = (
        await ctx.session.scalars(
            select(AuditEntry)
            .where(
                AuditEntry.object_kind == "customer",
                AuditEntry.object_id == str(customer_id),
                AuditEntry.reading,
            )
            .order_by(AuditEntry.id.desc())
            .limit(limit)
        )
    ).all()
    names = await organization.staff_names(ctx, [row.actor_id for row in rows if row.actor_id is not None])
    return [
        ReadingOut(
            id=row.id,
            at=row.occurred_at,
            by="" if row.actor_id is None else names.get(row.actor_id, ""),
            action=row.action,
        )
        for row in rows
    ]


def _walked(ctx: Context, q: str | None, place: Place | None) -> Select[Customer, datetime]:
    """The list in its order, from the index."""
    statement = select(Customer, SEEN.label("seen")).order_by(SEEN.desc(), Customer.id.desc())
    if q:
        wanted = q.strip().lower()
        texts: list[Any] = [Customer.name, func.coalesce(Customer.remark, "")]
        if any(character.isdigit() for character in wanted) and not ctx.allows(CONTACTS):
            texts = [without_numbers(text) for text in texts]
        found = [func.strpos(func.lower(text), wanted) > 0 for text in texts]
        if (number := service.searched_number(q)) is not None:
            found.append(Customer.id.in_(service.with_number(ctx.tenant_id, number)))
        statement = statement.where(or_(*found))
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
