"""A person's second factor: an authenticator app and ten recovery codes. Turned on, used, renewed, turned off.

The app's secret is sealed; of recovery codes only slow digests are kept. A code of the app counts once, a recovery
code is used once.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel import audit, clock
from huitouke.kernel.access import passwords, totp
from huitouke.kernel.access.models import Membership, RecoveryCode, SecondFactor, User, UserSession
from huitouke.kernel.access.resolver import current_resolver
from huitouke.kernel.access.service import (
    WrongSignIn,
    count_attempts,
    forget_attempts,
    refuse_if_elsewhere,
    throttle_keys,
)
from huitouke.kernel.access.signed_in import digest_of, forget
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.errors import Conflict, NotFound
from huitouke.kernel.keys import Secret, seal, unseal

ISSUER: Final = "回头客"
"""Under which the app lists the code."""

RECOVERY_CODES: Final = 10
RECOVERY_CODE_CHARACTERS: Final = 10
RECOVERY_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""No 0 and O, no 1 and I. 32 characters: a code has 50 bits."""

MAX_WRONG_CODES: Final = 10
"""Within a quarter of an hour, wherever they are typed; only a right code forgives them, a right password doesn't."""

MAX_TYPED_CHARACTERS: Final = 40

Kind = Literal["app", "recovery"]


class SecondFactorOn(Conflict):
    """It is on already: turned off first, it can be set up for another phone."""

    type = "access.second_factor_on"


class SecondFactorOff(Conflict):
    """It is not on, or was not begun."""

    type = "access.second_factor_off"


@dataclass(frozen=True, slots=True)
class State:
    """`on_since` is null while it is off."""

    on_since: datetime | None
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class Begun:
    """What the app needs; shown once."""

    secret: Secret
    uri: Secret
    """The same for a QR code."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A code as it was typed, made ready to compare: six digits, a recovery code's digest, or neither."""

    digits: str | None = None
    recovery_digest: bytes | None = None


async def state_of(user_id: UUID) -> State:
    """Whether it is on, and how many recovery codes are left."""
    async with platform_transaction() as session:
        on_since = await session.scalar(select(SecondFactor.confirmed_at).where(SecondFactor.user_id == user_id))
        return State(on_since, await _codes_left(session, user_id) if on_since is not None else 0)


async def begin(context: Context, password: Secret) -> Begun:
    """Makes a secret for the app. Nothing is asked for at sign-in until a code of it was right (`confirm`).

    Raises:
        WrongSignIn: the password is wrong.
        SecondFactorOn: it is on.
        SignInThrottled: too many wrong passwords.
    """
    user = await _proven(context, password)
    secret = totp.new_secret()
    now = clock.now()
    fresh = {
        "secret_sealed": seal(None, "second_factors", "secret_sealed", user.id, secret),
        "created_at": now,
        "last_step": 0,
    }
    async with transaction(context) as ctx:
        made = await ctx.session.scalar(
            insert(SecondFactor)
            .values(user_id=user.id, **fresh)
            .on_conflict_do_update(index_elements=["user_id"], set_=fresh, where=SecondFactor.confirmed_at.is_(None))
            .returning(SecondFactor.user_id)
        )
        if made is None:
            raise SecondFactorOn
        await forget_attempts(ctx.session, throttle_keys(user.sign_in_name, None))
    return Begun(secret, Secret(totp.key_uri(secret, issuer=ISSUER, account=user.sign_in_name)))


async def confirm(context: Context, code: Secret, *, keep_token: str) -> Sequence[str]:
    """Turns it on, ends the person's other sessions, and gives the recovery codes, which nobody can look up later.

    Raises:
        WrongSignIn: that is not what the app shows.
        SecondFactorOff: it was not begun; SecondFactorOn: it is on.
        SignInThrottled: too many wrong codes.
    """
    user_id = _user_id(context)
    keys = code_keys(user_id)
    await count_attempts(keys)
    typed = await read_code(user_id, code)
    codes, digests = await _new_codes(user_id)
    async with transaction(context) as ctx:
        begun = (
            await ctx.session.execute(
                select(SecondFactor.secret_sealed, SecondFactor.confirmed_at)
                .where(SecondFactor.user_id == user_id)
                .with_for_update()
            )
        ).one_or_none()
        if begun is None:
            raise SecondFactorOff
        if begun.confirmed_at is not None:
            raise SecondFactorOn
        step = _step(user_id, begun.secret_sealed, typed, after=0)
        if step is None:
            raise _wrong_code()
        now = clock.now()
        await ctx.session.execute(
            update(SecondFactor).where(SecondFactor.user_id == user_id).values(confirmed_at=now, last_step=step)
        )
        await _store_codes(ctx.session, user_id, digests)
        await ctx.session.execute(
            delete(UserSession).where(UserSession.user_id == user_id, UserSession.digest != digest_of(keep_token))
        )
        await forget_attempts(ctx.session, keys)
        await _note(ctx, "access.second_step_on")
        ctx.after_commit(lambda: forget(user_ids=[user_id]))
    return codes


