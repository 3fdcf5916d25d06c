"""Who is not to be sent offers, and how many offers a week anybody gets: kept here, and asked by everything that sends.

A refusal is of a customer, or of a phone number that need not be anybody's. A number stands for the customer who has
it, and a customer for all their numbers. Whoever refuses holds the row by which the check goes through, so that
after a refusal has committed nothing leaves any more.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import audit, clock, realtime
from huitouke.kernel.context import ActorKind, Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.events import emit_many
from huitouke.kernel.ids import new_id
from huitouke.kernel.outreach import Purpose, Recipient
from huitouke.modules.customers import sql
from huitouke.modules.customers.events import MarketingAllowed, MarketingRefused
from huitouke.modules.customers.models import Customer, CustomerIdentity, MarketingRefusal, PrivacySettings

RefusalSource = Literal["customer_page", "customer_words", "sms_reply", "staff", "import"]

OWN_WORDS: Final = frozenset({"customer_page", "customer_words", "sms_reply"})
"""Sources that are the customer's own will."""

ALL_CHANNELS: Final = "all"
MAX_NOTE_CHARACTERS: Final = 200
MAX_REFUSALS_AT_ONCE: Final = 500
"""Each is held until the transaction ends, in a table of locks that all share."""

WEEK: Final = timedelta(days=7)
PER_WEEK: Final = 3
"""Offers that one person gets in seven days, over all channels, until the shop chooses."""
MOST_PER_WEEK: Final = 50

