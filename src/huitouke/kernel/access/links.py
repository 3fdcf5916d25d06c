"""Links with which a person sets a password: an invitation to join, a way back in. Each works once.

The token is known only to who made the link and who got it; the database keeps its digest. A new link ends the
person's earlier ones.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias, cast
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel import clock
from huitouke.kernel.access import passwords
from huitouke.kernel.access.challenges import Challenge, challenge_if_on, end_challenges
from huitouke.kernel.access.models import AccessLink, User, UserSession
from huitouke.kernel.access.service import (
    TOKEN_BYTES,
    NewSession,
    count_attempts,
    open_session,
    refuse_if_elsewhere,
)
from huitouke.kernel.access.signed_in import digest_of, forget
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.errors import Problem
from huitouke.kernel.keys import Secret
from huitouke.kernel.modules import load_modules

LinkKind = Literal["invitation", "reset"]

LIFETIMES: Final[dict[LinkKind, timedelta]] = {"invitation": timedelta(days=7), "reset": timedelta(hours=24)}
MAX_OPENED_PER_ADDRESS: Final = 60
"""Tries within a quarter of an hour; the 256 bits are the lock, this keeps the noise down."""

LINK_USED: Final = "kernel.link_used"
"""Registry of `LinkUsed`: who wants to know that somebody set a password by a link."""

LinkUsed: TypeAlias = "Callable[[Context, UUID, LinkKind], Awaitable[None]]"
"""`(context with an open transaction of the tenant, user id, kind of the link)`, after the password was set."""

CLEAN_UP_ROWS: Final = 100


class LinkGone(Problem):
    """The link was used, has expired, was replaced by a newer one, or never was one."""

    status = 410
    type = "access.link_gone"


@dataclass(frozen=True, slots=True)
class NewLink:
    """A fresh link; the token is known only here and to who gets it."""

    token: Secret
    kind: LinkKind
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What whoever holds the link may know before setting the password."""

    kind: LinkKind
    sign_in_name: str
    display_name: str
    tenant_name: str
    expires_at: datetime


async def make_link(ctx: Context, user_id: UUID, kind: LinkKind) -> NewLink:
    """Makes the person's link in the open transaction; earlier ones don't work any more.

    Raises:
        WorksElsewhere: the person belongs to another merchant too, and only they may open that door.
    """
    await refuse_if_elsewhere(ctx, user_id)
    return await _make(ctx, user_id, kind)


async def _make(ctx: Context, user_id: UUID, kind: LinkKind) -> NewLink:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = clock.now()
    expires_at = now + LIFETIMES[kind]
    await ctx.session.execute(delete(AccessLink).where(AccessLink.user_id == user_id))
    await ctx.session.execute(
        insert(AccessLink).values(
            digest=digest_of(token),
            kind=kind,
            user_id=user_id,
            tenant_id=ctx.tenant_id,
            created_at=now,
            expires_at=expires_at,
        )
    )
    await _clean_up(ctx.session)
    return NewLink(Secret(token), kind, expires_at)


async def make_own_link(ctx: Context, user_id: UUID) -> NewLink:
    """A way back in that the person asked for, to be sent to nobody but them: it doesn't matter where else they work.

    Earlier links end.
    """
    return await _make(ctx, user_id, "reset")


async def look_at_link(token: Secret, *, address: str | None) -> OpenedLink:
    """Whom the link is for. Looking doesn't use it up: messengers open links to draw a preview.

    Raises:
        LinkGone: it can't be used (any more).
        SignInThrottled: too many tries from this address.
    """
    await count_attempts({f"link:{address}": MAX_OPENED_PER_ADDRESS} if address else {})
    async with platform_transaction() as session:
        return await _opened(session, token)


async def use_link(
    token: Secret, password: Secret, *, address: str | None = None, user_agent: str | None = None
) -> NewSession | Challenge:
    """Sets the password, ends the link and all of the person's sessions, and signs the person in.

    Who has a second step on is asked for the code first: a link stands for the password and for nothing else.

    Raises:
        LinkGone: it can't be used (any more); of two at once one wins.
        WeakPassword: the password may not be chosen; the link can still be used.
        SignInThrottled: too many tries from this address.
    """
    opened = await look_at_link(token, address=address)
    near = (opened.display_name, opened.tenant_name)
    passwords.check_new_password(password, sign_in_name=opened.sign_in_name, near=near)
    password_hash = await passwords.hash_password(password)
    now = clock.now()
    async with platform_transaction() as session:
        link = (
            await session.execute(
                delete(AccessLink)
                .where(AccessLink.digest == digest_of(token.reveal()), AccessLink.expires_at > now)
                .returning(AccessLink.user_id, AccessLink.tenant_id, AccessLink.kind)
            )
        ).one_or_none()
        if link is None:
            raise LinkGone
        await session.execute(
            update(User).where(User.id == link.user_id).values(password_hash=password_hash, password_changed_at=now)
        )
        await session.execute(delete(UserSession).where(UserSession.user_id == link.user_id))
        await end_challenges(session, link.user_id)
        admitted: NewSession | Challenge | None = await challenge_if_on(session, link.user_id, link.tenant_id)
        if admitted is None:
            admitted = await open_session(session, link.user_id, link.tenant_id, address, user_agent)
    forget(user_ids=[link.user_id])
    async with transaction(job_context(link.tenant_id)) as ctx:
        for hears in load_modules().extensions(LINK_USED):
            await hears(ctx, link.user_id, cast(LinkKind, link.kind))
    return admitted


async def _opened(session: AsyncSession, token: Secret) -> OpenedLink:
    row = (
        await session.execute(
            text(
                "SELECT l.kind, l.expires_at, u.sign_in_name, u.display_name, t.name AS tenant_name"
                " FROM access_links AS l"
                " JOIN users AS u ON u.id = l.user_id AND u.state = 'active'"
                " JOIN memberships AS m ON m.user_id = l.user_id AND m.tenant_id = l.tenant_id AND m.state = 'active'"
                " JOIN tenants AS t ON t.id = l.tenant_id AND t.state = 'active'"
                " WHERE l.digest = :digest AND l.expires_at > :now"
            ),
            {"digest": digest_of(token.reveal()), "now": clock.now()},
        )
    ).one_or_none()
    if row is None:
        raise LinkGone
    return OpenedLink(cast(LinkKind, row.kind), row.sign_in_name, row.display_name, row.tenant_name, row.expires_at)


async def _clean_up(session: AsyncSession) -> None:
    """Expired links go when others are made: they can't pile up."""
    old = select(AccessLink.digest).where(AccessLink.expires_at < clock.now()).limit(CLEAN_UP_ROWS)
    await session.execute(delete(AccessLink).where(AccessLink.digest.in_(old.scalar_subquery())))
