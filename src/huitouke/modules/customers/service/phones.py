"""A customer's phone number: entered by staff, shown in part, told in full to who may see it, which is noted."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, delete, func, select

from huitouke.kernel import audit, clock, realtime
from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.events import emit
from huitouke.kernel.ids import lowest_id, new_id
from huitouke.kernel.masking import mask
from huitouke.modules.customers import sql
from huitouke.modules.customers.events import CustomerChanged
from huitouke.modules.customers.models import Customer, CustomerIdentity
from huitouke.modules.customers.service import problems

ISSUER: Final = "e164"
"""Numbers are given out once in the world (ITU-T E.164)."""

MAX_INPUT_CHARACTERS: Final = 30

REVEALED: Final = "customers.phone_revealed"
REVEALS: Final = 30
REVEAL_PERIOD: Final = timedelta(minutes=10)
"""So many numbers one person may look at in that time: more is copying them, not calling them."""

_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
_LANDLINE: Final = re.compile(r"0(?:10|2\d|[3-9]\d\d)[2-9]\d{6,7}")
_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_LOOKS_LIKE_ONE: Final = re.compile(r"[+＋0-9０-９][0-9０-９ ()（）-]{5,28}")


def e164(text: str) -> str:
    """The number as E.164. Without a country's code it is of mainland China. Raises InvalidInput: what is wrong.

    Reasons: `phone_characters`, `phone_length`, `phone_mobile` (11 digits that no mobile number begins with).
    """
    plain = text.strip().translate(str.maketrans("０１２３４５６７８９＋（）－", "0123456789+()-"))
    digits = re.sub(r"[ ()\-.]", "", plain)
    if len(plain) > MAX_INPUT_CHARACTERS or not re.fullmatch(r"\+?[0-9]+", digits, re.ASCII):
        raise InvalidInput(field="phone", reason="phone_characters")
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if digits.startswith("86") and _MOBILE.fullmatch(digits[2:]):
        digits = "+" + digits
    if digits.startswith("+86"):
        return "+86" + _mainland(digits[3:])
    if digits.startswith("+"):
        if not _E164.fullmatch(digits):
            raise InvalidInput(field="phone", reason="phone_length")
        return digits
    return "+86" + _mainland(digits)


def _mainland(digits: str) -> str:
    if _MOBILE.fullmatch(digits):
        return digits
    if len(digits) == 11 and digits.startswith("1"):
        raise InvalidInput(field="phone", reason="phone_mobile")
    if _LANDLINE.fullmatch(digits):
        return digits[1:]
    if _LANDLINE.fullmatch("0" + digits):
        return digits
    raise InvalidInput(field="phone", reason="phone_length")


def searched_number(q: str) -> str | None:
    """The number that somebody searches for, if it is a whole one."""
    if not _LOOKS_LIKE_ONE.fullmatch(q.strip()):
        return None
    try:
        return e164(q)
    except InvalidInput:
        return None


def with_number(tenant_id: UUID, number: str) -> Select[Any]:
    """The id of the customer who has that number (E.164)."""
    having = CustomerIdentity.__table__.alias("with_number")
    return select(having.c.customer_id).where(
        having.c.tenant_id == tenant_id, having.c.kind == "phone", having.c.value == number
    )


def shown(phone: str | None) -> str | None:
    """The number as screens show it: mainland numbers without their code, the middle hidden."""
    return None if phone is None else mask(_national(phone))


async def phone_of(ctx: Context, customer_id: UUID) -> str | None:
    """The customer's number, in E.164."""
    return (await phones_of_many(ctx, [customer_id])).get(customer_id)