async def renew_recovery_codes(context: Context, password: Secret, code: Secret) -> Sequence[str]:
    """Ten new recovery codes; the earlier ones don't work any more.

    Raises:
        WrongSignIn: the password or the code is wrong; its field says which.
        SecondFactorOff: it is not on.
        SignInThrottled: too many wrong ones.
    """
    user_id = _user_id(context)
    keys, typed = await _proven_twice(context, password, code)
    codes, digests = await _new_codes(user_id)
    async with transaction(context) as ctx:
        await _used_or_refused(ctx.session, user_id, typed)
        await _store_codes(ctx.session, user_id, digests)
        await forget_attempts(ctx.session, keys)
        await _note(ctx, "access.recovery_codes_renewed")
    return codes


async def turn_off(context: Context, password: Secret, code: Secret) -> None:
    """Signing in takes the password alone again.

    Raises:
        WrongSignIn: the password or the code is wrong; its field says which.
        SecondFactorOff: it is not on.
        SignInThrottled: too many wrong ones.
    """
    user_id = _user_id(context)
    keys, typed = await _proven_twice(context, password, code)
    async with transaction(context) as ctx:
        await _used_or_refused(ctx.session, user_id, typed)
        await ctx.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
        await forget_attempts(ctx.session, keys)
        await _note(ctx, "access.second_step_off")


async def prove(user_id: UUID, code: Secret | None) -> None:
    """Lets pass who has no second step on, or gave a code that counts; the code is used up.

    Raises:
        WrongSignIn: it is on, and the code is missing or wrong.
        SignInThrottled: too many wrong ones.
    """
    if (await state_of(user_id)).on_since is None:
        return
    if code is None:
        raise _wrong_code()
    keys = code_keys(user_id)
    await count_attempts(keys)
    typed = await read_code(user_id, code)
    async with platform_transaction() as session:
        if await use_code(session, user_id, typed) is None:
            raise _wrong_code()
        await forget_attempts(session, keys)


async def remove_for(ctx: Context, user_id: UUID) -> bool:
    """Takes it from a colleague who lost the phone, with codes and open challenges; whether there was one that was on.

    Raises:
        WorksElsewhere: the person belongs to another merchant too, whose door this would weaken.
    """
    await refuse_if_elsewhere(ctx, user_id)
    return await _remove(ctx.session, user_id)


async def remove_by_name(sign_in_name: str) -> bool:
    """The same by who runs the installation, for somebody whom no colleague can help; whether there was one.

    Raises:
        NotFound: nobody has that sign-in name.
    """
    async with platform_transaction() as session:
        user_id = await session.scalar(select(User.id).where(User.sign_in_name == sign_in_name.strip().lower()))
        if user_id is None:
            raise NotFound(kind="user")
        tenants = list(
            await session.scalars(
                select(Membership.tenant_id).where(Membership.user_id == user_id, Membership.state == "active")
            )
        )
        removed = await _remove(session, user_id)
    for tenant_id in tenants if removed else ():
        async with transaction(Context(tenant_id, Actor(ActorKind.PLATFORM_OPERATOR))) as ctx:
            granted = await current_resolver()(ctx, user_id)
            if granted is not None:
                name = {"name": granted.display_name}
                await audit.record(ctx, "access.second_step_removed", "staff", granted.staff_id, after=name)
    return removed


async def read_code(user_id: UUID, code: Secret) -> Typed:
    """Makes a typed code ready to compare. Blanks and dashes don't count, nor how wide or tall the characters are."""
    text = code.reveal()
    if len(text) > MAX_TYPED_CHARACTERS:
        return Typed()
    plain = "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())
    if len(plain) == totp.DIGITS and plain.isascii() and plain.isdigit():
        return Typed(digits=plain)
    if len(plain) == RECOVERY_CODE_CHARACTERS and set(plain) <= set(RECOVERY_ALPHABET):
        return Typed(recovery_digest=await _digest(user_id, plain))
    return Typed()