REFUSED: Final = "refused_marketing"
ENOUGH: Final = "marketing_cap"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody wants no offers: a customer, or a number (E.164)."""

    source: RefusalSource
    customer_id: UUID | None = None
    phone: str | None = None
    channel: str = ALL_CHANNELS
    note: str | None = None


async def refuse_marketing(ctx: Context, refusals: Sequence[Refusal]) -> int:
    """From now on these people get no offers; gives how many of the refusals are new.

    The caller has found the customers within the actor's scope; who is gone is left out. Four statements, and one row
    each of 100 bytes.
    """
    if len(refusals) > MAX_REFUSALS_AT_ONCE:
        raise ValueError(f"{len(refusals)} refusals at once, at most {MAX_REFUSALS_AT_ONCE}")
    if not refusals:
        return 0
    await _hold(ctx, [Recipient(one.customer_id, one.phone) for one in refusals])
    raw = await connection(ctx)
    wanted = [one.customer_id for one in refusals if one.customer_id is not None]
    there = {row["id"] for row in await raw.fetch(sql.LOCK_CUSTOMERS, ctx.tenant_id, wanted)}
    made = {new_id(): one for one in refusals if one.customer_id is None or one.customer_id in there}
    rows = await raw.fetch(
        sql.OPEN_REFUSALS,
        ctx.tenant_id,
        list(made),
        [one.customer_id for one in made.values()],
        [one.phone for one in made.values()],
        [one.channel for one in made.values()],
        [one.source for one in made.values()],
        [one.note for one in made.values()],
        clock.now(),
        ctx.actor.id if ctx.actor.kind is ActorKind.STAFF else None,
    )
    new = [made[row["id"]] for row in rows]
    await _refused(ctx, new)
    return len(new)


async def refuse_for(ctx: Context, customer_id: UUID, note: str | None) -> None:
    """Staff enter that a customer wants no offers. Raises NotFound, InvalidInput."""
    await _seen(ctx, customer_id)
    await refuse_marketing(ctx, [Refusal("staff", customer_id, note=_cleaned(note, "note") or None)])


async def allow_again(ctx: Context, customer_id: UUID, reason: str) -> int:
    """Ends whatever refusal concerns the customer, their own words included: hence not without a reason.

    Gives how many ended. Raises NotFound, InvalidInput.
    """
    await _seen(ctx, customer_id)
    await _hold(ctx, [Recipient(customer_id)])
    numbers = await phones_of(ctx, customer_id)
    return await _end(
        ctx, or_(MarketingRefusal.customer_id == customer_id, MarketingRefusal.phone.in_(numbers)), reason
    )


async def end_refusal(ctx: Context, refusal_id: UUID, reason: str) -> None:
    """Ends one refusal of the list, e.g. of a number that was mistyped. Raises NotFound, InvalidInput."""
    row = await ctx.session.scalar(
        select(MarketingRefusal).where(MarketingRefusal.id == refusal_id, MarketingRefusal.ended_at.is_(None))
    )
    if row is None:
        raise NotFound(kind="refusal")
    await _hold(ctx, [Recipient(row.customer_id, row.phone)])
    await _end(ctx, MarketingRefusal.id == refusal_id, reason)


async def marketing_per_week(ctx: Context) -> int:
    """How many offers one person gets in seven days, over all channels."""
    chosen = await ctx.session.scalar(select(PrivacySettings.marketing_per_week))
    return PER_WEEK if chosen is None else chosen


async def set_marketing_per_week(ctx: Context, count: int) -> None:
    """Changes the limit. Raises InvalidInput."""
    if not 1 <= count <= MOST_PER_WEEK:
        raise InvalidInput(field="marketing_per_week", reason="range", minimum=1, maximum=MOST_PER_WEEK)
    before = await marketing_per_week(ctx)
    if before == count:
        return
    values = {"marketing_per_week": count, "updated_at": clock.now()}
    await ctx.session.execute(
        insert(PrivacySettings)
        .values(tenant_id=ctx.tenant_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id"], set_=values)
    )
    await audit.record(
        ctx,
        "customers.privacy_changed",
        "privacy_settings",
        ctx.tenant_id,
        before={"marketing_per_week": before},
        after={"marketing_per_week": count},
    )


async def unwanted(
    ctx: Context, recipients: Sequence[Recipient], channel: str, purpose: Purpose
) -> Mapping[Recipient, str]:
    """Who must get no offer: whoever refused, and whoever had enough of them. An `OutreachCheck`; three queries."""
    if purpose != "marketing" or not recipients:
        return {}
    leaving = [one for one in recipients if one.message_id is not None]
    if leaving:
        await _hold(ctx, leaving)
    most = await marketing_per_week(ctx)
    raw = await connection(ctx)
    rows = await raw.fetch(sql.MARKETING_STANDING, ctx.tenant_id, *_columns(recipients), channel, clock.now() - WEEK)
    found: dict[Recipient, str] = {}
    here: Counter[str] = Counter()
    for row in sorted(rows, key=lambda one: int(one["n"])):
        recipient = recipients[row["n"]]
        if row["refused"]:
            found[recipient] = REFUSED
        elif not row["noted"]:
            if row["had"] + here[row["person"]] >= most:
                found[recipient] = ENOUGH
            else:
                here[row["person"]] += 1
    return found


async def note_marketing(ctx: Context, recipients: Sequence[Recipient], channel: str, purpose: Purpose) -> None:
    """Counts offers that leave. An `OutreachNote`."""
    if purpose != "marketing":
        return
    raw = await connection(ctx)
    now = clock.now()
    await raw.execute(sql.NOTE_MARKETING, ctx.tenant_id, *_columns(recipients), channel, now, now - WEEK)


async def phones_of(ctx: Context, customer_id: UUID) -> list[str]:
    """The numbers of a customer, in E.164, the first known first."""
    rows = await ctx.session.scalars(
        select(CustomerIdentity.value)
        .where(CustomerIdentity.customer_id == customer_id, CustomerIdentity.kind == "phone")
        .order_by(CustomerIdentity.id)
    )
    return list(rows)


def _columns(recipients: Sequence[Recipient]) -> tuple[list[Any], ...]:
    return (
        list(range(len(recipients))),
        [one.customer_id for one in recipients],
        [one.phone for one in recipients],
        [one.message_id for one in recipients],
    )


async def _hold(ctx: Context, recipients: Sequence[Recipient]) -> None:
    """Holds the people (and numbers) until the transaction ends: offers to them, and refusals, come one by one."""
    raw = await connection(ctx)
    await raw.execute(sql.LOCK_CONCERNED, ctx.tenant_id, *_columns(recipients))
    if numbers := sorted({one.phone for one in recipients if one.phone is not None}):
        await raw.execute(sql.LOCK_NUMBERS, str(ctx.tenant_id), numbers)


async def _end(ctx: Context, which: ColumnElement[bool], reason: str) -> int:
    cleaned = _cleaned(reason, "reason")
    if not cleaned:
        raise InvalidInput(field="reason", reason="missing")
    rows = (
        await ctx.session.execute(
            update(MarketingRefusal)
            .where(which, MarketingRefusal.ended_at.is_(None))
            .values(ended_at=clock.now(), ended_reason=cleaned, ended_by=ctx.actor.id)
            .returning(MarketingRefusal.id, MarketingRefusal.customer_id, MarketingRefusal.source)
            .execution_options(synchronize_session=False)
        )
    ).all()
    for row in rows:
        kind, object_id = ("refusal", row.id) if row.customer_id is None else ("customer", row.customer_id)
        before = {"source": row.source}
        await audit.record(ctx, "customers.marketing_allowed", kind, object_id, before, {"reason": cleaned})
    people = {row.customer_id for row in rows if row.customer_id is not None}
    await emit_many(ctx, [MarketingAllowed(customer_id=one) for one in sorted(people)])
    if rows:
        realtime.hint(ctx, kind="customer")
    return len(rows)


async def _refused(ctx: Context, new: Sequence[Refusal]) -> None:
    by_source: dict[str, list[UUID]] = {}
    for one in new:
        if one.customer_id is not None:
            by_source.setdefault(one.source, []).append(one.customer_id)
    for source, people in by_source.items():
        await audit.record_many(ctx, "customers.marketing_refused", "customer", people, after={"source": source})
    if numbers := sum(one.phone is not None for one in new):
        facts = {"numbers": numbers, "source": new[0].source}
        await audit.record(ctx, "customers.numbers_refused", "refusals", ctx.tenant_id, after=facts)
    await emit_many(
        ctx,
        [
            MarketingRefused(customer_id=one.customer_id, source=one.source, channel=one.channel)
            for one in new
            if one.customer_id is not None
        ],
    )
    for one in new:
        if one.customer_id is not None:
            realtime.hint(ctx, kind="customer", id=one.customer_id)


async def _seen(ctx: Context, customer_id: UUID) -> None:
    if await ctx.session.scalar(select(Customer.id).where(Customer.id == customer_id)) is None:
        raise NotFound(kind="customer")


def _cleaned(text: str | None, field: str) -> str:
    cleaned = " ".join((text or "").split())
    if len(cleaned) > MAX_NOTE_CHARACTERS:
        raise InvalidInput(field=field, reason="length", maximum=MAX_NOTE_CHARACTERS)
    return cleaned
