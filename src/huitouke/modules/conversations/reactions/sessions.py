"""Changes of the channel's own session, outside of our transactions: to a servicer, to its end, asking how it is."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from time import monotonic
from typing import Final
from uuid import UUID

import structlog
from pydantic import BaseModel
from sqlalchemy import func, select

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.locales import translate
from huitouke.kernel.work import RetryLater, enqueue, job
from huitouke.modules.conversations.channels import AccountRef, ChannelError, HasServicers, HasSessions, channel
from huitouke.modules.conversations.models import Conversation
from huitouke.modules.conversations.reactions.syncing import news, take_in
from huitouke.modules.conversations.service import handling
from huitouke.modules.conversations.service.accounts import reference
from huitouke.modules.conversations.service.delivery import pending
from huitouke.modules.conversations.service.event_texts import LIFETIME, answer_event
from huitouke.modules.conversations.service.problems import AccountDisconnected
from huitouke.modules.conversations.service.sending import locked

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
    found = await _of(context, args.conversation_id)
    if found is None or not _still_wanted(found[0], args.handover_id):
        return
    row, account = found
    offered = channel(account.kind)
    if not isinstance(offered, HasServicers):  # nobody could be asked for: `hand_over` refuses
        return
    async with transaction(context) as ctx:
        load = await _load(ctx)
    await _all_sent(context, args.conversation_id)
    found = await _of(context, args.conversation_id)  # once more: an agent may have taken it meanwhile
    if found is None or not _still_wanted(found[0], args.handover_id):
        return
    row, account = found
    try:
        candidates = (
            [row.handover_servicer] if row.handover_servicer else await _receiving(context, offered, account, load)
        )
        asked_at = clock.now()
        code, servicer_userid = await _move_to_first(context, offered, account, row.customer_address, candidates)
    except ChannelError as error:
        code, servicer_userid = error.code, None
    async with transaction(context) as ctx:
        if servicer_userid is not None:
            await handling.servicer_took(ctx, args.conversation_id, servicer_userid)
            await answer_event(ctx, args.conversation_id, "taken", code, asked_at + LIFETIME["taken"])
        else:
            log.info("conversations.no_servicer", conversation_id=str(args.conversation_id), code=code)
            await handling.give_back_to_console(ctx, args.conversation_id, args.handover_id, code)


@job("conversations.end_session")
async def end_session(context: Context, args: OfConversation) -> None:
    """Ends the WeCom session of a closed conversation, unless the customer has written meanwhile.

    WeCom has no "end it if nothing came" (path/94669): what is on its way is taken in before and after the call. Who
    wrote in between is told to write once more by the one message that the end permits, and is shown to the staff.
    """
    found = await _of(context, args.conversation_id)
    if found is None or not _may_end(*found):
        return
    account = found[1]
    offered = channel(account.kind)
    if not isinstance(offered, HasSessions):
        return
    await _all_sent(context, args.conversation_id)
    if await news(context, account):
        await take_in(context, account.external_id)
    found = await _of(context, args.conversation_id)  # once more: the account's own sync may have been faster
    if found is None or not _may_end(*found):
        return
    row, asked_at = found[0], clock.now()
    try:
        code = await offered.move_session(context, account, row.customer_address, offered.rules.sessions.ended, None)
    except ChannelError as error:
        if not error.final:
            raise RetryLater(error.code, after_seconds=error.retry_after_seconds or RETRY_SECONDS) from error
        if error.code not in ALREADY_OVER:
            log.warning("conversations.session_not_ended", conversation_id=str(row.id), code=error.code)
            return
        code = ""
    if await news(context, account):
        await take_in(context, account.external_id)
    if not await _over(context, args.conversation_id, code, asked_at):
        await _follow_customer(context, offered, account, row, code, asked_at)


async def _over(context: Context, conversation_id: UUID, code: str, asked_at: datetime) -> bool:
    """Notes the end and says goodbye; False when the customer has opened the conversation again."""
    async with transaction(context) as ctx:
        row, _ = await locked(ctx, conversation_id)
        if row.state != "closed":
            return False
        await handling.session_over(ctx, conversation_id)
        await answer_event(ctx, conversation_id, "closing", code, asked_at + LIFETIME["closing"])
    return True


async def _follow_customer(
    context: Context,
    offered: HasSessions,
    account: AccountRef,
    before: Conversation,
    code: str,
    asked_at: datetime,
) -> None:
    """The customer wrote while the session ended: either into a new one, or into the one that is over now."""
    try:
        state, _ = await offered.session(context, account, before.customer_address)
    except ChannelError as error:
        log.warning("conversations.session_unknown", conversation_id=str(before.id), code=error.code)
        async with transaction(context) as ctx:
            await enqueue(ctx, "conversations.refresh_session", {"conversation_id": str(before.id)})
        return
    if state != channel(account.kind).rules.sessions.ended:
        async with transaction(context) as ctx:
            await handling.session_state_seen(ctx, before.id, state)
        return
    async with transaction(context) as ctx:
        row, _ = await locked(ctx, before.id)
        if row.state != "open":
            return
        await handling.ended_on_customer(ctx, row)
        wording = translate(context.locale, "conversations.ended_on_customer.text")
        expires_at = asked_at + LIFETIME["closing"]
        await answer_event(ctx, before.id, "closing", code, expires_at, instead=wording)


@job("conversations.refresh_session")
async def refresh_session(context: Context, args: OfConversation) -> None:
    """WeCom refused because of the session's state: asks how it stands and follows."""
    found = await _of(context, args.conversation_id)
    if found is None:
        return
    row, account = found
    offered = channel(account.kind)
    if not isinstance(offered, HasSessions):
        return
    try:
        state, servicer_userid = await offered.session(context, account, row.customer_address)
    except ChannelError as error:
        if not error.final:
            raise RetryLater(error.code, after_seconds=error.retry_after_seconds or RETRY_SECONDS) from error
        log.warning("conversations.session_unknown", conversation_id=str(row.id), code=error.code)
        return
    async with transaction(context) as ctx:
        if state == offered.rules.sessions.with_servicer:
            await handling.servicer_took(ctx, args.conversation_id, servicer_userid or "")
        elif state == offered.rules.sessions.ended:
            await handling.session_ended(ctx, args.conversation_id)
        else:
            await handling.session_state_seen(ctx, args.conversation_id, state)


