"""Use cases of signing in: users, memberships, sessions, passwords."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import case, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel import clock
from huitouke.kernel.access import passwords
from huitouke.kernel.access.challenges import Challenge, challenge_if_on, end_challenges
from huitouke.kernel.access.models import Membership, User, UserSession
from huitouke.kernel.access.near import names_near
from huitouke.kernel.access.signed_in import SESSION_LIFETIME, digest_of, forget, suspended
from huitouke.kernel.context import DEFAULT_LOCALE, Context
from huitouke.kernel.database import platform_transaction
from huitouke.kernel.errors import Conflict, InvalidInput, PermissionMissing, RateLimited, Unauthenticated
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.locales import LOCALES
from huitouke.kernel.observability import metrics

TOKEN_BYTES: Final = 32
MAX_ATTEMPTS_PER_NAME: Final = 10
MAX_ATTEMPTS_PER_ADDRESS: Final = 60
THROTTLE_WINDOW: Final = timedelta(minutes=15)
MAX_SIGN_IN_NAME_CHARACTERS: Final = 64
MAX_USER_AGENT_CHARACTERS: Final = 300
NAME: Final = "name:"
ADDRESS: Final = "address:"
"""What the keys of the throttle begin with."""

NO_PASSWORD: Final = ""
"""Stands where the hash would; no password fits it."""

CLEAN_UP_ROWS: Final = 100
"""Expired sessions and windows removed at each sign-in: they can't pile up, and no sign-in waits long for it."""

log = structlog.get_logger(__name__)


class WrongSignIn(Unauthenticated):
    """Name or password is wrong, never says which; or a code is, never says why."""

    type = "access.wrong_sign_in"


class SignInThrottled(RateLimited):
    """Too many wrong passwords or codes for this name, or from this address."""

    type = "access.sign_in_throttled"


class SignInNameTaken(Conflict):
    """Somebody has that sign-in name already."""

    type = "access.sign_in_name_taken"


class WorksElsewhere(Conflict):
    """The person also works for another merchant, whose door this one may not open."""

    type = "access.works_elsewhere"


class NoTenant(PermissionMissing):
    """The person belongs to no merchant (any more)."""

    type = "access.no_tenant"


@dataclass(frozen=True, slots=True)
class NewSession:
    """A fresh session; the token is known only here and in the browser's cookie."""

    token: str
    expires_at: datetime


async def create_user(
    session: AsyncSession,
    *,
    sign_in_name: str,
    password: Secret | None,
    display_name: str,
    locale: str = DEFAULT_LOCALE,
    near: Sequence[str] = (),
) -> UUID:
    """Makes a user in the caller's transaction; gives its id. `near`: the shop's name, which is nobody's password.

    Without a password nobody can sign in as the user until they have set one by a link (`links.make_link`).

    Raises:
        InvalidInput: the name is empty, too long or has blanks; `WeakPassword` for the password.
        SignInNameTaken: somebody has that name.
    """
    name = normalised_name(sign_in_name)
    password_hash = NO_PASSWORD
    if password is not None:
        passwords.check_new_password(password, sign_in_name=name, near=(display_name, *near))
        password_hash = await passwords.hash_password(password)
    now = clock.now()
    made = await session.execute(
        insert(User)
        .values(
            id=new_id(),
            sign_in_name=name,
            password_hash=password_hash,
            display_name=display_name,
            locale=locale if locale in LOCALES else DEFAULT_LOCALE,
            state="active",
            created_at=now,
            password_changed_at=now,
        )
        .on_conflict_do_nothing(index_elements=["sign_in_name"])
        .returning(User.id)
    )
    user_id = made.scalar_one_or_none()
    if user_id is None:
        raise SignInNameTaken(field="sign_in_name", name=name)
    return user_id


async def add_membership(context: Context, user_id: UUID) -> None:
    """Lets the user enter the context's tenant; called together with the writing of the staff row."""
    await context.session.execute(
        insert(Membership)
        .values(user_id=user_id, tenant_id=context.tenant_id, state="active", created_at=clock.now())
        .on_conflict_do_update(index_elements=["user_id", "tenant_id"], set_={"state": "active"})
    )
    context.after_commit(lambda: forget(user_ids=[user_id]))


async def end_membership(context: Context, user_id: UUID) -> None:
    """Shuts the tenant to the user and ends the user's sessions there."""
    await context.session.execute(
        update(Membership)
        .where(Membership.user_id == user_id, Membership.tenant_id == context.tenant_id)
        .values(state="ended")
    )
    await context.session.execute(
        delete(UserSession).where(UserSession.user_id == user_id, UserSession.tenant_id == context.tenant_id)
    )
    context.after_commit(lambda: forget(user_ids=[user_id]))


