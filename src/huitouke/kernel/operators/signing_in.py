"""Operators sign in with the same accounts as everybody, by a session of their own that is for no tenant."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel import clock
from huitouke.kernel.access import passwords, second_factor
from huitouke.kernel.access.models import SecondFactor, User, UserSession
from huitouke.kernel.access.service import (
    ADDRESS,
    MAX_USER_AGENT_CHARACTERS,
    TOKEN_BYTES,
    WrongSignIn,
    count_attempts,
    create_user,
    forget_attempts,
    throttle_keys,
)
from huitouke.kernel.access.signed_in import MAX_TOKEN_CHARACTERS, digest_of, forget
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.database import platform_transaction
from huitouke.kernel.errors import NotFound, Problem, Unauthenticated
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.observability import metrics
from huitouke.kernel.operators.models import OperatorSession, PlatformOperator, TenantVisit

OPERATOR_COOKIE: Final = "huitouke_operator"
SESSION_LIFETIME: Final = timedelta(hours=12)
"""A working day, and no longer however much it is used: this session reaches all tenants."""

CLEAN_UP_ROWS: Final = 100

log = structlog.get_logger(__name__)


class CodeNeeded(Problem):
    """The password is right, and the person has a second step on: the same once more, with the app's code."""

    status = 401
    type = "operators.code_needed"


@dataclass(frozen=True, slots=True)
class Operator:
    """The person behind an operator's session."""

    session_id: UUID
    user_id: UUID
    sign_in_name: str
    display_name: str
    locale: str
    request_id: str | None = None
    address: str | None = None

    def context(self, tenant_id: UUID) -> Context:
        """What the operator does to a tenant from outside: no permission within it, and no look into it."""
        return Context(
            tenant_id,
            Actor(ActorKind.PLATFORM_OPERATOR, user_id=self.user_id),
            locale=self.locale,
            request_id=self.request_id,
            address=self.address,
        )


@dataclass(frozen=True, slots=True)
class NewOperatorSession:
    """A fresh session; the token is known only here and in the browser's cookie."""

    token: str
    expires_at: datetime


async def sign_in(
    sign_in_name: str,
    password: Secret,
    code: Secret | None,
    *,
    address: str | None = None,
    user_agent: str | None = None,
) -> NewOperatorSession:
    """Opens an operator's session. Password and code come in one request, so nothing lies half open in between.

    Tries are counted with those of the console's sign-in, before anything is looked at. Who is no operator is told
    what a wrong password is told.

    Raises:
        SignInThrottled: too many wrong ones.
        WrongSignIn: name, password or code is wrong, or the person is no operator.
        CodeNeeded: the password is right and no code came.
    """
    name = sign_in_name.strip().lower()
    keys = throttle_keys(name, address)
    await count_attempts(keys)
    async with platform_transaction() as session:
        user = await session.scalar(select(User).where(User.sign_in_name == name))
        operator = user is not None and await _is_operator(session, user.id)
    right = await passwords.verify_password(password, user.password_hash if user is not None else None)
    if user is None or not right or not operator or user.state != "active":
        metrics.SIGN_INS.labels(outcome="refused").inc()
        log.info("operators.sign_in_refused", user_id=user.id if user is not None else None, address=address)
        raise WrongSignIn
    async with platform_transaction() as session:
        needs_code = await _second_step_on(session, user.id)
    if needs_code and code is None:
        async with platform_transaction() as session:
            await forget_attempts(session, {key: limit for key, limit in keys.items() if key.startswith(ADDRESS)})
        raise CodeNeeded(field="code")
    if needs_code and code is not None:
        await _check_code(user.id, code)
        keys |= second_factor.code_keys(user.id)
    async with platform_transaction() as session:
        await forget_attempts(session, keys)
        opened = await _open(session, user.id, address, user_agent)
    metrics.SIGN_INS.labels(outcome="done").inc()
    log.info("operators.signed_in", user_id=user.id, address=address)
    return opened