async def _of(context: Context, conversation_id: UUID) -> tuple[Conversation, AccountRef] | None:
    """The conversation and what calls need of its account; None when either is gone."""
    async with transaction(context) as ctx:
        try:
            row = await handling.conversation(ctx, conversation_id)
            return row, reference(await handling.account_of(ctx, row))
        except (NotFound, AccountDisconnected):
            return None


def _may_end(row: Conversation, account: AccountRef) -> bool:
    return row.state == "closed" and channel(account.kind).rules.sessions.states[row.session_state].may_end


async def _all_sent(context: Context, conversation_id: UUID) -> None:
    """Waits for what is queued (the assistant's "a colleague is coming"): in states 3 and 4 it could not be sent."""
    until = monotonic() + SENT_WITHIN_SECONDS
    while monotonic() < until:
        async with transaction(context) as ctx:
            if not await pending(ctx, conversation_id):
                return
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _move_to_first(
    context: Context, offered: HasServicers, account: AccountRef, address: str, candidates: Sequence[str]
) -> tuple[str, str | None]:
    """(the code for one message about it, the servicer who has it now), or (code of the last refusal, None)."""
    code = NO_SERVICER
    for userid in candidates:
        try:
            message_code = await _move(context, offered, account, address, userid)
        except ChannelError as error:
            code = error.code
            if error.code not in NEXT_SERVICER_MAY:
                break
        else:
            return message_code, userid
    return code, None


async def _move(context: Context, offered: HasServicers, account: AccountRef, address: str, userid: str) -> str:
    """The change itself; after a time-out the session is asked whether it has happened, before it is tried again.

    Gives the code for one message about it; a change whose answer was lost has lost its code too.
    """
    with_servicer = channel(account.kind).rules.sessions.with_servicer
    assert with_servicer is not None, "a channel with servicers says which state that is"
    for pause in (*PAUSES_SECONDS, None):
        try:
            return await offered.move_session(context, account, address, with_servicer, userid)
        except ChannelError as error:
            if error.final:
                raise
            if error.may_have_happened:
                now_with = await offered.session(context, account, address)
                if now_with == (with_servicer, userid):
                    return ""
            if pause is None:
                raise
            await asyncio.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


async def _receiving(context: Context, offered: HasServicers, account: AccountRef, load: dict[str, int]) -> list[str]:
    """Who receives now, those with the fewest sessions first."""
    found = await offered.servicers(context, account)
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
