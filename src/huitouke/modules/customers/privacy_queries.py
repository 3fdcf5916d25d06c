"""Reads about privacy: who gets no offers, and who else handles data."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from huitouke.kernel import audit
from huitouke.kernel.context import Context
from huitouke.kernel.locales import translate
from huitouke.kernel.masking import CONTACTS, without_numbers
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of
from huitouke.kernel.processors import processors
from huitouke.modules.customers import service
from huitouke.modules.customers.models import Customer, MarketingRefusal
from huitouke.modules.customers.privacy_schemas import (
    ListFound,
    ListProblem,
    PrivacyOut,
    ProcessorOut,
    RefusalsExport,
    RefusedCustomer,
    RefusedLine,
    RefusedOut,
)
from huitouke.modules.customers.refusals_sheet import MAX_ERRORS_SHOWN
from huitouke.modules.customers.service.refusal_lists import FoundList
from huitouke.modules.organization import service as organization

EXPORT_LIMIT: Final = 10_000
"""Refusals of one export: some 3 MB."""


async def privacy(ctx: Context) -> PrivacyOut:
    """How many offers anybody gets, and who else handles data."""
    return PrivacyOut(
        marketing_per_week=await service.marketing_per_week(ctx),
        most_per_week=service.MOST_PER_WEEK,
        processors=[
            ProcessorOut(
                kind=one.kind,
                name=one.name,
                what=translate(ctx.locale, f"processors.{one.kind}{'.here' if one.here else ''}"),
                here=one.here,
            )
            for one in await processors(ctx)
        ],
    )


async def refusal_page(ctx: Context, q: str | None, cursor: str | None, limit: int) -> Page[RefusedOut]:
    """Open refusals, newest first; `q` as in the list of customers."""
    found = _open(ctx, q)
    if cursor is not None:
        (before,) = decode_cursor(cursor, UUID)
        found = found.where(MarketingRefusal.id < before)
    page = page_of(
        (await ctx.session.execute(found.limit(limit + 1))).all(), limit, lambda row: encode_cursor(row[0].id)
    )
    lines = await _lines(ctx, page.items)
    return Page(
        items=[RefusedOut(**{**line, "phone": service.shown(line["phone"])}) for line in lines],
        next_cursor=page.next_cursor,
    )


async def export_refusals(ctx: Context) -> RefusalsExport:
    """The newest open refusals, with whole numbers for who may see them. Noted."""
    rows = (await ctx.session.execute(_open(ctx, None).limit(EXPORT_LIMIT + 1))).all()
    taken = rows[:EXPORT_LIMIT]
    await audit.record(
        ctx, "customers.refusals_exported", "refusals", ctx.tenant_id, after={"entries": len(taken)}, reading=True
    )
    return RefusalsExport(items=[RefusedLine(**one) for one in await _lines(ctx, taken)], more=len(rows) > EXPORT_LIMIT)


def list_found(found: FoundList, locale: str) -> ListFound:
    """What a file holds, in words."""
    problems = found.read.problems
    return ListFound(
        file_name=found.file_name,
        numbers=len(found.read.numbers),
        known=found.known,
        rows_failed=len(problems),
        errors=[
            ListProblem(row=one.row, message=translate(locale, f"imports.row.{one.reason}", **one.params))
            for one in problems[:MAX_ERRORS_SHOWN]
        ],
    )


def _open(ctx: Context, q: str | None) -> Select[MarketingRefusal, Customer | None]:
    found = (
        select(MarketingRefusal, Customer)
        .outerjoin(
            Customer, (Customer.tenant_id == MarketingRefusal.tenant_id) & (Customer.id == MarketingRefusal.customer_id)
        )
        .where(MarketingRefusal.ended_at.is_(None))
        .order_by(MarketingRefusal.id.desc())
    )
    if not q:
        return found
    wanted = q.strip().lower()
    texts: list[Any] = [func.coalesce(Customer.name, ""), func.coalesce(Customer.remark, "")]
    if any(character.isdigit() for character in wanted) and not ctx.allows(CONTACTS):
        texts = [without_numbers(text) for text in texts]
    conditions = [func.strpos(func.lower(text), wanted) > 0 for text in texts]
    if (number := service.searched_number(q)) is not None:
        conditions.append(MarketingRefusal.phone == number)
        conditions.append(MarketingRefusal.customer_id.in_(service.with_number(ctx.tenant_id, number)))
    return found.where(or_(*conditions))


async def _lines(ctx: Context, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows of `_open` as the fields of a line, numbers whole."""
    names = await organization.staff_names(ctx, [one.staff_id for one, _ in rows if one.staff_id is not None])
    numbers = await service.phones_of_many(ctx, [customer.id for _, customer in rows if customer is not None])
    return [
        {
            "id": one.id,
            "source": one.source,
            "channel": one.channel,
            "refused_at": one.refused_at,
            "by": None if one.staff_id is None else names.get(one.staff_id),
            "note": one.note,
            "customer": None
            if customer is None
            else RefusedCustomer(id=customer.id, name=customer.remark or customer.name),
            "phone": one.phone if customer is None else numbers.get(customer.id),
        }
        for one, customer in rows
    ]
