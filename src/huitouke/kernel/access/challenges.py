"""Between the two steps of signing in: the password was right, and a code has to follow.

Whoever has the challenge's token has proven the password, and nothing else. It is known only to the page that asks
for the code; the database keeps its digest.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel import clock
from huitouke.kernel.access.models import SecondFactor, SignInChallenge
from huitouke.kernel.access.signed_in import digest_of
from huitouke.kernel.errors import Problem
from huitouke.kernel.keys import Secret

LIFETIME: Final = timedelta(minutes=5)
MAX_ATTEMPTS: Final = 5
TOKEN_BYTES: Final = 32


class ChallengeGone(Problem):
    """Too late, too many wrong codes, or used already: one begins again with the password."""

    status = 410
    type = "access.challenge_gone"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A code is asked for before there is a session; the token is known only here and to the page that asks."""

    token: Secret
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """Whose challenge it is, and the merchant that the session will be for."""

    user_id: UUID
    tenant_id: UUID


async def challenge_if_on(session: AsyncSession, user_id: UUID, tenant_id: UUID) -> Challenge | None:
    """A fresh challenge in the caller's transaction where the person has turned the second step on, else None."""
    on = select(SecondFactor.user_id).where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))
    if await session.scalar(on) is None:
        return None
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = clock.now()
    expires_at = now + LIFETIME
    await session.execute(
        insert(SignInChallenge).values(
            digest=digest_of(token),
            user_id=user_id,
            tenant_id=tenant_id,
            created_at=now,
            expires_at=expires_at,
            attempts=0,
        )
    )
    return Challenge(Secret(token), expires_at)


async def take_attempt(session: AsyncSession, token: Secret) -> Taken | None:
    """Counts a try before its code is looked at, so that parallel guesses can't slip through; None when it is over."""
    row = (
        await session.execute(
            update(SignInChallenge)
            .where(
                SignInChallenge.digest == digest_of(token.reveal()),
                SignInChallenge.expires_at > clock.now(),
                SignInChallenge.attempts < MAX_ATTEMPTS,
            )
            .values(attempts=SignInChallenge.attempts + 1)
            .returning(SignInChallenge.user_id, SignInChallenge.tenant_id)
        )
    ).one_or_none()
    return Taken(row.user_id, row.tenant_id) if row is not None else None


async def end_challenge(session: AsyncSession, token: Secret) -> None:
    """Uses it up.

    Raises:
        ChallengeGone: another request was faster.
    """
    ended = delete(SignInChallenge).where(SignInChallenge.digest == digest_of(token.reveal()))
    if await session.scalar(ended.returning(SignInChallenge.user_id)) is None:
        raise ChallengeGone


async def end_challenges(session: AsyncSession, user_id: UUID) -> None:
    """The password that was proven is not the person's any more."""
    await session.execute(delete(SignInChallenge).where(SignInChallenge.user_id == user_id))
