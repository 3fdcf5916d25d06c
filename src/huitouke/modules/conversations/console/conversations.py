"""Routes of the inbox: lists, one conversation, messages, and who handles it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from huitouke.kernel.http import ConsoleTransaction, IdempotencyKey, requires
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from huitouke.kernel.plans.reading import also_when_read_only
from huitouke.modules.conversations import queries, service
from huitouke.modules.conversations.schemas import (
    ConversationDetail,
    ConversationRow,
    Counts,
    HandOverIn,
    MessageIn,
    MessageOut,
    MessagePage,
    PauseIn,
    Sort,
    View,
)

BY_HAND = "by_hand"
"""Reason of a handover that a person asked for."""

LAST_SEQ = 2**63 - 1
"""What PostgreSQL's bigint holds."""

router = APIRouter(tags=["conversations"])
_view = requires("conversations.view")
_reply = requires("conversations.reply")


@router.get("/conversations", operation_id="conversations_list", dependencies=[_view])
async def list_conversations(
    ctx: ConsoleTransaction,
    view: View = "all",
    sort: Sort = "newest",
    channel_account_id: UUID | None = None,
    q: Annotated[str | None, Query(max_length=60, description="Part of a name, remark or last message.")] = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Page[ConversationRow]:
    """The inbox."""
    return await queries.conversation_page(
        ctx, view=view, sort=sort, channel_account_id=channel_account_id, q=q, cursor=cursor, limit=limit
    )


@router.get("/conversations/counts", operation_id="conversations_counts", dependencies=[_view])
async def get_counts(ctx: ConsoleTransaction) -> Counts:
    """How many open conversations are mine, waiting, with the assistant, in all."""
    return await queries.counts(ctx)


@router.get("/conversations/{conversation_id}", operation_id="conversations_get", dependencies=[_view])
async def get_conversation(conversation_id: UUID, ctx: ConsoleTransaction) -> ConversationDetail:
    """One conversation with its customer and what the person may do."""
    return await queries.conversation_detail(ctx, conversation_id)


@router.get("/conversations/{conversation_id}/messages", operation_id="conversations_messages", dependencies=[_view])
async def list_messages(
    conversation_id: UUID,
    ctx: ConsoleTransaction,
    before_seq: Annotated[
        int | None, Query(ge=1, le=LAST_SEQ, description="`seq` of the oldest message one has.")
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> MessagePage:
    """Messages before a number, oldest first; the newest ones without it."""
    return await queries.message_page(ctx, conversation_id, before_seq, limit)


@router.post(
    "/conversations/{conversation_id}/messages",
    status_code=201,
    operation_id="conversations_send",
    dependencies=[_reply],
)
async def send_message(
    conversation_id: UUID, body: MessageIn, ctx: ConsoleTransaction, idempotency_key: IdempotencyKey = None
) -> MessageOut:
    """Queues a message to the customer. The same Idempotency-Key gives the message that was queued first."""
    request = service.SendRequest(
        purpose="service", text=body.text, file_id=body.file_id, card=body.card, client_id=idempotency_key
    )
    return await queries.message_out(ctx, await service.send_message(ctx, conversation_id, request))


@router.post("/messages/{message_id}/retry", operation_id="conversations_retry", dependencies=[_reply])
async def retry_message(message_id: UUID, ctx: ConsoleTransaction) -> MessageOut:
    """Sends a failed message again."""
    return await queries.message_out(ctx, await service.retry_message(ctx, message_id))


@router.post("/conversations/{conversation_id}/take", operation_id="conversations_take", dependencies=[_reply])
async def take(conversation_id: UUID, ctx: ConsoleTransaction) -> ConversationDetail:
    """Takes the conversation; if a colleague was faster, the answer says who."""
    await service.take(ctx, conversation_id)
    return await queries.conversation_detail(ctx, conversation_id)


@router.post(
    "/conversations/{conversation_id}/hand-back", operation_id="conversations_hand_back", dependencies=[_reply]
)
async def hand_back(conversation_id: UUID, ctx: ConsoleTransaction) -> ConversationDetail:
    """Gives the conversation back to the assistant."""
    await service.hand_back(ctx, conversation_id)
    return await queries.conversation_detail(ctx, conversation_id)


@router.post(
    "/conversations/{conversation_id}/hand-over", operation_id="conversations_hand_over", dependencies=[_reply]
)
async def hand_over(conversation_id: UUID, body: HandOverIn, ctx: ConsoleTransaction) -> ConversationDetail:
    """Gives the conversation to colleagues: the console's queue, or a servicer in the WeCom app."""
    await service.hand_over(ctx, conversation_id, BY_HAND, body.note, body.to, body.servicer_userid)
    return await queries.conversation_detail(ctx, conversation_id)


@router.post("/conversations/{conversation_id}/close", operation_id="conversations_close", dependencies=[_reply])
async def close(conversation_id: UUID, ctx: ConsoleTransaction) -> ConversationDetail:
    """Ends the conversation; the customer's next message opens it again."""
    await service.close(ctx, conversation_id)
    return await queries.conversation_detail(ctx, conversation_id)


@router.post(
    "/conversations/{conversation_id}/notice",
    operation_id="conversations_send_notice_again",
    dependencies=[_reply],
)
async def send_notice_again(conversation_id: UUID, ctx: ConsoleTransaction) -> ConversationDetail:
    """Tells the staff in WeCom once more that the customer waits, after the card did not go out."""
    await service.send_notice_again(ctx, conversation_id)
    return await queries.conversation_detail(ctx, conversation_id)


@router.post(
    "/conversations/{conversation_id}/read", status_code=204, operation_id="conversations_read", dependencies=[_view]
)
@also_when_read_only
async def mark_read(conversation_id: UUID, ctx: ConsoleTransaction) -> None:
    """Sets the unread count to 0, for everybody."""
    await service.mark_read(ctx, conversation_id)


@router.post(
    "/conversations/{conversation_id}/pause-assistant", operation_id="conversations_pause", dependencies=[_reply]
)
async def pause_assistant(conversation_id: UUID, body: PauseIn, ctx: ConsoleTransaction) -> ConversationDetail:
    """Makes the assistant keep silent for this customer, or wakes it."""
    await service.pause_assistant(ctx, conversation_id, service.paused_until(body.minutes, body.paused))
    return await queries.conversation_detail(ctx, conversation_id)
