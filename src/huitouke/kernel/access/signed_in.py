"""From a cookie to a person with permissions: the gate, the resolver, and a cache of at most five seconds."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel import clock
from huitouke.kernel.access.resolver import Granted, current_resolver
from huitouke.kernel.context import Actor, ActorKind, Context, job_context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.errors import Problem, Unauthenticated
from huitouke.kernel.modules import load_modules
from huitouke.kernel.plans.standing import standing_of_tenant

SESSION_COOKIE: Final = "huitouke_session"
SESSION_LIFETIME: Final = timedelta(days=14)
"""Counted from the last day of use."""

LONGEST_SESSION: Final = timedelta(days=90)
"""However much it is used: once in three months a browser shows again that it is the person who sits before it."""

SEEN_AGAIN_AFTER: Final = timedelta(minutes=15)
"""A session's last use and its end are written at most so often: a few writes an hour and browser."""

CACHE_SECONDS: Final = 5.0
CACHE_ENTRIES: Final = 10_000
MAX_TOKEN_CHARACTERS: Final = 100
VISITOR: Final = "platform_operator"
"""Stands where a member of staff has a role."""


class TenantSuspended(Problem):
    """The tenant exists, but may not be used at present; `why` are the operator's words."""

    status = 403
    type = "tenant_suspended"


def suspended(state: str, why: str | None) -> TenantSuspended:
    """The refusal of a tenant in that state, with what its people should know."""
    if state == "closed":
        return TenantSuspended(reason="closed")
    return TenantSuspended(reason="why", why=why) if why else TenantSuspended()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person behind a session cookie, in the tenant that the session is for."""

    session_id: UUID
    user_id: UUID
    sign_in_name: str
    display_name: str
    locale: str
    tenant_id: UUID
    tenant_name: str
    time_zone: str
    granted: Granted
    expires_at: datetime
    visit_id: UUID | None = None
    """Set for a platform operator whom the tenant has let in, until `expires_at`."""

    def context(self, *, request_id: str | None = None, address: str | None = None) -> Context:
        """The context of what this person does."""
        staff = Actor(ActorKind.STAFF, id=self.granted.staff_id, user_id=self.user_id)
        visitor = Actor(ActorKind.PLATFORM_OPERATOR, user_id=self.user_id)
        return Context(
            tenant_id=self.tenant_id,
            actor=staff if self.visit_id is None else visitor,
            permissions=self.granted.permissions,
            scope=self.granted.scope,
            locale=self.locale,
            request_id=request_id,
            address=address,
        )


@dataclass(frozen=True, slots=True)
class _Cached:
    signed_in: SignedIn
    until: float


_cache: OrderedDict[bytes, _Cached] = OrderedDict()
_generation = 0
"""Counts what was forgotten, so that an answer already on its way isn't kept after it."""


def digest_of(token: str) -> bytes:
    """What the database keeps of a token: SHA-256, enough for 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


async def resolve_session(token: str | None) -> SignedIn:
    """The person who holds this session token, cached at most five seconds per process.

    Raises:
        Unauthenticated: no token, an unknown or expired one, or the person may not enter the tenant any more.
        TenantSuspended: the tenant is suspended or closed.
    """
    if not token or len(token) > MAX_TOKEN_CHARACTERS:
        raise Unauthenticated
    digest = digest_of(token)
    cached = _cache.get(digest)
    if cached is not None and cached.until > monotonic() and cached.signed_in.expires_at > clock.now():
        return cached.signed_in
    generation = _generation
    signed_in = await _look_up(digest)
    if generation == _generation:
        _keep(digest, signed_in)
    return signed_in


def forget(*, digest: bytes | None = None, user_ids: Collection[UUID] = (), tenant_id: UUID | None = None) -> None:
    """Drops what is cached of a session, or of all sessions of users or of a tenant: what changed counts at once."""
    global _generation
    _generation += 1
    if digest is not None:
        _cache.pop(digest, None)
    if user_ids:
        for known in [key for key, entry in _cache.items() if entry.signed_in.user_id in user_ids]:
            del _cache[known]
    if tenant_id is not None:
        for known in [key for key, entry in _cache.items() if entry.signed_in.tenant_id == tenant_id]:
            del _cache[known]


async def _look_up(digest: bytes) -> SignedIn:
    now = clock.now()
    async with platform_transaction() as session:
        row = (
            await session.execute(text("SELECT * FROM resolve_session(:digest, :at)"), {"digest": digest, "at": now})
        ).one_or_none()
        if row is None:
            raise Unauthenticated
        expires_at: datetime = row.expires_at
        if row.visit_id is not None:
            expires_at = min(expires_at, row.visit_until)
        elif row.last_seen_at is None or row.last_seen_at < now - SEEN_AGAIN_AFTER:
            expires_at = await _lived_on(session, digest, now) or expires_at
    if row.tenant_state != "active":
        raise suspended(row.tenant_state, (await standing_of_tenant(row.tenant_id)).reason)
    granted: Granted | None
    if row.visit_id is not None:
        granted = Granted(row.user_id, row.display_name, VISITOR, load_modules().permissions_of_visitors())
    else:
        async with transaction(job_context(row.tenant_id)) as ctx:
            granted = await current_resolver()(ctx, row.user_id)
    if granted is None:
        raise Unauthenticated
    return SignedIn(
        session_id=row.session_id,
        user_id=row.user_id,
        sign_in_name=row.sign_in_name,
        display_name=row.display_name,
        locale=row.locale,
        tenant_id=row.tenant_id,
        tenant_name=row.tenant_name,
        time_zone=row.time_zone,
        granted=granted,
        expires_at=expires_at,
        visit_id=row.visit_id,
    )


async def _lived_on(session: AsyncSession, digest: bytes, now: datetime) -> datetime | None:
    """Moves the end of a session that is used, but never beyond the longest; None when it ended meanwhile."""
    moved = text(
        "UPDATE sessions SET expires_at = least(CAST(:wished AS timestamptz), created_at + CAST(:longest AS interval)),"
        " last_seen_at = :now WHERE digest = :digest RETURNING expires_at"
    )
    values = {"wished": now + SESSION_LIFETIME, "longest": LONGEST_SESSION, "now": now, "digest": digest}
    expires_at: datetime | None = await session.scalar(moved, values)
    return expires_at


def _keep(digest: bytes, signed_in: SignedIn) -> None:
    _cache[digest] = _Cached(signed_in, monotonic() + CACHE_SECONDS)
    _cache.move_to_end(digest)
    while len(_cache) > CACHE_ENTRIES:
        _cache.popitem(last=False)