async def phones_of_many(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The numbers of customers that have one, the first known of each; one query."""
    if not customer_ids:
        return {}
    rows = await ctx.session.execute(
        select(CustomerIdentity.customer_id, CustomerIdentity.value)
        .where(CustomerIdentity.customer_id.in_(customer_ids), CustomerIdentity.kind == "phone")
        .order_by(CustomerIdentity.id.desc())
    )
    return {row.customer_id: row.value for row in rows}


async def set_phone(ctx: Context, customer_id: UUID, text: str) -> None:
    """Enters the customer's number, or another one instead.

    Raises NotFound, InvalidInput (see `e164`), PhoneTaken: another customer has it, who is named only to who sees them.
    """
    await _lock(ctx, customer_id)
    phone = e164(text)
    before = await phone_of(ctx, customer_id)
    if before == phone:
        return
    raw = await connection(ctx)
    await raw.execute(sql.LOCK_ISSUER, str(ctx.tenant_id), "phone", ISSUER)
    owner = await raw.fetchval(sql.WHO_HAS_NUMBER, ctx.tenant_id, ISSUER, phone)
    if owner is not None and owner != customer_id:
        seen = await ctx.session.scalar(select(Customer).where(Customer.id == owner))
        if seen is None:
            raise problems.PhoneTakenByAnother(field="phone")
        raise problems.PhoneTaken(field="phone", name=seen.remark or seen.name, customer_id=str(seen.id))
    await _drop(ctx, customer_id)
    ctx.session.add(
        CustomerIdentity(
            id=new_id(),
            customer_id=customer_id,
            kind="phone",
            issuer=ISSUER,
            value=phone,
            created_at=clock.now(),
        )
    )
    await ctx.session.flush()
    await _changed(ctx, customer_id, before, phone)


async def remove_phone(ctx: Context, customer_id: UUID) -> None:
    """The customer has no number (any more). Raises NotFound."""
    await _lock(ctx, customer_id)
    before = await phone_of(ctx, customer_id)
    if before is None:
        return
    await _drop(ctx, customer_id)
    await _changed(ctx, customer_id, before, None)


async def reveal_phone(ctx: Context, customer_id: UUID) -> str:
    """The whole number, to be called; that it was looked at stands in the log.

    Raises NotFound, TooManyReveals.
    """
    if await ctx.session.scalar(select(Customer.id).where(Customer.id == customer_id)) is None:
        raise NotFound(kind="customer")
    phone = await phone_of(ctx, customer_id)
    if phone is None:
        raise NotFound(kind="phone")
    raw = await connection(ctx)
    # Of two taps at once each counts the other.
    await raw.execute(sql.LOCK_ISSUER, str(ctx.tenant_id), "reveal", str(ctx.actor.id))
    since = clock.now() - REVEAL_PERIOD
    counted = select(func.count()).where(
        AuditEntry.actor_id == ctx.actor.id, AuditEntry.action == REVEALED, AuditEntry.id >= lowest_id(since)
    )
    if (await ctx.session.scalar(counted) or 0) >= REVEALS:
        minutes = int(REVEAL_PERIOD.total_seconds() // 60)
        raise problems.TooManyReveals(limit=REVEALS, minutes=minutes, retry_after_seconds=minutes * 60)
    await audit.record(ctx, REVEALED, "customer", customer_id, after={"phone": shown(phone)}, reading=True)
    return _national(phone)


def _national(phone: str) -> str:
    """Mainland numbers as they are dialled there."""
    if not phone.startswith("+86"):
        return phone
    national = phone.removeprefix("+86")
    return national if _MOBILE.fullmatch(national) else "0" + national


async def _drop(ctx: Context, customer_id: UUID) -> None:
    await ctx.session.execute(
        delete(CustomerIdentity)
        .where(CustomerIdentity.customer_id == customer_id, CustomerIdentity.kind == "phone")
        .execution_options(synchronize_session=False)
    )


async def _lock(ctx: Context, customer_id: UUID) -> None:
    held = select(Customer.id).where(Customer.id == customer_id).with_for_update(key_share=True)
    if await ctx.session.scalar(held) is None:
        raise NotFound(kind="customer")


async def _changed(ctx: Context, customer_id: UUID, before: str | None, after: str | None) -> None:
    facts = {"phone": shown(before)}, {"phone": shown(after)}
    await audit.record(ctx, "customers.phone_changed", "customer", customer_id, *facts)
    await emit(ctx, CustomerChanged(customer_id=customer_id, fields=["phone"]))
    realtime.hint(ctx, kind="customer", id=customer_id)
