"""Files that customers sent: which are still to fetch, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.files import service as files
from huitouke.modules.conversations.channels import ChannelError
from huitouke.modules.conversations.models import Conversation, MediaDownload, Message
from huitouke.modules.conversations.service.announce import announce

BATCH: Final = 20
RETRY_SECONDS: Final = (2, 10, 30, 120, 600, 3_600, 6 * 3_600, 12 * 3_600, 24 * 3_600)
"""Pauses between attempts; together they cover most of the three days that the platform keeps a file."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch."""

    message_id: UUID
    conversation_id: UUID
    media_id: str
    msgtype: str


async def due(ctx: Context, account_id: UUID) -> Sequence[Wanted]:
    """The next files of the account that may be fetched now."""
    rows = await ctx.session.scalars(
        select(MediaDownload)
        .where(
            MediaDownload.channel_account_id == account_id,
            MediaDownload.state == "waiting",
            MediaDownload.next_attempt_at <= clock.now(),
        )
        .order_by(MediaDownload.next_attempt_at)
        .limit(BATCH)
    )
    return [Wanted(row.message_id, row.conversation_id, row.media_id, row.msgtype) for row in rows]


async def next_attempt_at(ctx: Context, account_id: UUID) -> datetime | None:
    """When the next file of the account may be tried again; None when none waits."""
    return await ctx.session.scalar(
        select(func.min(MediaDownload.next_attempt_at)).where(
            MediaDownload.tenant_id == ctx.tenant_id,
            MediaDownload.channel_account_id == account_id,
            MediaDownload.state == "waiting",
        )
    )


async def stored(ctx: Context, wanted: Wanted, file_id: UUID) -> None:
    """The file is ours now: shown in the conversation."""
    row = await _bump(ctx, wanted.conversation_id)
    await ctx.session.execute(
        update(Message)
        .where(Message.id == wanted.message_id)
        .values(file_id=file_id, changed_seq=row.seq)
        .execution_options(synchronize_session=False)
    )
    await _set(ctx, wanted, state="stored", error_code=None)
    await files.attach(ctx, file_id, "message", wanted.message_id)
    announce(ctx, row.id, row.seq)


async def not_fetched(ctx: Context, wanted: Wanted, error: ChannelError) -> None:
    """Tried again later, or lost when the platform no longer has it."""
    download = await ctx.session.scalar(select(MediaDownload).where(MediaDownload.message_id == wanted.message_id))
    assert download is not None, "it was read before"
    attempts = download.attempts + 1
    if error.media_gone or attempts > len(RETRY_SECONDS):
        await _lost(ctx, wanted, error.code)
        return
    pause = max(RETRY_SECONDS[attempts - 1], error.retry_after_seconds or 0)
    await _set(
        ctx,
        wanted,
        attempts=attempts,
        error_code=error.code,
        next_attempt_at=clock.now() + timedelta(seconds=pause),
    )


async def _lost(ctx: Context, wanted: Wanted, code: str) -> None:
    row = await _bump(ctx, wanted.conversation_id)
    await ctx.session.execute(
        update(Message)
        .where(Message.id == wanted.message_id)
        .values(failure_code=code, changed_seq=row.seq)
        .execution_options(synchronize_session=False)
    )
    await _set(ctx, wanted, state="lost", error_code=code)
    announce(ctx, row.id, row.seq)


async def _bump(ctx: Context, conversation_id: UUID) -> Conversation:
    return (
        await ctx.session.execute(
            update(Conversation)
            .where(Conversation.id == conversation_id)
            .values(seq=Conversation.seq + 1, changed_at=clock.now())
            .returning(Conversation)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
    ).scalar_one()


async def _set(ctx: Context, wanted: Wanted, **values: object) -> None:
    await ctx.session.execute(
        update(MediaDownload)
        .where(MediaDownload.message_id == wanted.message_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
