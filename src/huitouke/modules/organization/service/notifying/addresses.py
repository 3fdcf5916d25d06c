"""A person's own e-mail address, proven by a code that was sent there."""

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from huitouke import mail
from huitouke.kernel import audit, clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, OutsideFailed, RateLimited
from huitouke.kernel.locales import translate
from huitouke.modules.organization.notice_models import AddressCode
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.mailing import can_mail, clean_address, send_mail
from huitouke.modules.organization.service.notifying.choosing import keep, oneself
from huitouke.modules.organization.service.notifying.kinds import EMAIL

LIFETIME: Final = timedelta(minutes=15)
EVERY: Final = timedelta(minutes=1)
MAX_ATTEMPTS: Final = 5
DIGITS: Final = 6


async def send_code(context: Context, address: str) -> None:
    """Mails a code to the address that the person says is theirs; an earlier code ends. At most one a minute.

    Opens a transaction of its own before the call. Raises InvalidInput, NoMail, RateLimited, OutsideFailed.
    """
    if not can_mail():
        raise problems.NoMail
    to = clean_address(address)
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    async with transaction(context) as ctx:
        await _begin(ctx, to, code)
    subject = translate(context.locale, "mails.code.subject")
    try:
        await send_mail(to, subject, translate(context.locale, "mails.code.text", code=code))
    except mail.MailError as error:
        raise OutsideFailed(reason=mail.explain(error.reason, context.locale)) from None


async def confirm(context: Context, code: str) -> None:
    """The address is the person's: notices and links may go there.

    A try counts before the code is looked at, and also when it was wrong. Raises InvalidInput, CodeGone.
    """
    async with transaction(context) as ctx:
        row = (
            await ctx.session.execute(
                update(AddressCode)
                .where(
                    AddressCode.staff_id == oneself(ctx),
                    AddressCode.channel == EMAIL,
                    AddressCode.expires_at > clock.now(),
                    AddressCode.attempts < MAX_ATTEMPTS,
                )
                .values(attempts=AddressCode.attempts + 1)
                .returning(AddressCode.address, AddressCode.digest)
                .execution_options(synchronize_session=False)
            )
        ).one_or_none()
    if row is None:
        raise problems.CodeGone
    async with transaction(context) as ctx:
        if not hmac.compare_digest(row.digest, _digest(ctx, code.strip())):
            raise InvalidInput(field="code", reason="code")
        await _end(ctx)
        await keep(ctx, email=row.address)
        await audit.record(ctx, "organization.own_email_proven", "staff", oneself(ctx))


async def forget(ctx: Context) -> None:
    """The person takes the address away."""
    await _end(ctx)
    await keep(ctx, email=None)
    await audit.record(ctx, "organization.own_email_removed", "staff", oneself(ctx))


async def _begin(ctx: Context, address: str, code: str) -> None:
    now = clock.now()
    mine = (AddressCode.staff_id == oneself(ctx), AddressCode.channel == EMAIL)
    last = await ctx.session.scalar(select(AddressCode.created_at).where(*mine).with_for_update())
    if last is not None and now - last < EVERY:
        raise RateLimited(retry_after_seconds=int((EVERY - (now - last)).total_seconds()) + 1)
    values = {
        "address": address,
        "digest": _digest(ctx, code),
        "attempts": 0,
        "created_at": now,
        "expires_at": now + LIFETIME,
    }
    await ctx.session.execute(
        insert(AddressCode)
        .values(tenant_id=ctx.tenant_id, staff_id=oneself(ctx), channel=EMAIL, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "staff_id", "channel"], set_=values)
    )


async def _end(ctx: Context) -> None:
    await ctx.session.execute(
        delete(AddressCode)
        .where(AddressCode.staff_id == oneself(ctx), AddressCode.channel == EMAIL)
        .execution_options(synchronize_session=False)
    )


def _digest(ctx: Context, code: str) -> bytes:
    return hashlib.sha256(f"{ctx.tenant_id}|{oneself(ctx)}|{code}".encode()).digest()
