"""Notices by e-mail, to addresses that their owners have proven."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from huitouke import mail
from huitouke.kernel.context import Context
from huitouke.kernel.locales import translate
from huitouke.modules.organization.notice_models import NoticeSettings
from huitouke.modules.organization.service.mailing import can_mail, send_mail
from huitouke.modules.organization.service.notifying.kinds import EMAIL
from huitouke.modules.organization.service.notifying.ways import Envelope, Message, NotSent


class EmailChannel:
    """Works where the installation has a mail server."""

    name = EMAIL

    async def reaches(self, ctx: Context, staff_ids: Sequence[UUID]) -> set[UUID]:
        if not can_mail():
            return set()
        proven = select(NoticeSettings.staff_id).where(
            NoticeSettings.staff_id.in_(staff_ids), NoticeSettings.email.is_not(None)
        )
        return set(await ctx.session.scalars(proven))

    async def address(self, ctx: Context, recipient_id: UUID) -> str | None:
        if not can_mail():
            return None
        return await ctx.session.scalar(select(NoticeSettings.email).where(NoticeSettings.staff_id == recipient_id))

    async def send(self, context: Context, address: str, envelope: Envelope) -> None:
        first, *more = envelope.messages
        count = len(envelope.messages)
        subject = translate(envelope.locale, "notices.together", count=count) if more else first.title
        try:
            await send_mail(address, subject, "\n\n".join(_lines(one) for one in envelope.messages))
        except mail.MailError as error:
            raise NotSent(error.reason.value, error.failure) from None

    def explain(self, code: str, locale: str) -> str:
        return mail.explain(code, locale)


def _lines(message: Message) -> str:
    return "\n".join(line for line in (message.title, message.text, message.url) if line)
