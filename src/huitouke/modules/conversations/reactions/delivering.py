"""Sending what is queued: one runner per conversation, one message after the other."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import structlog
from pydantic import BaseModel

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.files import service as files
from huitouke.kernel.work import Gathering, enqueue, fence, job, runner, wake
from huitouke.modules.conversations.channels import ChannelError, FetchedMedia, Outgoing, TakesFiles, channel
from huitouke.modules.conversations.service import delivery as deliveries
from huitouke.modules.conversations.service.accounts import account_failed
from huitouke.modules.conversations.service.delivery import Delivery, Later

log = structlog.get_logger(__name__)


class SendLater(BaseModel):
    """Which conversation has something to send again."""

    conversation_id: UUID


async def _begin(ctx: Context, conversation_ids: Sequence[UUID]) -> list[Delivery | None]:
    """What leaves next in each conversation; what has to wait is looked at again when its pause is over."""
    steps = await deliveries.begin(ctx, conversation_ids)
    for conversation_id, step in zip(conversation_ids, steps, strict=True):
        if isinstance(step, Later):
            await enqueue(ctx, "conversations.send_later", {"conversation_id": str(conversation_id)}, run_at=step.at)
    return [step if isinstance(step, Delivery) else None for step in steps]


_begins = Gathering(_begin)
_accepts = Gathering(deliveries.accepted)


@runner("send")
async def send(context: Context, conversation_id: str) -> None:
    """Sends all that is queued in the conversation; what has to wait holds up what comes after it."""
    more = True
    while more:
        delivery = await _begins(context, UUID(conversation_id))
        if delivery is None:
            return
        more = await _deliver(context, delivery)


@job("conversations.send_later")
async def send_later(context: Context, args: SendLater) -> None:
    """The pause after a failed attempt is over."""
    async with transaction(context) as ctx:
        await wake(ctx, "send", str(args.conversation_id))


async def _deliver(context: Context, delivery: Delivery) -> bool:
    """The call, and its result in a transaction of its own; whether there is more to look at in the conversation."""
    try:
        if delivery.expired:
            raise ChannelError(deliveries.EXPIRED, final=True)
        outgoing = await _with_media(context, delivery)
        msgid = await channel(delivery.account.kind).send(context, delivery.account, outgoing)
    except ChannelError as error:
        if error.accepted_before:
            return await _accepts(context, (delivery, delivery.outgoing.msgid))
        await _refused(context, delivery, error)
        return True
    return await _accepts(context, (delivery, msgid or delivery.outgoing.msgid))


async def _refused(context: Context, delivery: Delivery, error: ChannelError) -> None:
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
