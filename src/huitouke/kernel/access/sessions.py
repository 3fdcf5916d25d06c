"""Where a person is signed in: seeing it, and ending it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select

from huitouke.kernel import clock
from huitouke.kernel.access.models import UserSession
from huitouke.kernel.access.signed_in import digest_of, forget
from huitouke.kernel.database import platform_transaction
from huitouke.kernel.errors import NotFound

MAX_SESSIONS: Final = 100
"""So many are shown; the others end by themselves."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A browser that is signed in. `user_agent` is what it calls itself."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    address: str | None
    user_agent: str | None
    current: bool
    """Whether it is the one that asks."""


async def open_sessions(user_id: UUID, token: str) -> Sequence[OpenSession]:
    """The person's sessions in all tenants, the last used first; `token` is the one that asks."""
    here = digest_of(token)
    async with platform_transaction() as session:
        rows = await session.scalars(
            select(UserSession)
            .where(UserSession.user_id == user_id, UserSession.expires_at > clock.now())
            .order_by(UserSession.created_at.desc())
            .limit(MAX_SESSIONS)
        )
        found = [
            OpenSession(
                id=row.id,
                created_at=row.created_at,
                last_seen_at=row.last_seen_at or row.created_at,
                address=row.address,
                user_agent=row.user_agent,
                current=row.digest == here,
            )
            for row in rows
        ]
    return sorted(found, key=lambda one: (one.current, one.last_seen_at), reverse=True)


async def end_session(user_id: UUID, session_id: UUID) -> None:
    """Signs the person out there, at once.

    Raises:
        NotFound: the person has no such session (any more).
    """
    async with platform_transaction() as session:
        ended = await session.scalar(
            delete(UserSession)
            .where(UserSession.user_id == user_id, UserSession.id == session_id)
            .returning(UserSession.digest)
        )
    if ended is None:
        raise NotFound(kind="session")
    forget(digest=ended)


async def end_other_sessions(user_id: UUID, keep_token: str) -> int:
    """Signs the person out everywhere else; gives the number of sessions that ended."""
    async with platform_transaction() as session:
        ended = await session.scalars(
            delete(UserSession)
            .where(UserSession.user_id == user_id, UserSession.digest != digest_of(keep_token))
            .returning(UserSession.id)
        )
        count = len(ended.all())
    forget(user_ids=[user_id])
    return count
