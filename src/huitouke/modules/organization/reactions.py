"""The address book's runner and clockwork, and the job of imports."""

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.work import job, runner, scheduled
from huitouke.modules.organization.service import mailing, sms, sms_news, staff_imports
from huitouke.modules.organization.service.address_book import BOOK_KEY, BOOK_RUNNER, BOOK_SCHEDULE, due
from huitouke.modules.organization.service.address_book_news import hear
from huitouke.modules.organization.service.address_book_run import work
from huitouke.modules.organization.service.event_routes import WecomEventRoute
from huitouke.modules.organization.service.notifying import delivery, watching
from huitouke.modules.organization.service.notifying.telling import NOTICE_RUNNER, NOTICE_SCHEDULE


@runner(BOOK_RUNNER)
async def read_address_book(context: Context, key: str) -> None:
    """Goes on with the sync under way, then takes in what WeCom told of meanwhile."""
    if await work(context):
        await hear(context)


@scheduled(BOOK_SCHEDULE)
async def read_when_due(context: Context) -> datetime | None:
    """The sync of the night, and the next try after a pause."""
    async with transaction(context) as ctx:
        return await due(ctx)


@job(staff_imports.APPLY_JOB)
async def apply_staff_import(context: Context, args: staff_imports.ApplyStaffImport) -> None:
    """Takes a file of people in; begins where a run before it stopped."""
    await staff_imports.run(context, args.import_id)


@runner(NOTICE_RUNNER, concurrency=20)
async def carry_notices(context: Context, key: str) -> None:
    """Brings what is due to one recipient on one channel."""
    await delivery.work(context, key)


@scheduled(NOTICE_SCHEDULE)
async def wake_notices(context: Context) -> datetime | None:
    """Quiet hours and pauses after failures that are over."""
    async with transaction(context) as ctx:
        return await delivery.wake_due(ctx)


@scheduled(watching.KIND)
async def watch(context: Context) -> datetime | None:
    """Looks for what nobody reports by itself."""
    async with transaction(context) as ctx:
        return await watching.look(ctx)


@runner(sms.SEND_RUNNER)
async def send_sms(context: Context, key: str) -> None:
    """Sends one SMS."""
    await sms.send(context, UUID(key))


@runner(sms_news.NEWS_RUNNER)
async def hear_of_sms(context: Context, key: str) -> None:
    """Takes in receipts and answers."""
    await sms_news.hear(context, key)


@scheduled(sms.DUE_SCHEDULE)
async def wake_sms(context: Context) -> datetime | None:
    """Sending hours that begin, and pauses that are over."""
    async with transaction(context) as ctx:
        return await sms.wake_due(ctx)


class MailReset(BaseModel):
    """Whose link to mail."""

    user_id: UUID


@job(mailing.RESET_JOB)
async def mail_reset(context: Context, args: MailReset) -> None:
    """Mails the link that somebody who forgot the password asked for."""
    await mailing.mail_reset(context, args.user_id)


ROUTES: Final = (WecomEventRoute("change_contact", BOOK_RUNNER, lambda _: BOOK_KEY),)
RUNNERS: Final = (read_address_book, carry_notices, send_sms, hear_of_sms)
JOBS: Final = (apply_staff_import, mail_reset)
SCHEDULES: Final = (read_when_due, wake_notices, watch, wake_sms)
