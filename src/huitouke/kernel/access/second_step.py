"""The second step of signing in: a challenge and a code become a session."""

from __future__ import annotations

from dataclasses import replace

import structlog
from sqlalchemy import select

from huitouke.kernel.access import challenges, second_factor
from huitouke.kernel.access.challenges import ChallengeGone, Taken
from huitouke.kernel.access.models import User
from huitouke.kernel.access.resolver import current_resolver
from huitouke.kernel.access.service import (
    NewSession,
    NoTenant,
    WrongSignIn,
    check_door,
    count_attempts,
    forget_attempts,
    open_session,
    throttle_keys,
)
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.keys import Secret
from huitouke.kernel.observability import metrics

log = structlog.get_logger(__name__)


async def finish_sign_in(
    token: Secret, code: Secret, *, address: str | None = None, user_agent: str | None = None
) -> NewSession:
    """Opens the session that the password alone did not open; `code` is the app's or a recovery code.

    Every try is counted against the challenge, the name, the address and the person's codes before the code is looked
    at; a right one wipes the counts.

    Raises:
        ChallengeGone: too late, five wrong codes, or used already.
        WrongSignIn: the code is wrong, old or used; nobody is told which.
        SignInThrottled: too many wrong ones within a quarter of an hour.
        NoTenant, TenantSuspended: the merchant's door was shut meanwhile.
    """
    async with platform_transaction() as session:
        taken = await challenges.take_attempt(session, token)
        name = await session.scalar(select(User.sign_in_name).where(User.id == taken.user_id)) if taken else None
    if taken is None or name is None:
        raise ChallengeGone
    keys = throttle_keys(name, address) | second_factor.code_keys(taken.user_id)
    await count_attempts(keys)
    typed = await second_factor.read_code(taken.user_id, code)
    context = Context(taken.tenant_id, Actor(ActorKind.STAFF, user_id=taken.user_id), address=address)
    async with transaction(context) as ctx:
        used = await second_factor.use_code(ctx.session, taken.user_id, typed)
        if used is None:
            metrics.SIGN_INS.labels(outcome="refused").inc()
            log.info("access.second_step_refused", user_id=taken.user_id, address=address)
            raise WrongSignIn(field="code", reason="code")
        await challenges.end_challenge(ctx.session, token)
        await check_door(ctx.session, taken.user_id, taken.tenant_id)
        if used == "recovery":
            await second_factor.note_recovery_code(await _as_staff(ctx, taken))
        await forget_attempts(ctx.session, keys)
        opened = await open_session(ctx.session, taken.user_id, taken.tenant_id, address, user_agent)
    metrics.SIGN_INS.labels(outcome="done").inc()
    log.info("access.signed_in", user_id=taken.user_id, tenant_id=taken.tenant_id, address=address, second_step=used)
    return opened


async def _as_staff(ctx: Context, taken: Taken) -> Context:
    """The context of who is on the way in, with the id that the merchant knows the person by."""
    granted = await current_resolver()(ctx, taken.user_id)
    if granted is None:
        raise NoTenant
    return replace(ctx, actor=replace(ctx.actor, id=granted.staff_id))
