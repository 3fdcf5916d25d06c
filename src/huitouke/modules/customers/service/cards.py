"""The rules of customers: finding them by what channels call them, and keeping their cards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel import audit, clock, realtime
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.events import emit, emit_many
from huitouke.kernel.ids import new_id
from huitouke.kernel.masking import CONTACTS, unmasked
from huitouke.modules.customers import sql
from huitouke.modules.customers.events import CustomerChanged, CustomerCreated
from huitouke.modules.customers.models import Customer, CustomerIdentity

IdentityKind = Literal["external_userid", "unionid", "openid", "phone", "visitor"]
Gender = Literal["unknown", "male", "female"]

MAX_AT_ONCE: Final = 5_000
MAX_NAME_CHARACTERS: Final = 60
MAX_REMARK_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class ProfileUpdate:
    """What a channel told of a customer; empty name and None leave what is known."""

    customer_id: UUID
    name: str
    avatar_url: str | None
    gender: Gender
    unionid: str | None = None


async def find_or_create_many(ctx: Context, kind: IdentityKind, issuer: str, values: Sequence[str]) -> dict[str, UUID]:
    """The customers behind these identities, new ones made: one query, three when somebody is new.

    1,000 values of 32 bytes: one index scan each, two inserts of 150 bytes a row for those that are new.
    """
    wanted = sorted({value for value in values if value})
    if len(wanted) > MAX_AT_ONCE:
        raise ValueError(f"{len(wanted)} identities at once, at most {MAX_AT_ONCE}")
    if not wanted:
        return {}
    found = await _find(ctx, kind, issuer, wanted)
    if len(found) == len(wanted):
        return found
    raw = await connection(ctx)
    await raw.execute(sql.LOCK_ISSUER, str(ctx.tenant_id), kind, issuer)
    found = await _find(ctx, kind, issuer, wanted)
    missing = [value for value in wanted if value not in found]
    if not missing:
        return found
    made = {value: new_id() for value in missing}
    await raw.execute(
        sql.ADD_CUSTOMERS,
        ctx.tenant_id,
        kind,
        issuer,
        missing,
        [made[value] for value in missing],
        [new_id() for _ in missing],
        clock.now(),
    )
    await emit_many(ctx, [CustomerCreated(customer_id=made[value], kind=kind) for value in missing])
    return {**found, **made}


async def update_profiles(ctx: Context, issuer: str, profiles: Sequence[ProfileUpdate]) -> None:
    """Stores names, pictures and union ids that a channel told, in two statements."""
    if not profiles:
        return
    raw = await connection(ctx)
    await raw.execute(
        sql.UPDATE_PROFILES,
        ctx.tenant_id,
        [profile.customer_id for profile in profiles],
        [profile.name[:MAX_NAME_CHARACTERS] for profile in profiles],
        [profile.avatar_url for profile in profiles],
        [profile.gender for profile in profiles],
        clock.now(),
    )
    await _add_identities(ctx, "unionid", issuer, {p.unionid: p.customer_id for p in profiles if p.unionid})
    await emit_many(ctx, [CustomerChanged(customer_id=p.customer_id, fields=["name", "avatar_url"]) for p in profiles])
    realtime.hint(ctx, kind="customer")


async def note_seen(ctx: Context, seen: Mapping[UUID, datetime]) -> None:
    """Moves "last seen" forward for these customers, in one statement."""
    if not seen:
        return
    raw = await connection(ctx)
    in_order = sorted(seen)  # two pages with the same customers lock their rows in the same order
    await raw.execute(sql.SEEN, ctx.tenant_id, in_order, [seen[customer_id] for customer_id in in_order])


async def edit(ctx: Context, customer_id: UUID, *, name: str | None = None, remark: str | None = None) -> Customer:
    """Changes the card. An empty remark takes it away. Raises NotFound, InvalidInput."""
    customer = await ctx.session.scalar(select(Customer).where(Customer.id == customer_id).with_for_update())
    if customer is None:
        raise NotFound(kind="customer")
    before = {"name": customer.name, "remark": customer.remark}
    if not ctx.allows(CONTACTS):
        name = None if name is None else unmasked(name, customer.name)
        remark = None if remark is None else unmasked(remark, customer.remark or "")
    if name is not None:
        cleaned = " ".join(name.split())
        if not cleaned or len(cleaned) > MAX_NAME_CHARACTERS:
            raise InvalidInput(field="name", reason="length", maximum=MAX_NAME_CHARACTERS)
        customer.name = cleaned
    if remark is not None:
        if len(remark) > MAX_REMARK_CHARACTERS:
            raise InvalidInput(field="remark", reason="length", maximum=MAX_REMARK_CHARACTERS)
        customer.remark = remark.strip() or None
    customer.updated_at = clock.now()
    customer.version += 1
    after = {"name": customer.name, "remark": customer.remark}
    changed = [field for field in after if before[field] != after[field]]
    if changed:
        await ctx.session.flush()
        await emit(ctx, CustomerChanged(customer_id=customer.id, fields=changed))
        await audit.record(ctx, "customers.changed", "customer", customer.id, before=before, after=after)
        realtime.hint(ctx, kind="customer", id=customer.id, version=customer.version)
    return customer


async def _find(ctx: Context, kind: str, issuer: str, values: Sequence[str]) -> dict[str, UUID]:
    raw = await connection(ctx)
    rows = await raw.fetch(sql.FIND_IDENTITIES, ctx.tenant_id, kind, issuer, list(values))
    return {row["value"]: row["customer_id"] for row in rows}


async def _add_identities(ctx: Context, kind: IdentityKind, issuer: str, owners: Mapping[str | None, UUID]) -> None:
    """Adds identities that nobody has yet; one that belongs to another customer stays there (merging is for people)."""
    values = [value for value in owners if value]
    if not values:
        return
    known = await _find(ctx, kind, issuer, values)
    now = clock.now()
    ctx.session.add_all(
        CustomerIdentity(id=new_id(), customer_id=owners[value], kind=kind, issuer=issuer, value=value, created_at=now)
        for value in values
        if value not in known
    )
    await ctx.session.flush()