async def end_memberships(context: Context, user_ids: Sequence[UUID]) -> None:
    """`end_membership` for several people at once."""
    if not user_ids:
        return
    await context.session.execute(
        update(Membership)
        .where(Membership.user_id.in_(user_ids), Membership.tenant_id == context.tenant_id)
        .values(state="ended")
        .execution_options(synchronize_session=False)
    )
    await context.session.execute(
        delete(UserSession)
        .where(UserSession.user_id.in_(user_ids), UserSession.tenant_id == context.tenant_id)
        .execution_options(synchronize_session=False)
    )
    context.after_commit(lambda: forget(user_ids=list(user_ids)))


async def rename_users(context: Context, display_names: Mapping[UUID, str]) -> None:
    """Changes the names that are shown for several people."""
    if not display_names:
        return
    await context.session.execute(
        update(User)
        .where(User.id.in_(list(display_names)))
        .values(display_name=case(dict(display_names), value=User.id))
        .execution_options(synchronize_session=False)
    )
    context.after_commit(lambda: forget(user_ids=list(display_names)))


async def rename_user(context: Context, user_id: UUID, display_name: str) -> None:
    """Changes the name that is shown for the user."""
    await context.session.execute(update(User).where(User.id == user_id).values(display_name=display_name))
    context.after_commit(lambda: forget(user_ids=[user_id]))


def rights_changed(context: Context, *user_ids: UUID) -> None:
    """Makes changed permissions count at once in this process, in others within five seconds."""
    context.after_commit(lambda: forget(user_ids=user_ids))


async def sign_in(
    sign_in_name: str, password: Secret, *, address: str | None = None, user_agent: str | None = None
) -> NewSession | Challenge:
    """Opens a session in the first tenant that the user may enter; or asks for a code first, where the user wants that.

    Every attempt is counted before the password is looked at, so that parallel guesses can't slip through, and
    forgotten when it was right. Unknown names cost the same work and are counted alike. While a code is still owed the
    name's count stays: else who has the password could begin anew for ever and try codes.

    Raises:
        SignInThrottled: 10 wrong passwords for the name, or 60 from the address, within 15 minutes.
        WrongSignIn: name or password is wrong, or the user is disabled.
        NoTenant: the user belongs to no tenant.
        TenantSuspended: the user's tenants are suspended or closed.
    """
    name = sign_in_name.strip().lower()
    keys = throttle_keys(name, address)
    await count_attempts(keys)
    async with platform_transaction() as session:
        user = (await session.execute(select(User).where(User.sign_in_name == name))).scalar_one_or_none()
    right = await passwords.verify_password(password, user.password_hash if user is not None else None)
    if user is None or not right or user.state != "active":
        metrics.SIGN_INS.labels(outcome="refused").inc()
        log.info("access.sign_in_refused", user_id=user.id if user is not None else None, address=address)
        raise WrongSignIn
    new_hash = await passwords.hash_password(password) if passwords.needs_new_hash(user.password_hash) else None
    async with platform_transaction() as session:
        if new_hash is not None:
            await session.execute(update(User).where(User.id == user.id).values(password_hash=new_hash))
        tenant_id = await _first_tenant(session, user.id)
        challenge = await challenge_if_on(session, user.id, tenant_id)
        if challenge is not None:
            await forget_attempts(session, {key: limit for key, limit in keys.items() if key.startswith(ADDRESS)})
            await _clean_up(session)
            return challenge
        await forget_attempts(session, keys)
        opened = await open_session(session, user.id, tenant_id, address, user_agent)
        await _clean_up(session)
    metrics.SIGN_INS.labels(outcome="done").inc()
    log.info("access.signed_in", user_id=user.id, tenant_id=tenant_id, address=address)
    return opened


async def sign_in_proven(
    user_id: UUID, tenant_id: UUID, *, address: str | None = None, user_agent: str | None = None
) -> NewSession | Challenge:
    """Opens a session for somebody whom another door (WeCom) has proven; or asks for a code first, as with a password.

    Raises:
        NoTenant: the user was disabled or does not belong there any more.
        TenantSuspended: the tenant is suspended or closed.
    """
    async with platform_transaction() as session:
        await check_door(session, user_id, tenant_id)
        admitted: NewSession | Challenge | None = await challenge_if_on(session, user_id, tenant_id)
        if admitted is None:
            admitted = await open_session(session, user_id, tenant_id, address, user_agent)
        await _clean_up(session)
    if isinstance(admitted, NewSession):
        metrics.SIGN_INS.labels(outcome="done").inc()
        log.info("access.signed_in", user_id=user_id, tenant_id=tenant_id, address=address)
    return admitted


