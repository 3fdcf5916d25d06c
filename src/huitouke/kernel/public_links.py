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


class PublicLink(TenantScoped, Base):
    """A link that opens one thing."""

    __tablename__ = "public_links"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    kind: Mapped[str]
    reference: Mapped[str]
    label: Mapped[str]
    made_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class PublicLinkGone(Problem):
    """The link has expired, was revoked, or never was one."""

    status = 410
    type = "public_link_gone"


class TooManyPublicLinks(Conflict):
    """There are `maximum` links to this one already: one is revoked first."""

    type = "public_link_limit"


@dataclass(frozen=True, slots=True)
class NewPublicLink:
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


async def make_public_link(
    ctx: Context, kind: str, reference: str, *, label: str, lifetime: timedelta
) -> NewPublicLink:
    """Makes a link in the open transaction. Raises TooManyPublicLinks."""
    now = clock.now()
    await _clean_up(ctx, now)
    living = await ctx.session.scalar(
        select(func.count())
        .select_from(PublicLink)
        .where(
            PublicLink.kind == kind,
            PublicLink.reference == reference,
            PublicLink.expires_at > now,
            PublicLink.revoked_at.is_(None),
        )
    )
    if (living or 0) >= MAX_LIVING:
        raise TooManyPublicLinks(maximum=MAX_LIVING)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = PublicLink(
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
    return NewPublicLink(row.id, Secret(token), row.expires_at)


async def living_links(ctx: Context, kind: str, references: Collection[str]) -> Sequence[PublicLink]:
    """The links of that kind to these things that still open something, oldest first; at most 200."""
    return (
        await ctx.session.scalars(
            select(PublicLink)
            .where(
                PublicLink.kind == kind,
                PublicLink.reference.in_(references),
                PublicLink.expires_at > clock.now(),
                PublicLink.revoked_at.is_(None),
            )
            .order_by(PublicLink.id)
            .limit(MAX_LISTED)
        )
    ).all()


async def revoke_public_link(ctx: Context, kind: str, link_id: UUID) -> str:
    """Ends a link at once; gives what it opened. Raises NotFound."""
    reference = await ctx.session.scalar(
        update(PublicLink)
        .where(PublicLink.id == link_id, PublicLink.kind == kind, PublicLink.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(PublicLink.reference)
        .execution_options(synchronize_session=False)
    )
    if reference is None:
        raise NotFound(kind="public_link")
    return str(reference)


async def open_public_link(kind: str, token: Secret, *, address: str | None) -> Opened:
    """What the holder of that token may see. Opening doesn't use it up: messengers open links to draw a preview.

    Raises:
        PublicLinkGone: it opens nothing (any more), or is of another kind.
        SignInThrottled: too many tries from this address.
    """
    await count_attempts({f"public_link:{address}": MAX_OPENED_PER_ADDRESS} if address else {})
    async with platform_transaction() as session:
        row = (
            await session.execute(
                text("SELECT * FROM resolve_link(:kind, :digest, :now)"),
                {"kind": kind, "digest": _digest(token.reveal()), "now": clock.now()},
            )
        ).one_or_none()
    if row is None:
        raise PublicLinkGone
    return Opened(row.id, row.tenant_id, row.reference, row.expires_at)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def _clean_up(ctx: Context, now: datetime) -> None:
    """Links that ended long ago go when others are made: they can't pile up."""
    old = select(PublicLink.id).where(PublicLink.expires_at < now - KEPT_AFTER_END).limit(CLEAN_UP_ROWS)
    await ctx.session.execute(
        delete(PublicLink).where(PublicLink.id.in_(old)).execution_options(synchronize_session=False)
    )
