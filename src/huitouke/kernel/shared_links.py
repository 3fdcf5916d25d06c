"""Links that open one thing of a tenant's to whoever holds them: an entry to tick, a form, a page.

The token is known to who made the link and who got it; the database keeps its digest. A link ends by itself, and at
once when it is revoked. What a kind opens is the module's that made it; nothing else can be reached through it.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel import clock
from huitouke.kernel.access.service import count_attempts
from huitouke.kernel.context import Context
from huitouke.kernel.database import Base, TenantScoped, platform_transaction
from huitouke.kernel.errors import Conflict, NotFound, Problem
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret

TOKEN_BYTES: Final = 32
MAX_OPENED_PER_ADDRESS: Final = 60
"""Tries within a quarter of an hour; the 256 bits are the lock, this keeps the noise down."""

MAX_LIVING: Final = 5
"""Links to one thing at a time."""

MAX_LISTED: Final = 200
CLEAN_UP_ROWS: Final = 100
KEPT_AFTER_END: Final = timedelta(days=30)


class SharedLink(TenantScoped, Base):
    """A link that opens one thing."""

    __tablename__ = "shared_links"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    kind: Mapped[str]
    reference: Mapped[str]
    label: Mapped[str]
    made_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SharedLinkGone(Problem):
    """The link has expired, was revoked, or never was one."""

    status = 410
    type = "shared_link_gone"


class TooManySharedLinks(Conflict):
    """There are `maximum` links to this one already: one is revoked first."""

    type = "shared_link_limit"


@dataclass(frozen=True, slots=True)
class NewSharedLink:
    """A fresh link; the token is known only here and to who gets it."""

    id: UUID
    token: Secret
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """Whose link it is and what it opens."""

    id: UUID
    tenant_id: UUID
    reference: str
    expires_at: datetime


async def make_shared_link(
    ctx: Context, kind: str, reference: str, *, label: str, lifetime: timedelta
) -> NewSharedLink:
    """Makes a link in the open transaction. Raises TooManySharedLinks."""
    now = clock.now()
    await _clean_up(ctx, now)
    living = await ctx.session.scalar(
        select(func.count())
        .select_from(SharedLink)
        .where(
            SharedLink.kind == kind,
            SharedLink.reference == reference,
            SharedLink.expires_at > now,
            SharedLink.revoked_at.is_(None),
        )
    )
    if (living or 0) >= MAX_LIVING:
        raise TooManySharedLinks(maximum=MAX_LIVING)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = SharedLink(
        id=new_id(),
        digest=_digest(token),
        kind=kind,
        reference=reference,
        label=label,
        made_by=ctx.actor.id,
        created_at=now,
        expires_at=now + lifetime,
    )
    ctx.session.add(row)
    await ctx.session.flush()
    return NewSharedLink(row.id, Secret(token), row.expires_at)


async def living_links(ctx: Context, kind: str, references: Collection[str]) -> Sequence[SharedLink]:
    """The links of that kind to these things that still open something, oldest first; at most 200."""
    return (
        await ctx.session.scalars(
            select(SharedLink)
            .where(
                SharedLink.kind == kind,
                SharedLink.reference.in_(references),
                SharedLink.expires_at > clock.now(),
                SharedLink.revoked_at.is_(None),
            )
            .order_by(SharedLink.id)
            .limit(MAX_LISTED)
        )
    ).all()


async def revoke_shared_link(ctx: Context, kind: str, link_id: UUID) -> str:
    """Ends a link at once; gives what it opened. Raises NotFound."""
    reference = await ctx.session.scalar(
        update(SharedLink)
        .where(SharedLink.id == link_id, SharedLink.kind == kind, SharedLink.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(SharedLink.reference)
        .execution_options(synchronize_session=False)
    )
    if reference is None:
        raise NotFound(kind="shared_link")
    return str(reference)


async def open_shared_link(kind: str, token: Secret, *, address: str | None) -> Opened:
    """What the holder of that token may see. Opening doesn't use it up: messengers open links to draw a preview.

    Raises:
        SharedLinkGone: it opens nothing (any more), or is of another kind.
        SignInThrottled: too many tries from this address.
    """
    await count_attempts({f"shared_link:{address}": MAX_OPENED_PER_ADDRESS} if address else {})
    async with platform_transaction() as session:
        row = (
            await session.execute(
                text("SELECT * FROM resolve_shared_link(:kind, :digest, :now)"),
                {"kind": kind, "digest": _digest(token.reveal()), "now": clock.now()},
            )
        ).one_or_none()
    if row is None:
        raise SharedLinkGone
    return Opened(row.id, row.tenant_id, row.reference, row.expires_at)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def _clean_up(ctx: Context, now: datetime) -> None:
    """Links that ended long ago go when others are made: they can't pile up."""
    old = select(SharedLink.id).where(SharedLink.expires_at < now - KEPT_AFTER_END).limit(CLEAN_UP_ROWS)
    await ctx.session.execute(
        delete(SharedLink).where(SharedLink.id.in_(old)).execution_options(synchronize_session=False)
    )
