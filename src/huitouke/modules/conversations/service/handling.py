"""Who handles a conversation: the assistant, an agent in the console, or a servicer in the channel's own app.

`MOVES` is the state machine; a move is one guarded UPDATE, so that of two people at once one wins and the other is
told by whom. What the channel itself decides (a servicer took or ended the session) comes in through `inbound`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update

from huitouke.kernel import clock
from huitouke.kernel.context import ActorKind, Context
from huitouke.kernel.errors import NotFound, PermissionMissing
from huitouke.kernel.events import Event, emit
from huitouke.kernel.ids import new_id
from huitouke.kernel.work import enqueue, wake
from huitouke.modules.conversations.channels import HasServicers, Sessions, channel
from huitouke.modules.conversations.events import Closed, HandedBack, HandedOver, StaffAsked, Taken
from huitouke.modules.conversations.models import ChannelAccount, Conversation, Message
from huitouke.modules.conversations.service import problems
from huitouke.modules.conversations.service.announce import announce
from huitouke.modules.customers import service as customers
from huitouke.modules.organization import service as organization

HandlerName = Literal["assistant", "agent", "servicer"]
Destination = Literal["console", "wecom"]

PAUSED_UNTIL_TOLD: Final = timedelta(days=365 * 100)
"""A pause without an end: a hundred years."""

SESSION_ENDED: Final = "session_ended"
"""Reason why a customer waits: the channel ended the session before the customer's last words were answered."""

NOTICE_RUNNER: Final = "conversations.notice"
"""Sends the one card of a handover; key: handover id."""

CARD_RUNNER: Final = "conversations.card"
"""Takes up clicks on a handover's card and brings the card up to date; key: handover id."""

OPEN: Final = frozenset({"open"})


@dataclass(frozen=True, slots=True)
class Move:
    """From where a use case may start, and where it leads."""

    states: frozenset[str]
    handlers: frozenset[HandlerName]
    to_state: str
    to_handler: HandlerName | None
    """None: it stays."""


MOVES: Final[Mapping[str, Move]] = {
    "take": Move(OPEN, frozenset({"assistant", "agent"}), "open", "agent"),
    "hand_over": Move(OPEN, frozenset({"assistant", "agent"}), "open", "agent"),
    "hand_back": Move(OPEN, frozenset({"agent"}), "open", "assistant"),
    "ask_staff": Move(OPEN, frozenset({"assistant"}), "open", None),
    "servicer_took": Move(
        frozenset({"open", "closed"}), frozenset({"assistant", "agent", "servicer"}), "open", "servicer"
    ),
    "ended_on_customer": Move(OPEN, frozenset({"assistant", "agent"}), "open", None),
    "servicer_ended": Move(OPEN, frozenset({"assistant", "agent", "servicer"}), "closed", "assistant"),
    "close": Move(OPEN, frozenset({"assistant", "agent", "servicer"}), "closed", None),
}

NO_HANDOVER: Final[dict[str, Any]] = {
    "handover_id": None,
    "handover_to": None,
    "handover_servicer": None,
    "handover_reason": None,
    "handover_summary": None,
    "handover_problem": None,
    "waiting_since": None,
}


