"""Fetching what customers sent at once: the platform keeps it for three days (path/90253)."""

import asyncio
from typing import Final
from uuid import UUID

import structlog
from pydantic import BaseModel

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound, Problem
from huitouke.kernel.files import service as files
from huitouke.kernel.work import enqueue, job, runner, wake
from huitouke.modules.conversations.channels import AccountRef, ChannelError, GivesFiles, channel
from huitouke.modules.conversations.service import media
from huitouke.modules.conversations.service.accounts import channel_account, reference
from huitouke.modules.conversations.service.media import Wanted
from huitouke.modules.conversations.service.problems import AccountDisconnected
from huitouke.modules.conversations.service.receiving import MEDIA_RUNNER

AT_ONCE: Final = 4
"""Downloads of an account side by side: up to 20 MB each in memory."""

ACCOUNTS_AT_ONCE: Final = 4
"""In one process: with the downloads of each at most 320 MB."""

NOT_GIVEN: Final = "files_not_given"
"""Failure code: the channel has no files of customers."""

log = structlog.get_logger(__name__)


class FetchLater(BaseModel):
    """Which account has files to try again."""

    account_id: UUID


@runner(MEDIA_RUNNER, concurrency=ACCOUNTS_AT_ONCE)
async def fetch_media(context: Context, account_id: str) -> None:
    """Fetches batch after batch, four at a time, until nothing is due."""
    slots = asyncio.Semaphore(AT_ONCE)
    while True:
        async with transaction(context) as ctx:
            try:
                account = reference(await channel_account(ctx, UUID(account_id)))
            except (NotFound, AccountDisconnected):
                return
            wanted = await media.due(ctx, account.id)
            if not wanted and (at := await media.next_attempt_at(ctx, account.id)) is not None:
                await enqueue(ctx, "conversations.fetch_media_later", {"account_id": account_id}, run_at=at)
        if not wanted:
            return
        async with asyncio.TaskGroup() as group:
            for one in wanted:
                group.create_task(_fetch(context, account, one, slots))


@job("conversations.fetch_media_later")
async def fetch_media_later(context: Context, args: FetchLater) -> None:
    """The pause after a failed download is over."""
    async with transaction(context) as ctx:
        await wake(ctx, MEDIA_RUNNER, str(args.account_id))


async def _fetch(context: Context, account: AccountRef, wanted: Wanted, slots: asyncio.Semaphore) -> None:
    async with slots:
        try:
            offered = channel(account.kind)
            if not isinstance(offered, GivesFiles):  # asked for by a version that had such a channel
                raise ChannelError(NOT_GIVEN, final=True, media_gone=True)
            found = await offered.download(context, account, wanted.media_id, wanted.msgtype)
            file_id = await files.store_bytes(context, "message_received", found.name, found.data, found.media_type)
        except ChannelError as error:
            log.info("conversations.media_not_fetched", message_id=str(wanted.message_id), code=error.code)
            async with transaction(context) as ctx:
                await media.not_fetched(ctx, wanted, error)
            return
        except Problem as problem:  # empty, or of a size or kind that we don't keep
            async with transaction(context) as ctx:
                await media.not_fetched(ctx, wanted, ChannelError(problem.type, final=True, media_gone=True))
            return
        async with transaction(context) as ctx:
            await media.stored(ctx, wanted, file_id)
