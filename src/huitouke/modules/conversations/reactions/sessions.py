"""Changes of WeCom's own session, outside of our transactions: to a servicer, to its end, and asking how it stands."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Final
from uuid import UUID

import structlog
from pydantic import BaseModel
from sqlalchemy import func, select

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.work import RetryLater, job
from huitouke.modules.conversations.channels import AccountRef, ChannelError, channel
from huitouke.modules.conversations.models import Conversation
from huitouke.modules.conversations.service import handling
from huitouke.modules.conversations.service.accounts import reference
from huitouke.modules.conversations.service.delivery import pending

SERVICER: Final = 3
ENDED: Final = 4
NO_SERVICER: Final = "no_servicer"
"""Code: nobody receives for the account in the WeCom app."""

NEXT_SERVICER_MAY: Final = frozenset({"95014", "95019", "95020"})
"""This servicer can't (not one, not active, stopped, too many): another may."""

SENT_WITHIN_SECONDS: Final = 15.0
"""How long a session is kept for what we still have to send in it."""

LOOK_EVERY_SECONDS: Final = 0.2

ALREADY_OVER: Final = frozenset({"95013", "95016"})
PAUSES_SECONDS: Final = (1.0, 3.0)
RETRY_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


class GiveToServicer(BaseModel):
    """The handover that asked for a servicer."""

    conversation_id: UUID
    handover_id: UUID


class OfConversation(BaseModel):
    """Which conversation's session."""

    conversation_id: UUID


@job("conversations.give_to_servicer")
async def give_to_servicer(context: Context, args: GiveToServicer) -> None:
    """Moves the session to a servicer in the WeCom app (state 3); where none can take it, it waits in the console."""
    async with transaction(context) as ctx:
        row = await handling.conversation(ctx, args.conversation_id)
        if not _still_wanted(row, args.handover_id):
            return
        account = reference(await handling.account_of(ctx, row))
        load = await _load(ctx)
    await _all_sent(context, args.conversation_id)
    try:
        candidates = [row.handover_servicer] if row.handover_servicer else await _receiving(context, account, load)
        code, servicer_userid = await _move_to_first(context, account, row.customer_address, candidates)
    except ChannelError as error:
        code, servicer_userid = error.code, None
    async with transaction(context) as ctx:
        if servicer_userid is not None:
            await handling.servicer_took(ctx, args.conversation_id, servicer_userid)
        else:
            log.info("conversations.no_servicer", conversation_id=str(args.conversation_id), code=code)
            await handling.give_back_to_console(ctx, args.conversation_id, args.handover_id, code)


@job("conversations.end_session")
async def end_session(context: Context, args: OfConversation) -> None:
    """Ends the WeCom session of a closed conversation, unless the customer has written meanwhile."""
    async with transaction(context) as ctx:
        row = await handling.conversation(ctx, args.conversation_id)
        account = reference(await handling.account_of(ctx, row))
    if row.state != "closed" or not channel(account.kind).rules.sessions[row.session_state].may_end:
        return
    await _all_sent(context, args.conversation_id)
    try:
        await channel(account.kind).move_session(context, account, row.customer_address, ENDED, None)
    except ChannelError as error:
        if not error.final:
            raise RetryLater(error.code, after_seconds=error.retry_after_seconds or RETRY_SECONDS) from error
        if error.code not in ALREADY_OVER:
            log.warning("conversations.session_not_ended", conversation_id=str(row.id), code=error.code)
            return
    async with transaction(context) as ctx:
        await handling.session_over(ctx, args.conversation_id)


@job("conversations.refresh_session")
async def refresh_session(context: Context, args: OfConversation) -> None:
    """WeCom refused because of the session's state: asks how it stands and follows."""
    async with transaction(context) as ctx:
        try:
            row = await handling.conversation(ctx, args.conversation_id)
        except NotFound:
            return
        account = reference(await handling.account_of(ctx, row))
    try:
        state, servicer_userid = await channel(account.kind).session(context, account, row.customer_address)
    except ChannelError as error:
        if not error.final:
            raise RetryLater(error.code, after_seconds=error.retry_after_seconds or RETRY_SECONDS) from error
        log.warning("conversations.session_unknown", conversation_id=str(row.id), code=error.code)
        return
    async with transaction(context) as ctx:
        if state == SERVICER:
            await handling.servicer_took(ctx, args.conversation_id, servicer_userid or "")
        elif state == ENDED:
            await handling.session_ended(ctx, args.conversation_id)
        else:
            await handling.session_state_seen(ctx, args.conversation_id, state)


async def _all_sent(context: Context, conversation_id: UUID) -> None:
    """Waits for what is queued (the assistant's "a colleague is coming"): in states 3 and 4 it could not be sent."""
    until = monotonic() + SENT_WITHIN_SECONDS
    while monotonic() < until:
        async with transaction(context) as ctx:
            if not await pending(ctx, conversation_id):
                return
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _move_to_first(
    context: Context, account: AccountRef, address: str, candidates: Sequence[str]
) -> tuple[str, str | None]:
    """(code of the last refusal, the servicer who has it now or None)."""
    code = NO_SERVICER
    for userid in candidates:
        try:
            await _move(context, account, address, userid)
        except ChannelError as error:
            code = error.code
            if error.code not in NEXT_SERVICER_MAY:
                break
        else:
            return "", userid
    return code, None


async def _move(context: Context, account: AccountRef, address: str, userid: str) -> None:
    """The change itself; after a time-out the session is asked whether it has happened, before it is tried again."""
    offered = channel(account.kind)
    for pause in (*PAUSES_SECONDS, None):
        try:
            await offered.move_session(context, account, address, SERVICER, userid)
        except ChannelError as error:
            if error.final:
                raise
            if error.may_have_happened and (await offered.session(context, account, address)) == (SERVICER, userid):
                return
            if pause is None:
                raise
            await asyncio.sleep(pause)
        else:
            return


async def _receiving(context: Context, account: AccountRef, load: dict[str, int]) -> list[str]:
    """Who receives now, those with the fewest sessions first."""
    found = await channel(account.kind).servicers(context, account)
    receiving = [one.userid for one in found if one.state == "receiving"]
    return sorted(receiving, key=lambda userid: (load.get(userid, 0), userid))


async def _load(ctx: Context) -> dict[str, int]:
    rows = await ctx.session.execute(
        select(Conversation.servicer_userid, func.count(Conversation.id))
        .where(Conversation.state == "open", Conversation.handler == "servicer")
        .group_by(Conversation.servicer_userid)
    )
    return {userid: count for userid, count in rows if userid}


def _still_wanted(row: Conversation, handover_id: UUID) -> bool:
    waits = row.state == "open" and row.handler == "agent" and row.staff_id is None
    return waits and row.handover_id == handover_id and row.handover_to == "wecom"
