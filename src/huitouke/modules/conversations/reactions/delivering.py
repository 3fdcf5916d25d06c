"""Sending what is queued: one runner per conversation, one message after the other."""

from dataclasses import replace
from uuid import UUID

import structlog
from pydantic import BaseModel

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.files import service as files
from huitouke.kernel.work import enqueue, fence, job, runner, wake
from huitouke.modules.conversations.channels import ChannelError, FetchedMedia, Outgoing, TakesFiles, channel
from huitouke.modules.conversations.service import delivery as deliveries
from huitouke.modules.conversations.service.accounts import account_failed
from huitouke.modules.conversations.service.delivery import Delivery, Later

log = structlog.get_logger(__name__)


class SendLater(BaseModel):
    """Which conversation has something to send again."""

    conversation_id: UUID


@runner("send")
async def send(context: Context, conversation_id: str) -> None:
    """Sends all that is queued in the conversation; what has to wait holds up what comes after it."""
    while True:
        async with transaction(context) as ctx:
            await fence(ctx)
            step = await deliveries.begin_next(ctx, UUID(conversation_id))
            if isinstance(step, Later):
                await enqueue(ctx, "conversations.send_later", {"conversation_id": conversation_id}, run_at=step.at)
        if not isinstance(step, Delivery):
            return
        await _deliver(context, step)


@job("conversations.send_later")
async def send_later(context: Context, args: SendLater) -> None:
    """The pause after a failed attempt is over."""
    async with transaction(context) as ctx:
        await wake(ctx, "send", str(args.conversation_id))


async def _deliver(context: Context, delivery: Delivery) -> None:
    """The call, and its result in a transaction of its own."""
    try:
        if delivery.expired:
            raise ChannelError(deliveries.EXPIRED, final=True)
        outgoing = await _with_media(context, delivery)
        msgid = await channel(delivery.account.kind).send(context, delivery.account, outgoing)
    except ChannelError as error:
        if error.accepted_before:
            await _accepted(context, delivery, delivery.outgoing.msgid)
            return
        log.info(
            "conversations.send_failed",
            message_id=str(delivery.message_id),
            code=error.code,
            attempts=delivery.attempts,
            final=error.final,
        )
        async with transaction(context) as ctx:
            await fence(ctx)
            await deliveries.refused(ctx, delivery, error)
        if error.account_at_fault:
            async with transaction(context) as ctx:
                await account_failed(ctx, delivery.account.id, error.code)
        return
    await _accepted(context, delivery, msgid or delivery.outgoing.msgid)


async def _accepted(context: Context, delivery: Delivery, msgid: str) -> None:
    async with transaction(context) as ctx:
        await fence(ctx)
        await deliveries.accepted(ctx, delivery, msgid)


async def _with_media(context: Context, delivery: Delivery) -> Outgoing:
    """The message with the channel's id of its file, which is uploaded where the channel doesn't have it (any more)."""
    outgoing = delivery.outgoing
    if delivery.file_id is None or outgoing.media_id is not None:
        return outgoing
    async with transaction(context) as ctx:
        file = await files.get(ctx, delivery.file_id)
    offered = channel(delivery.account.kind)
    if not isinstance(offered, TakesFiles):  # its rules name no kind of file, so that none is queued
        raise ChannelError(f"msgtype_{outgoing.msgtype}", final=True)
    data = b"".join([chunk async for chunk in files.read_part(context, file)])
    media = FetchedMedia(data, file.name, file.media_type)
    media_id = await offered.upload(context, delivery.account, outgoing.msgtype, media)
    async with transaction(context) as ctx:
        await deliveries.keep_media(ctx, delivery, media_id)
    return replace(outgoing, media_id=media_id)