async def resolve_operator(token: str | None) -> Operator:
    """The operator who holds this session token; asked of the database each time, so that an end counts at once.

    Raises:
        Unauthenticated: no token, an unknown or expired one, or the person is no operator (any more).
    """
    if not token or len(token) > MAX_TOKEN_CHARACTERS:
        raise Unauthenticated
    async with platform_transaction() as session:
        row = (
            await session.execute(
                select(OperatorSession.id, User.id.label("user_id"), User.sign_in_name, User.display_name, User.locale)
                .join(PlatformOperator, PlatformOperator.user_id == OperatorSession.user_id)
                .join(User, User.id == OperatorSession.user_id)
                .where(
                    OperatorSession.digest == digest_of(token),
                    OperatorSession.expires_at > clock.now(),
                    User.state == "active",
                )
            )
        ).one_or_none()
    if row is None:
        raise Unauthenticated
    return Operator(row.id, row.user_id, row.sign_in_name, row.display_name, row.locale)


async def sign_out(token: str) -> None:
    """Ends the session of that token; nothing happens when there is none."""
    async with platform_transaction() as session:
        await session.execute(delete(OperatorSession).where(OperatorSession.digest == digest_of(token)))


async def add_operator(sign_in_name: str, password: Secret | None) -> bool:
    """Makes somebody an operator: whoever has that name already, else a new account with that password.

    Gives whether the account is new.

    Raises:
        NotFound: nobody has that name, and no password came for a new account.
        InvalidInput, WeakPassword: name or password can't be used.
    """
    name = sign_in_name.strip().lower()
    async with platform_transaction() as session:
        user_id = await session.scalar(select(User.id).where(User.sign_in_name == name))
        made = user_id is None
        if user_id is None:
            if password is None:
                raise NotFound(kind="user")
            user_id = await create_user(session, sign_in_name=name, password=password, display_name=sign_in_name)
        await session.execute(
            insert(PlatformOperator).values(user_id=user_id, created_at=clock.now()).on_conflict_do_nothing()
        )
    return made


async def remove_operator(sign_in_name: str) -> bool:
    """Takes the rights of an operator with all sessions and visits; the account stays. Whether there were any."""
    async with platform_transaction() as session:
        user_id = await session.scalar(select(User.id).where(User.sign_in_name == sign_in_name.strip().lower()))
        gone = delete(PlatformOperator).where(PlatformOperator.user_id == user_id).returning(PlatformOperator.user_id)
        if user_id is None or await session.scalar(gone) is None:
            return False
        open_ones = TenantVisit.user_id == user_id, TenantVisit.state.in_(("asked", "granted"))
        await session.execute(update(TenantVisit).where(*open_ones).values(state="ended", ended_at=clock.now()))
        visiting = UserSession.user_id == user_id, UserSession.visit_id.is_not(None)
        await session.execute(delete(UserSession).where(*visiting))
    forget(user_ids=[user_id])
    return True


async def is_known(sign_in_name: str) -> bool:
    """Whether somebody has that sign-in name."""
    async with platform_transaction() as session:
        found = select(User.id).where(User.sign_in_name == sign_in_name.strip().lower())
        return await session.scalar(found) is not None


async def _check_code(user_id: UUID, code: Secret) -> None:
    await count_attempts(second_factor.code_keys(user_id))
    typed = await second_factor.read_code(user_id, code)
    async with platform_transaction() as session:
        used = await second_factor.use_code(session, user_id, typed)
    if used is None:
        metrics.SIGN_INS.labels(outcome="refused").inc()
        raise WrongSignIn(field="code", reason="code")


async def _is_operator(session: AsyncSession, user_id: UUID) -> bool:
    found = select(PlatformOperator.user_id).where(PlatformOperator.user_id == user_id)
    return await session.scalar(found) is not None


async def _second_step_on(session: AsyncSession, user_id: UUID) -> bool:
    on = select(SecondFactor.user_id).where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))
    return await session.scalar(on) is not None


async def _open(
    session: AsyncSession, user_id: UUID, address: str | None, user_agent: str | None
) -> NewOperatorSession:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = clock.now()
    expires_at = now + SESSION_LIFETIME
    old = select(OperatorSession.digest).where(OperatorSession.expires_at < now).limit(CLEAN_UP_ROWS)
    await session.execute(delete(OperatorSession).where(OperatorSession.digest.in_(old.scalar_subquery())))
    await session.execute(
        insert(OperatorSession).values(
            digest=digest_of(token),
            id=new_id(),
            user_id=user_id,
            created_at=now,
            expires_at=expires_at,
            address=address,
            user_agent=user_agent[:MAX_USER_AGENT_CHARACTERS] if user_agent else None,
        )
    )
    return NewOperatorSession(token, expires_at)
