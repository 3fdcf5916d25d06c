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

from huitouke.kernel import clock
from huitouke.kernel.access.resolver import Granted, current_resolver
from huitouke.kernel.context import Actor, ActorKind, Context, job_context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.errors import Problem, Unauthenticated

SESSION_COOKIE: Final = "huitouke_session"
SESSION_LIFETIME: Final = timedelta(days=14)
"""Counted from the last day of use."""

SEEN_AGAIN_AFTER: Final = timedelta(minutes=15)
"""A session's last use and its end are written at most so often: a few writes an hour and browser."""

CACHE_SECONDS: Final = 5.0
CACHE_ENTRIES: Final = 10_000
MAX_TOKEN_CHARACTERS: Final = 100


class TenantSuspended(Problem):
    """The tenant exists, but may not be used at present."""

    status = 403
    type = "tenant_suspended"


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

    def context(self, *, request_id: str | None = None, address: str | None = None) -> Context:
        """The context of what this person does."""
        return Context(
            tenant_id=self.tenant_id,
            actor=Actor(ActorKind.STAFF, id=self.granted.staff_id, user_id=self.user_id),
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
    """Drops what is cached of a session, or of all sessions of users or in a tenant: sign-out and changed rights count
    at once."""
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
        if row.last_seen_at is None or row.last_seen_at < now - SEEN_AGAIN_AFTER:
            expires_at = now + SESSION_LIFETIME
            await session.execute(
                text("UPDATE sessions SET expires_at = :expires_at, last_seen_at = :now WHERE digest = :digest"),
                {"expires_at": expires_at, "now": now, "digest": digest},
            )
    if row.tenant_state != "active":
        raise TenantSuspended
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
    )


def _keep(digest: bytes, signed_in: SignedIn) -> None:
    _cache[digest] = _Cached(signed_in, monotonic() + CACHE_SECONDS)
    _cache.move_to_end(digest)
    while len(_cache) > CACHE_ENTRIES:
        _cache.popitem(last=False)