async def use_code(session: AsyncSession, user_id: UUID, typed: Typed) -> Kind | None:
    """Uses the code up in the caller's transaction; None when it is wrong, was used, or nothing is on.

    Of two requests with the same code one gets it: the row is changed only where it is still unused.
    """
    if typed.recovery_digest is not None:
        used = await session.scalar(
            update(RecoveryCode)
            .where(
                RecoveryCode.user_id == user_id,
                RecoveryCode.digest == typed.recovery_digest,
                RecoveryCode.used_at.is_(None),
            )
            .values(used_at=clock.now())
            .returning(RecoveryCode.user_id)
        )
        return "recovery" if used is not None else None
    on = (SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))
    row = (await session.execute(select(SecondFactor.secret_sealed, SecondFactor.last_step).where(*on))).one_or_none()
    step = _step(user_id, row.secret_sealed, typed, after=row.last_step) if row is not None else None
    if step is None:
        return None
    moved = update(SecondFactor).where(*on, SecondFactor.last_step < step).values(last_step=step)
    return "app" if await session.scalar(moved.returning(SecondFactor.user_id)) is not None else None


async def note_recovery_code(ctx: Context) -> None:
    """Writes down that the context's person came in with a recovery code, and how many are left."""
    left = await _codes_left(ctx.session, _user_id(ctx))
    await _note(ctx, "access.recovery_code_used", {"recovery_codes_left": left})


def code_keys(user_id: UUID) -> dict[str, int]:
    """What wrong codes are counted under, with the limit."""
    return {f"code:{user_id}": MAX_WRONG_CODES}


async def _proven(context: Context, password: Secret) -> User:
    """The context's person, who knows the password. The try is counted; the caller forgets it."""
    async with platform_transaction() as session:
        user = (await session.execute(select(User).where(User.id == _user_id(context)))).scalar_one()
    await count_attempts(throttle_keys(user.sign_in_name, None))
    if not await passwords.verify_password(password, user.password_hash):
        raise WrongSignIn(field="password", reason="password")
    return user


async def _proven_twice(context: Context, password: Secret, code: Secret) -> tuple[dict[str, int], Typed]:
    """The keys under which the try was counted, and the code made ready; the password was right."""
    user = await _proven(context, password)
    await count_attempts(code_keys(user.id))
    return throttle_keys(user.sign_in_name, None) | code_keys(user.id), await read_code(user.id, code)


async def _used_or_refused(session: AsyncSession, user_id: UUID, typed: Typed) -> None:
    on = select(SecondFactor.user_id).where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None))
    if await session.scalar(on) is None:
        raise SecondFactorOff
    if await use_code(session, user_id, typed) is None:
        raise _wrong_code()


def _wrong_code() -> WrongSignIn:
    """One text for wrong, old and used: nobody learns from it which it was."""
    return WrongSignIn(field="code", reason="code")


def _step(user_id: UUID, sealed: str, typed: Typed, *, after: int) -> int | None:
    secret = unseal(None, "second_factors", "secret_sealed", user_id, sealed)
    return totp.matching_step(secret, typed.digits or "", clock.now(), after=after)


async def _new_codes(user_id: UUID) -> tuple[list[str], list[bytes]]:
    """Fresh recovery codes, and what is kept of them."""
    codes = [
        "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_CODE_CHARACTERS))
        for _ in range(RECOVERY_CODES)
    ]
    half = RECOVERY_CODE_CHARACTERS // 2
    digests = [await _digest(user_id, code) for code in codes]
    return [f"{code[:half]}-{code[half:]}" for code in codes], digests


async def _digest(user_id: UUID, code: str) -> bytes:
    """50 bits are too few for a plain hash: a stolen table would be tried through. Salted with the person's id."""
    return await passwords.slow_digest(code, salt=user_id.bytes)


async def _store_codes(session: AsyncSession, user_id: UUID, digests: Sequence[bytes]) -> None:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    await session.execute(insert(RecoveryCode).values([{"user_id": user_id, "digest": each} for each in digests]))


async def _codes_left(session: AsyncSession, user_id: UUID) -> int:
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return await session.scalar(unused) or 0


async def _remove(session: AsyncSession, user_id: UUID) -> bool:
    removed = delete(SecondFactor).where(SecondFactor.user_id == user_id).returning(SecondFactor.confirmed_at)
    return await session.scalar(removed) is not None


async def _note(ctx: Context, action: str, after: dict[str, object] | None = None) -> None:
    """An entry of the audit log about the context's own person."""
    await audit.record(ctx, action, "staff", ctx.actor.id or _user_id(ctx), after=after)


def _user_id(context: Context) -> UUID:
    user_id = context.actor.user_id
    if user_id is None:
        raise ValueError("only a person who signs in has a second factor")
    return user_id
