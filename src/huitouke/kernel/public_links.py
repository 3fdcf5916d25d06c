"""Short addresses that strangers open, and whose they are: found by a gate before the tenant is known.

What is found is believed for a few seconds per process, so that a page that many open costs one look-up.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import Base, TenantScoped, platform_transaction

ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without what looks alike on a printed card: 0 o, 1 l i."""

CODE_CHARACTERS: Final = 10
"""50 bits, short enough to be typed from a card. A code is no secret: it opens what strangers may see."""

KNOWN_SECONDS: Final = 5.0
ENTRIES_LIMIT: Final = 10_000


class PublicLinkRow(TenantScoped, Base):
    """An address that strangers may open."""

    __tablename__ = "public_links"

    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    target_id: Mapped[UUID]
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class PublicLink:
    """Whose address it is. `open` while the tenant is neither suspended nor closed."""

    tenant_id: UUID
    target_id: UUID
    open: bool


@dataclass(frozen=True, slots=True)
class _Known:
    link: PublicLink | None
    until: float


_known: OrderedDict[tuple[str, str], _Known] = OrderedDict()


async def make_public_link(ctx: Context, kind: str, target_id: UUID) -> str:
    """The code of a new address for `target_id`; the one that it has where it has one already."""
    found = await ctx.session.scalar(
        select(PublicLinkRow.code).where(PublicLinkRow.kind == kind, PublicLinkRow.target_id == target_id)
    )
    if found is not None:
        return found
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS))
    ctx.session.add(PublicLinkRow(code=code, kind=kind, target_id=target_id, created_at=clock.now()))
    await ctx.session.flush()
    return code


async def end_public_links(ctx: Context, kind: str, target_id: UUID) -> None:
    """The addresses of `target_id` lead nowhere any more, in other processes within five seconds."""
    await ctx.session.execute(
        delete(PublicLinkRow).where(PublicLinkRow.kind == kind, PublicLinkRow.target_id == target_id)
    )
    ctx.after_commit(_known.clear)


async def resolve_public_link(kind: str, code: str) -> PublicLink | None:
    """Whose the address is, as it was at most five seconds ago; None when there is none."""
    place = (kind, code)
    known = _known.get(place)
    if known is not None and known.until > monotonic():
        return known.link
    async with platform_transaction() as session:
        row = (
            await session.execute(text("SELECT * FROM resolve_link(:kind, :code)"), {"kind": kind, "code": code})
        ).one_or_none()
    link = None if row is None else PublicLink(row.tenant_id, row.target_id, row.tenant_state == "active")
    _known[place] = _Known(link, monotonic() + KNOWN_SECONDS)
    _known.move_to_end(place)
    while len(_known) > ENTRIES_LIMIT:
        _known.popitem(last=False)
    return link


def forget_public_links() -> None:
    """Drops what is believed of links: the state of a tenant changed, and counts at once in this process."""
    _known.clear()