async def sign_out(token: str) -> None:
    """Ends the session of that token; nothing happens when there is none."""
    digest = digest_of(token)
    async with platform_transaction() as session:
        await session.execute(delete(UserSession).where(UserSession.digest == digest))
    forget(digest=digest)


async def change_password(user_id: UUID, old: Secret, new: Secret, *, keep_token: str) -> None:
    """Sets a new password and ends all other sessions of the user.

    Raises:
        SignInThrottled: too many wrong old passwords.
        WrongSignIn: the old password is wrong; its field is `old_password`.
        WeakPassword: the new one may not be chosen; its field is `new_password`.
    """
    async with platform_transaction() as session:
        user = (await session.execute(select(User).where(User.id == user_id))).scalar_one()
        near = await names_near(session, user_id)
    keys = throttle_keys(user.sign_in_name, None)
    passwords.check_new_password(new, sign_in_name=user.sign_in_name, near=near, field="new_password")
    await count_attempts(keys)
    if not await passwords.verify_password(old, user.password_hash):
        raise WrongSignIn(field="old_password", reason="old_password")
    password_hash = await passwords.hash_password(new)
    async with platform_transaction() as session:
        await forget_attempts(session, keys)
        await session.execute(
            update(User).where(User.id == user_id).values(password_hash=password_hash, password_changed_at=clock.now())
        )
        await session.execute(
            delete(UserSession).where(UserSession.user_id == user_id, UserSession.digest != digest_of(keep_token))
        )
        await end_challenges(session, user_id)
    forget(user_ids=[user_id])


async def set_password(context: Context, user_id: UUID, new: Secret) -> None:
    """Sets another person's password (by who may manage staff) and ends all of that person's sessions.

    Raises:
        WeakPassword: it may not be chosen.
        WorksElsewhere: the person belongs to another merchant too.
    """
    await refuse_if_elsewhere(context, user_id)
    session = context.session
    name = (await session.execute(select(User.sign_in_name).where(User.id == user_id))).scalar_one()
    passwords.check_new_password(new, sign_in_name=name, near=await names_near(session, user_id))
    await session.execute(
        update(User)
        .where(User.id == user_id)
        .values(password_hash=await passwords.hash_password(new), password_changed_at=clock.now())
    )
    await session.execute(delete(UserSession).where(UserSession.user_id == user_id))
    await end_challenges(session, user_id)
    context.after_commit(lambda: forget(user_ids=[user_id]))


async def refuse_if_elsewhere(context: Context, user_id: UUID) -> None:
    """Who manages staff here decides about this merchant's door only, not about one where the person works as well.

    Raises:
        WorksElsewhere: the person belongs to another merchant too.
    """
    elsewhere = select(Membership.tenant_id).where(
        Membership.user_id == user_id, Membership.tenant_id != context.tenant_id, Membership.state == "active"
    )
    if await context.session.scalar(elsewhere.limit(1)) is not None:
        raise WorksElsewhere


