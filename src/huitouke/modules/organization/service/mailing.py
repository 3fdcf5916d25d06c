"""The installation's own e-mail: links by mail, and the way back in for who forgot the password."""

import re
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import select

from huitouke import mail
from huitouke.kernel import audit
from huitouke.kernel.access import links
from huitouke.kernel.access.models import Membership, User
from huitouke.kernel.access.service import count_attempts
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import platform_transaction, transaction
from huitouke.kernel.errors import InvalidInput, OutsideFailed
from huitouke.kernel.locales import translate
from huitouke.kernel.settings import get_settings
from huitouke.kernel.tenancy import Tenant
from huitouke.kernel.work import GiveUp, RetryLater, enqueue
from huitouke.modules.organization.models import Staff
from huitouke.modules.organization.notice_models import NoticeSettings
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.staff import staff_link

RESET_JOB: Final = "organization.mail_reset"
RESET_RETRY_SECONDS: Final = 60.0
MAX_ADDRESS_CHARACTERS: Final = 254
"""RFC 5321, 4.5.3.1.3."""

FORGOTTEN_PER_NAME: Final = 3
FORGOTTEN_PER_ADDRESS: Final = 20
"""Within a quarter of an hour."""

MAX_TENANTS: Final = 20

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+\Z")

log = structlog.get_logger(__name__)


def can_mail() -> bool:
    """Whether this installation sends e-mail."""
    settings = get_settings()
    return settings.smtp_url is not None and settings.mail_from is not None


def clean_address(address: str) -> str:
    """The address without blanks. Raises InvalidInput."""
    cleaned = address.strip()
    if len(cleaned) > MAX_ADDRESS_CHARACTERS or not _ADDRESS.match(cleaned):
        raise InvalidInput(field="email", reason="email")
    return cleaned


async def send_mail(to: str, subject: str, text: str) -> None:
    """Hands a mail in. Called outside of transactions. Raises MailError, NoMail."""
    settings = get_settings()
    if settings.smtp_url is None or settings.mail_from is None:
        raise problems.NoMail
    server = mail.server_of(settings.smtp_url.get_secret_value())
    await mail.send(server, mail.Mail(settings.mail_from, to, subject, text))


async def mail_link(context: Context, staff_id: UUID, address: str) -> links.NewLink:
    """Makes a person's link as `staff_link` does and mails it; earlier links end.

    Opens a transaction of its own before the call. Raises as `staff_link`, InvalidInput, NoMail, OutsideFailed.
    """
    async with transaction(context) as ctx:
        link = await staff_link(ctx, staff_id)
        if not can_mail():
            raise problems.NoMail
        to = clean_address(address)
        found = await ctx.session.execute(
            select(Staff.name, User.locale).join(User, User.id == Staff.user_id).where(Staff.id == staff_id)
        )
        person = found.one()
        shop = await _shop(ctx)
        await audit.record(ctx, "organization.staff_link_mailed", "staff", staff_id, after={"kind": link.kind})
    try:
        await send_mail(to, *_letter(link, person.locale, person.name, shop))
    except mail.MailError as error:
        raise OutsideFailed(reason=mail.explain(error.reason, context.locale)) from None
    return link


async def forgotten(sign_in_name: str, *, address: str | None) -> None:
    """Has a link mailed to who has that name and a proven e-mail address. Says nothing about whether there is one.

    Raises NoMail, SignInThrottled.
    """
    if not can_mail():
        raise problems.NoMail
    name = sign_in_name.strip().lower()
    limits = {f"forgotten:{name}": FORGOTTEN_PER_NAME}
    await count_attempts(limits | ({f"forgotten-from:{address}": FORGOTTEN_PER_ADDRESS} if address else {}))
    async with platform_transaction() as session:
        rows = await session.execute(
            select(User.id, Membership.tenant_id)
            .join(Membership, Membership.user_id == User.id)
            .join(Tenant, Tenant.id == Membership.tenant_id)
            .where(
                User.sign_in_name == name,
                User.state == "active",
                Membership.state == "active",
                Tenant.state == "active",
            )
            .order_by(Membership.tenant_id)
            .limit(MAX_TENANTS)
        )
        places = [(row.id, row.tenant_id) for row in rows]
    for user_id, tenant_id in places:
        async with transaction(job_context(tenant_id)) as ctx:
            if await _proven(ctx, user_id) is not None:
                await enqueue(ctx, RESET_JOB, {"user_id": str(user_id)})
                return


async def mail_reset(context: Context, user_id: UUID) -> None:
    """Makes the link that somebody asked for and mails it to their own address.

    What may have gone out is not sent again: the person asks once more. Raises RetryLater, GiveUp.
    """
    async with transaction(context) as ctx:
        found = await _proven(ctx, user_id)
        if found is None or not can_mail():
            return
        email, name, locale, staff_id = found
        link = await links.make_own_link(ctx, user_id)
        shop = await _shop(ctx)
        await audit.record(ctx, "organization.reset_asked", "staff", staff_id, after={"kind": link.kind})
    try:
        await send_mail(email, *_letter(link, locale, name, shop))
    except mail.MailError as error:
        log.warning("organization.reset_not_mailed", reason=str(error.reason), failure=error.failure)
        if error.failure == "retry":
            raise RetryLater(str(error.reason), after_seconds=RESET_RETRY_SECONDS) from None
        if error.failure == "final":
            raise GiveUp(str(error.reason)) from None


async def _proven(ctx: Context, user_id: UUID) -> tuple[str, str, str, UUID] | None:
    """The person's proven address, name, language and staff id; None where there is no address."""
    row = (
        await ctx.session.execute(
            select(NoticeSettings.email, Staff.name, User.locale, Staff.id)
            .join(Staff, Staff.id == NoticeSettings.staff_id)
            .join(User, User.id == Staff.user_id)
            .where(Staff.user_id == user_id, Staff.state == "active", NoticeSettings.email.is_not(None))
        )
    ).one_or_none()
    return (row.email, row.name, row.locale, row.id) if row is not None and row.email is not None else None


async def _shop(ctx: Context) -> str:
    return await ctx.session.scalar(select(Tenant.name).where(Tenant.id == ctx.tenant_id)) or ""


def _letter(link: links.NewLink, locale: str, name: str, shop: str) -> tuple[str, str]:
    """Subject and text."""
    # Behind the #, a browser sends nothing to any server: not to ours, nor to a log on the way.
    url = f"{get_settings().public_url}/join#{link.token.reveal()}"
    key = f"mails.{link.kind}"
    hours = round(links.LIFETIMES[link.kind].total_seconds() / 3600)
    text = translate(locale, f"{key}.text", name=name, shop=shop, url=url, hours=hours, days=hours // 24)
    return translate(locale, f"{key}.subject", shop=shop), text