async def conversation(ctx: Context, conversation_id: UUID) -> Conversation:
    """The row of that id. Raises NotFound."""
    row = await ctx.session.scalar(
        select(Conversation).where(Conversation.id == conversation_id).execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound(kind="conversation")
    return row


def waits_for_staff(of: Any = Conversation) -> ColumnElement[bool]:
    """Nobody has the conversation and it needs one: it was handed over, or the assistant asked and goes on serving.

    `of`: the model, or the columns of its table under another name.
    """
    return and_(of.state == "open", of.staff_id.is_(None), of.waiting_since.is_not(None), of.handler != "servicer")


async def waiting_handover(ctx: Context, handover_id: UUID) -> Conversation | None:
    """The conversation that waits for somebody because of that handover or question."""
    return await ctx.session.scalar(
        select(Conversation).where(Conversation.handover_id == handover_id, waits_for_staff())
    )


async def account_of(ctx: Context, row: Conversation) -> ChannelAccount:
    """The account that the conversation runs through."""
    account = await ctx.session.scalar(select(ChannelAccount).where(ChannelAccount.id == row.channel_account_id))
    assert account is not None, "a foreign key holds it"
    return account


async def take(ctx: Context, conversation_id: UUID) -> Conversation:
    """The acting agent takes the conversation from the assistant or the queue.

    Taking what one has already changes nothing. Raises NotFound, AlreadyTaken, ConversationClosed, WithServicer.
    """
    if ctx.actor.kind is not ActorKind.STAFF or ctx.actor.id is None:
        raise PermissionMissing(permission="conversations.reply")
    taken = await _move(
        ctx,
        conversation_id,
        "take",
        {"staff_id": ctx.actor.id, "waiting_since": None, "servicer_userid": None},
        or_(Conversation.handler == "assistant", Conversation.staff_id.is_(None)),
        Conversation.session_state != (await _sessions(ctx, conversation_id)).with_servicer,
        event_type="taken",
    )
    if taken is None:
        row = await conversation(ctx, conversation_id)
        if row.state == "open" and row.staff_id == ctx.actor.id:
            return row
        raise await _why_not_taken(ctx, row)
    await customers.follow(ctx, taken.customer_id, ctx.actor.id)
    await _emit(ctx, taken, Taken(staff_id=ctx.actor.id))
    await _card_is_old(ctx, taken.handover_id)
    return taken


async def hand_over(
    ctx: Context,
    conversation_id: UUID,
    reason: str,
    summary: str | None = None,
    to: Destination | None = None,
    servicer_userid: str | None = None,
) -> Conversation:
    """Gives the conversation to people: the console's queue, or a servicer in the WeCom app.

    `to` None takes the account's setting. A channel without servicers of its own knows only the console. For WeCom it
    waits in the queue until a job has moved the session; when WeCom refuses, it stays there with the reason. One that
    waits already is left as it is, unless it is to go on to WeCom. Raises NotFound, ConversationClosed, WithServicer,
    TakeFirst, NoHandoverToServicer.
    """
    row = await conversation(ctx, conversation_id)
    account = await account_of(ctx, row)
    destination: Destination = to or ("wecom" if account.handover_to == "wecom" else "console")
    if destination == "wecom" and not isinstance(channel(account.kind), HasServicers):
        raise problems.NoHandoverToServicer
    handover_before = row.handover_id
    waits = row.state == "open" and row.handler == "agent" and row.staff_id is None
    if waits and (destination == "console" or row.handover_to == "wecom"):
        return row
    moved = await _move(
        ctx,
        conversation_id,
        "hand_over",
        {
            "staff_id": None,
            "waiting_since": clock.now(),
            "handover_id": new_id(),
            "handover_to": destination,
            "handover_servicer": servicer_userid,
            "handover_reason": reason,
            "handover_summary": summary if summary is not None else Conversation.handover_summary,
            "handover_problem": None,
        },
        *_if_mine(ctx),
        event_type="handed_over",
        line={"to": destination, "reason": reason},
    )
    if moved is None:
        raise await _why_not(ctx, row)
    assert moved.handover_id is not None
    await _card_is_old(ctx, handover_before)
    await _emit(ctx, moved, HandedOver(to=destination, reason=reason, handover_id=moved.handover_id))
    if destination == "wecom":
        arguments = {"conversation_id": str(moved.id), "handover_id": str(moved.handover_id)}
        await enqueue(ctx, "conversations.give_to_servicer", arguments)
    else:
        await wake(ctx, NOTICE_RUNNER, str(moved.handover_id))
    return moved


async def ask_staff(ctx: Context, conversation_id: UUID, reason: str, summary: str) -> Conversation | None:
    """The assistant could not answer and said that it asks a colleague: staff are told once, and it goes on serving.

    The conversation stands among those that wait until somebody takes it. None where it waits already, or is not the
    assistant's any more.
    """
    moved = await _move(
        ctx,
        conversation_id,
        "ask_staff",
        {
            "waiting_since": clock.now(),
            "handover_id": new_id(),
            "handover_to": "console",
            "handover_reason": reason,
            "handover_summary": summary,
            "handover_problem": None,
        },
        Conversation.waiting_since.is_(None),
        event_type="staff_asked",
    )
    if moved is None:
        return None
    assert moved.handover_id is not None
    await _emit(ctx, moved, StaffAsked(reason=reason, handover_id=moved.handover_id))
    await wake(ctx, NOTICE_RUNNER, str(moved.handover_id))
    return moved


async def hand_back(ctx: Context, conversation_id: UUID) -> Conversation:
    """Gives the conversation back to the assistant, awake.

    Raises NotFound, WithAssistant, ConversationClosed, WithServicer, TakeFirst, AssistantOff.
    """
    row = await conversation(ctx, conversation_id)
    if not (await account_of(ctx, row)).assistant_enabled:
        raise problems.AssistantOff
    handover_before = row.handover_id
    moved = await _move(
        ctx,
        conversation_id,
        "hand_back",
        {"staff_id": None, "assistant_paused_until": None, **NO_HANDOVER},
        *_if_mine(ctx),
        event_type="handed_back",
    )
    if moved is None:
        row = await conversation(ctx, conversation_id)
        raise (
            problems.WithAssistant() if row.handler == "assistant" and row.state == "open" else await _why_not(ctx, row)
        )
    await _emit(ctx, moved, HandedBack())
    await _card_is_old(ctx, handover_before)
    return moved


async def close(ctx: Context, conversation_id: UUID) -> Conversation:
    """Ends the conversation; a job ends the WeCom session. Closing a closed one changes nothing.

    Raises NotFound, TakeFirst.
    """
    handover_before = (await conversation(ctx, conversation_id)).handover_id
    moved = await _move(
        ctx,
        conversation_id,
        "close",
        {"closed_at": clock.now(), "unread": 0, **NO_HANDOVER},
        *_if_mine(ctx),
        event_type="closed",
    )
    if moved is None:
        row = await conversation(ctx, conversation_id)
        if row.state == "closed":
            return row
        raise await _why_not(ctx, row)
    await _emit(ctx, moved, Closed())
    await enqueue(ctx, "conversations.end_session", {"conversation_id": str(moved.id)})
    await _card_is_old(ctx, handover_before)
    return moved


async def mark_read(ctx: Context, conversation_id: UUID) -> Conversation:
    """Sets the unread count to 0. Raises NotFound."""
    return await _change(ctx, conversation_id, {"unread": 0}, Conversation.unread > 0)


async def pause_assistant(ctx: Context, conversation_id: UUID, until: datetime | None) -> Conversation:
    """The assistant keeps silent in this conversation until then; None wakes it. Raises NotFound."""
    return await _change(ctx, conversation_id, {"assistant_paused_until": until})


async def give_back_to_console(ctx: Context, conversation_id: UUID, handover_id: UUID, code: str) -> bool:
    """No servicer could be given the session: it waits in the console with the reason. False: somebody was faster."""
    row = await _update(
        ctx,
        (
            Conversation.id == conversation_id,
            Conversation.handover_id == handover_id,
            Conversation.handover_to == "wecom",
            Conversation.staff_id.is_(None),
            Conversation.handler == "agent",
        ),
        {"handover_to": "console", "handover_problem": code},
        steps=1,
    )
    if row is None:
        return False
    announce(ctx, row.id, row.seq, counts=True)
    await wake(ctx, NOTICE_RUNNER, str(handover_id))
    return True


async def servicer_took(ctx: Context, conversation_id: UUID, servicer_userid: str) -> Conversation | None:
    """The channel gave the session to a servicer: whoever had the conversation loses it."""
    with_servicer = (await _sessions(ctx, conversation_id)).with_servicer
    moved = await _move(
        ctx,
        conversation_id,
        "servicer_took",
        {
            "staff_id": None,
            "servicer_userid": servicer_userid,
            "session_state": with_servicer,
            "waiting_since": None,
            "handover_problem": None,
            "closed_at": None,
        },
        or_(Conversation.session_state != with_servicer, Conversation.servicer_userid != servicer_userid),
        event_type="servicer_took",
        line={"servicer_userid": servicer_userid, **await _servicer_name(ctx, servicer_userid)},
    )
    if moved is not None:
        staff = await organization.staff_of_wecom_userid(ctx, servicer_userid)
        if staff is not None:
            await customers.follow(ctx, moved.customer_id, staff.id)
        announce(ctx, moved.id, moved.seq, counts=True)
    return moved


async def session_ended(ctx: Context, conversation_id: UUID) -> Conversation | None:
    """The channel ended the session: closed, and the assistant's again when the customer writes.

    Where the customer's last words have not been answered it stays open, in front of people: nothing can be sent until
    the customer writes again (path/94669), but nobody is forgotten.
    """
    row = await conversation(ctx, conversation_id)
    if await _unanswered(ctx, row):
        return await ended_on_customer(ctx, row)
    ended = (await _sessions(ctx, conversation_id)).ended
    moved = await _move(
        ctx,
        conversation_id,
        "servicer_ended",
        {"staff_id": None, "servicer_userid": None, "session_state": ended, "closed_at": clock.now(), **NO_HANDOVER},
        event_type="closed",
    )
    if moved is not None:
        await _emit(ctx, moved, Closed())
    return moved


async def ended_on_customer(ctx: Context, row: Conversation) -> Conversation | None:
    """The session ended while the customer waits for an answer: staff are told once, who has it keeps it."""
    handover: dict[str, Any] = {}
    if row.staff_id is None and row.waiting_since is None:
        handover = {
            "waiting_since": clock.now(),
            "handover_id": new_id(),
            "handover_to": "console",
            "handover_reason": SESSION_ENDED,
        }
    ended = (await _sessions(ctx, row.id)).ended
    moved = await _move(
        ctx,
        row.id,
        "ended_on_customer",
        {"session_state": ended, **handover},
        Conversation.session_state != ended,
        event_type="ended_on_customer",
    )
    if moved is None:
        return None
    if handover and moved.handover_id is not None:
        await _emit(ctx, moved, StaffAsked(reason=SESSION_ENDED, handover_id=moved.handover_id))
        await wake(ctx, NOTICE_RUNNER, str(moved.handover_id))
    else:
        announce(ctx, moved.id, moved.seq, counts=True)
    return moved


async def session_over(ctx: Context, conversation_id: UUID) -> None:
    """We ended the session of a closed conversation; if the customer wrote meanwhile, theirs is a new one."""
    ended = (await _sessions(ctx, conversation_id)).ended
    await _change(ctx, conversation_id, {"session_state": ended}, Conversation.state == "closed")


async def session_state_seen(ctx: Context, conversation_id: UUID, session_state: int) -> None:
    """Notes the channel's own state where it differs from ours and nobody's turn changes by it."""
    await _change(ctx, conversation_id, {"session_state": session_state}, Conversation.session_state != session_state)


def paused_until(minutes: int | None, paused: bool) -> datetime | None:
    """When a pause ends: None when it is lifted, a hundred years from now for minutes None."""
    if not paused:
        return None
    return clock.now() + (PAUSED_UNTIL_TOLD if minutes is None else timedelta(minutes=minutes))


def _if_mine(ctx: Context) -> tuple[ColumnElement[bool], ...]:
    """A person without `conversations.manage` may only move what they have themselves, or what waits."""
    if ctx.actor.kind is not ActorKind.STAFF or ctx.allows("conversations.manage"):
        return ()
    return (or_(Conversation.staff_id == ctx.actor.id, Conversation.staff_id.is_(None)),)


async def _sessions(ctx: Context, conversation_id: UUID) -> Sessions:
    """The session states of the channel that the conversation runs through. Raises NotFound."""
    kind = await ctx.session.scalar(
        select(ChannelAccount.kind)
        .join(Conversation, Conversation.channel_account_id == ChannelAccount.id)
        .where(Conversation.id == conversation_id)
    )
    if kind is None:
        raise NotFound(kind="conversation")
    return channel(kind).rules.sessions


async def _move(
    ctx: Context,
    conversation_id: UUID,
    name: str,
    values: dict[str, Any],
    *guards: ColumnElement[bool],
    event_type: str,
    line: dict[str, Any] | None = None,
) -> Conversation | None:
    """One guarded UPDATE and the line that shows it in the chat; None when the row was not where `MOVES` wants it."""
    move = MOVES[name]
    targets: dict[str, Any] = {"state": move.to_state}
    if move.to_handler is not None:
        targets["handler"] = move.to_handler
    row = await _update(
        ctx,
        (
            Conversation.id == conversation_id,
            Conversation.state.in_(move.states),
            Conversation.handler.in_(move.handlers),
            *guards,
        ),
        {**values, **targets},
        steps=2,
    )
    if row is None:
        return None
    actor_name = await _actor_name(ctx)
    now = clock.now()
    ctx.session.add(
        Message(
            id=new_id(),
            conversation_id=row.id,
            seq=row.seq - 1,
            changed_seq=row.seq - 1,
            direction="in",
            sender_kind="system",
            sender_id=ctx.actor.id if ctx.actor.kind is ActorKind.STAFF else None,
            msgtype="event",
            content={"event_type": event_type, **({"name": actor_name} if actor_name else {}), **(line or {})},
            ai=False,
            state="received",
            sent_at=now,
            created_at=now,
        )
    )
    await ctx.session.flush()
    return row


async def _change(
    ctx: Context, conversation_id: UUID, values: dict[str, Any], *guards: ColumnElement[bool]
) -> Conversation:
    """A change that is nobody's turn: announced where it happened, else the row as it is."""
    row = await _update(ctx, (Conversation.id == conversation_id, *guards), values, steps=1)
    if row is None:
        return await conversation(ctx, conversation_id)
    announce(ctx, row.id, row.seq)
    return row


async def _update(
    ctx: Context, guards: tuple[ColumnElement[bool], ...], values: dict[str, Any], *, steps: int
) -> Conversation | None:
    """The UPDATE itself; takes `steps` numbers, the last of which is the conversation's own."""
    return (
        await ctx.session.execute(
            update(Conversation)
            .where(*guards)
            .values(
                seq=Conversation.seq + steps,
                state_seq=Conversation.seq + steps,
                changed_at=clock.now(),
                **values,
            )
            .returning(Conversation)
            .execution_options(synchronize_session=False, populate_existing=True)
        )
    ).scalar_one_or_none()


async def _unanswered(ctx: Context, row: Conversation) -> bool:
    """Whether the customer's last words came after all that was said to them."""
    if row.state != "open" or row.handler == "servicer" or not row.last_customer_seq:
        return False
    answer = select(Message.id).where(
        Message.conversation_id == row.id,
        Message.direction == "out",
        Message.sender_kind != "system",
        Message.state != "failed",
        Message.seq > row.last_customer_seq,
    )
    return await ctx.session.scalar(answer.limit(1)) is None


async def _emit(ctx: Context, row: Conversation, event: Event) -> None:
    await emit(ctx, event.model_copy(update={"customer_id": row.customer_id, "conversation_id": row.id}))
    announce(ctx, row.id, row.seq, counts=True)


async def _card_is_old(ctx: Context, handover_id: UUID | None) -> None:
    """Nobody waits for that handover any more: the card in people's WeCom, if there is one, says who has it."""
    if handover_id is not None:
        await wake(ctx, CARD_RUNNER, str(handover_id))


async def _actor_name(ctx: Context) -> str | None:
    if ctx.actor.kind is not ActorKind.STAFF or ctx.actor.id is None:
        return None
    return (await organization.staff_names(ctx, [ctx.actor.id])).get(ctx.actor.id)


async def _servicer_name(ctx: Context, userid: str) -> dict[str, str]:
    names = await organization.names_by_wecom_userid(ctx, [userid])
    return {"name": names[userid]} if userid in names else {}


async def _why_not_taken(ctx: Context, row: Conversation) -> Exception:
    if row.state == "open" and row.handler == "agent" and row.staff_id is not None:
        names = await organization.staff_names(ctx, [row.staff_id])
        return problems.AlreadyTaken(name=names.get(row.staff_id, ""), staff_id=str(row.staff_id))
    return await _why_not(ctx, row)


async def _why_not(ctx: Context, row: Conversation) -> Exception:
    """The reason why a move found no row, read after it failed."""
    if row.state == "closed":
        return problems.ConversationClosed()
    if row.handler == "servicer" or row.session_state == (await _sessions(ctx, row.id)).with_servicer:
        return problems.WithServicer()
    if row.handler == "agent" and row.staff_id is not None and row.staff_id != ctx.actor.id:
        names = await organization.staff_names(ctx, [row.staff_id])
        return problems.AlreadyTaken(name=names.get(row.staff_id, ""), staff_id=str(row.staff_id))
    return problems.TakeFirst()