async def without_password(context: Context, user_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the users who were invited and have not set a password yet, with one query."""
    waiting = select(User.id).where(User.id.in_(set(user_ids)), User.password_hash == NO_PASSWORD)
    return set(await context.session.scalars(waiting))


async def set_locale(user_id: UUID, locale: str) -> None:
    """Sets the language in which the user reads the console and its errors.

    Raises:
        InvalidInput: we don't speak it.
    """
    if locale not in LOCALES:
        raise InvalidInput(field="locale", reason="unknown_locale")
    async with platform_transaction() as session:
        await session.execute(update(User).where(User.id == user_id).values(locale=locale))
    forget(user_ids=[user_id])


def normalised_name(sign_in_name: str) -> str:
    """The name as it is kept: no blanks around, lower case.

    Raises:
        InvalidInput: it is empty, too long, or has blanks or control characters within.
    """
    name = sign_in_name.strip().lower()
    if not name or len(name) > MAX_SIGN_IN_NAME_CHARACTERS or any(c.isspace() or not c.isprintable() for c in name):
        raise InvalidInput(field="sign_in_name", reason="sign_in_name", maximum=MAX_SIGN_IN_NAME_CHARACTERS)
    return name


async def _first_tenant(session: AsyncSession, user_id: UUID) -> UUID:
    rows = (
        await session.execute(
            text(
                "SELECT t.id, t.state, t.state_reason FROM memberships AS m JOIN tenants AS t ON t.id = m.tenant_id"
                " WHERE m.user_id = :user_id AND m.state = 'active'"
                " ORDER BY t.state <> 'active', m.created_at, t.id LIMIT 1"
            ),
            {"user_id": user_id},
        )
    ).all()
    if not rows:
        raise NoTenant
    if rows[0].state != "active":
        raise suspended(rows[0].state, rows[0].state_reason)
    tenant_id: UUID = rows[0].id
    return tenant_id


async def check_door(session: AsyncSession, user_id: UUID, tenant_id: UUID) -> None:
    """Lets pass whoever may still enter that tenant.

    Raises:
        NoTenant: the user was disabled or does not belong there any more.
        TenantSuspended: the tenant is suspended or closed.
    """
    found = await session.execute(
        text(
            "SELECT t.state, t.state_reason FROM memberships AS m JOIN tenants AS t ON t.id = m.tenant_id"
            " JOIN users AS u ON u.id = m.user_id AND u.state = 'active'"
            " WHERE m.user_id = :user_id AND m.tenant_id = :tenant_id AND m.state = 'active'"
        ),
        {"user_id": user_id, "tenant_id": tenant_id},
    )
    tenant = found.one_or_none()
    if tenant is None:
        raise NoTenant
    if tenant.state != "active":
        raise suspended(tenant.state, tenant.state_reason)


async def open_session(
    session: AsyncSession,
    user_id: UUID,
    tenant_id: UUID,
    address: str | None,
    user_agent: str | None,
    *,
    visit: tuple[UUID, datetime] | None = None,
) -> NewSession:
    """Signs the user in, in the caller's transaction; who they are has been proven before.

    `visit`: a platform operator's, with its end.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    now = clock.now()
    visit_id, expires_at = visit if visit is not None else (None, now + SESSION_LIFETIME)
    await session.execute(
        insert(UserSession).values(
            digest=digest_of(token),
            id=new_id(),
            user_id=user_id,
            tenant_id=tenant_id,
            created_at=now,
            expires_at=expires_at,
            address=address,
            user_agent=user_agent[:MAX_USER_AGENT_CHARACTERS] if user_agent else None,
            visit_id=visit_id,
        )
    )
    return NewSession(token, expires_at)


def throttle_keys(name: str, address: str | None) -> dict[str, int]:
    """Keys with their limits. A name is kept as a digest: people type their password there by mistake."""
    keys = {f"{NAME}{hashlib.sha256(name.encode()).hexdigest()[:32]}": MAX_ATTEMPTS_PER_NAME}
    if address:
        keys[f"{ADDRESS}{address}"] = MAX_ATTEMPTS_PER_ADDRESS
    return keys


async def count_attempts(limits: dict[str, int]) -> None:
    """Counts a try for each key, before anything is looked at.

    Raises:
        SignInThrottled: one of them has had more than its limit within a quarter of an hour.
    """
    if not limits:
        return
    now = clock.now()
    async with platform_transaction() as session:
        rows = (
            await session.execute(
                text(
                    "INSERT INTO sign_in_throttles AS t (key, attempts, window_ends_at)"
                    " SELECT k, 1, CAST(:ends_at AS timestamptz) FROM unnest(CAST(:keys AS text[])) AS k ORDER BY k"
                    " ON CONFLICT (key) DO UPDATE SET"
                    " attempts = CASE WHEN t.window_ends_at <= :now THEN 1 ELSE t.attempts + 1 END,"
                    " window_ends_at = CASE WHEN t.window_ends_at <= :now THEN :ends_at ELSE t.window_ends_at END"
                    " RETURNING key, attempts, window_ends_at"
                ),
                {"keys": list(limits), "ends_at": now + THROTTLE_WINDOW, "now": now},
            )
        ).all()
    over = [row.window_ends_at for row in rows if row.attempts > limits[row.key]]
    if over:
        metrics.SIGN_INS.labels(outcome="throttled").inc()
        seconds = max(1, int((max(over) - now).total_seconds()))
        raise SignInThrottled(retry_after_seconds=seconds, minutes=ceil(seconds / 60))


async def forget_attempts(session: AsyncSession, limits: dict[str, int]) -> None:
    """What was right wipes the counts of the person and takes itself off the address's."""
    addresses = [key for key in limits if key.startswith(ADDRESS)]
    others = [key for key in limits if key not in addresses]
    await session.execute(text("DELETE FROM sign_in_throttles WHERE key = ANY(:keys)"), {"keys": others})
    await session.execute(
        text("UPDATE sign_in_throttles SET attempts = attempts - 1 WHERE key = ANY(:keys) AND attempts > 0"),
        {"keys": addresses},
    )


async def _clean_up(session: AsyncSession) -> None:
    now = clock.now()
    for table, column, key in (
        ("sessions", "expires_at", "digest"),
        ("sign_in_throttles", "window_ends_at", "key"),
        ("sign_in_challenges", "expires_at", "digest"),
    ):
        await session.execute(
            text(
                f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table}"  # noqa: S608 - names from above
                f" WHERE {column} < :now ORDER BY {column} LIMIT {CLEAN_UP_ROWS} FOR UPDATE SKIP LOCKED)"
            ),
            {"now": now},
        )
