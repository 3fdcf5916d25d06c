"""Reads of conversations: the inbox, one conversation, its messages. Each list is a fixed number of queries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Row,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal_column,
    select,
    true,
    tuple_,
)

from huitouke.kernel import clock
from huitouke.kernel.context import ActorKind, Context, DataScope
from huitouke.kernel.errors import NotFound
from huitouke.kernel.files import service as files
from huitouke.kernel.files.service import StoredFile
from huitouke.kernel.locales import has_text, translate
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of
from huitouke.kernel.scoping import OF_A_FOUND_ROW
from huitouke.kernel.windows import Narrowed, narrowed
from huitouke.modules.conversations.channels import HasServicers, channel
from huitouke.modules.conversations.models import ChannelAccount, Conversation, HandoverNotice, Message
from huitouke.modules.conversations.schemas import (
    AccountBrief,
    Can,
    ConversationDetail,
    ConversationRow,
    Counts,
    CustomerBrief,
    CustomerCard,
    Failure,
    FileOut,
    IdentityBrief,
    MessageOut,
    MessagePage,
    NoticeProblem,
    PersonOut,
    Reply,
    Sort,
    View,
)
from huitouke.modules.conversations.search_queries import matches
from huitouke.modules.conversations.service.handling import waits_for_staff
from huitouke.modules.conversations.service.sending import why_not_reply
from huitouke.modules.conversations.service.summaries import summary_lines
from huitouke.modules.customers import service as customers
from huitouke.modules.customers.tables import Customer, CustomerIdentity
from huitouke.modules.organization import service as organization
from huitouke.modules.organization.tables import Staff

REPLY: Final = "conversations.reply"
VIEW: Final = "conversations.view"
LATER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Sorts conversations in which nobody waits behind all others."""

NOBODY_WAITS: Final = literal_column("'9999-01-01 00:00:00+00'::timestamptz", DateTime(timezone=True))
"""The same as a constant of the statement."""

_TABLE: Final = Conversation.__table__.alias("theirs")
"""For statements that say themselves what they are narrowed to."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the inbox: by a moment, then by id. Of the model, or of its table under another name."""

    at: Callable[[Any], ColumnElement[datetime]]
    ascending: bool = False

    def by(self, of: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """What to sort by."""
        at: ColumnElement[Any] = self.at(of)
        return (at, of.id) if self.ascending else (at.desc(), of.id.desc())

    def of_window(self, window: Subquery) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """The same of ids that were found with their moment."""
        return (window.c.at, window.c.id) if self.ascending else (window.c.at.desc(), window.c.id.desc())

    def after(self, of: Any, place: tuple[Any, ...]) -> ColumnElement[bool]:
        """What stands behind that place."""
        here = tuple_(self.at(of), of.id)
        return here > tuple_(*place) if self.ascending else here < tuple_(*place)


ORDERS: Final[dict[Sort, Order]] = {
    "newest": Order(lambda of: of.last_message_at),
    # The order of the index `ix_conversations_state_waiting_order`. CASE and not coalesce: see `customers/queries.py`.
    "waiting": Order(
        lambda of: case((of.waiting_since.is_(None), NOBODY_WAITS), else_=of.waiting_since), ascending=True
    ),
}

GROUPS: Final = ("mine", "waiting", "assistant", "open")
"""What is counted."""

LOOKED_AT: Final = 5_000
"""Conversations of a group that are looked at one by one: who sees a fifth of them is told COUNTED_AT_MOST."""

COUNTED_AT_MOST: Final = 1_000
"""Beyond it a count says nothing that a person would act upon, and counting 100,000 rows takes a tenth of a second."""


async def conversation_page(
    ctx: Context,
    *,
    view: View,
    sort: Sort,
    channel_account_id: UUID | None,
    q: str | None,
    cursor: str | None,
    limit: int,
) -> Page[ConversationRow]:
    """A page of the inbox. A search through "all" finds closed conversations too."""
    place = None if cursor is None else decode_cursor(cursor, datetime.fromisoformat, UUID)
    order = ORDERS[sort]

    def wanted(of: Any) -> list[ColumnElement[bool]]:
        """The conditions on conversations alone, of the model or of its table under another name."""
        conditions = [_in_view(ctx, view, of, searching=bool(q))]
        if channel_account_id is not None:
            conditions.append(of.channel_account_id == channel_account_id)
        if place is not None:
            conditions.append(order.after(of, place))
        return conditions

    rows: Sequence[Row[*tuple[Any, ...]]]
    if q or not isinstance(ctx.scope, DataScope):
        statement = _rows().where(*wanted(Conversation)).order_by(*order.by(Conversation))
        if q:
            statement = statement.where(matches(ctx, q))
        rows = (await ctx.session.execute(statement.limit(limit + 1))).all()
    else:
        rows = await narrowed(ctx, _within(ctx.tenant_id, ctx.scope, wanted, order), partial(_of_window, order), limit)

    def last(row: Row[*tuple[Any, ...]]) -> str:
        found: Conversation = row[0]
        at = (found.waiting_since or LATER) if sort == "waiting" else found.last_message_at
        return encode_cursor(at, found.id)

    page = page_of(rows, limit, last)
    servicers = await _servicer_names(ctx, page.items)
    return Page(items=[_row(row, servicers) for row in page.items], next_cursor=page.next_cursor)


async def counts(ctx: Context) -> Counts:
    """How many open conversations are whose, each counted up to COUNTED_AT_MOST."""
    if isinstance(ctx.scope, DataScope):
        return await _counts_within(ctx, ctx.scope)
    counted = (
        select(func.count()).select_from(select(Conversation.id).where(group).limit(COUNTED_AT_MOST).subquery())
        for group in _groups(ctx, Conversation).values()
    )
    row = (await ctx.session.execute(select(*(each.scalar_subquery() for each in counted)))).one()
    return Counts(**dict(zip(GROUPS, row, strict=True)))


async def conversation_detail(ctx: Context, conversation_id: UUID) -> ConversationDetail:
    """One conversation with its customer's card and what the actor may do. Raises NotFound."""
    row = (await ctx.session.execute(_rows().where(Conversation.id == conversation_id))).one_or_none()
    if row is None:
        raise NotFound(kind="conversation")
    found, account, customer, _ = row
    identities = await ctx.session.scalars(
        select(CustomerIdentity).where(CustomerIdentity.customer_id == customer.id).order_by(CustomerIdentity.id),
        execution_options=OF_A_FOUND_ROW,
    )
    shown = {key: value for key, value in _row(row, await _servicer_names(ctx, [row])) if key != "customer"}
    rules = channel(account.kind).rules
    return ConversationDetail(
        **shown,
        customer=CustomerCard(
            id=customer.id,
            name=customer.remark or customer.name,
            avatar_url=customer.avatar_url,
            gender=customer.gender,
            remark=customer.remark,
            identities=[
                IdentityBrief(kind=one.kind, issuer=one.issuer, value=one.value)
                for one in identities
                if one.kind != "phone"  # stands on the card, with its middle hidden
            ],
            created_at=customer.created_at,
            last_seen_at=customer.last_seen_at,
            version=customer.version,
        ),
        session_state=found.session_state,
        handover_to=found.handover_to,
        handover_reason=found.handover_reason,
        handover_summary=summary_lines(found.handover_summary),
        handover_problem=sentence(ctx, account.kind, found.handover_problem) if found.handover_problem else None,
        notice_problem=await _notice_problem(ctx, found, account),
        closed_at=found.closed_at,
        text_limit_bytes=rules.text_limit_bytes,
        card_limits_bytes={kind: dict(limits) for kind, limits in rules.card_limits_bytes.items()},
        menu_buttons=rules.menu_buttons,
        can=_can(ctx, found, account),
    )


async def message_page(ctx: Context, conversation_id: UUID, before_seq: int | None, limit: int) -> MessagePage:
    """The messages before a number, the newest ones without it; oldest first. Raises NotFound."""
    if await ctx.session.scalar(select(Conversation.id).where(Conversation.id == conversation_id)) is None:
        raise NotFound(kind="conversation")
    statement = select(Message).where(Message.conversation_id == conversation_id)
    if before_seq is not None:
        statement = statement.where(Message.seq < before_seq)
    newest = statement.order_by(Message.seq.desc()).limit(limit + 1)
    rows = (await ctx.session.scalars(newest, execution_options=OF_A_FOUND_ROW)).all()
    shown = await messages_out(ctx, list(reversed(rows[:limit])))
    return MessagePage(items=shown, has_more=len(rows) > limit)


async def message_out(ctx: Context, message: Message) -> MessageOut:
    """One message as the API shows it."""
    (shown,) = await messages_out(ctx, [message])
    return shown


async def messages_out(ctx: Context, messages: Sequence[Message]) -> list[MessageOut]:
    """Messages as the API shows them; files, names and channels are read once for all."""
    if not messages:
        return []
    stored = await files.get_many(ctx, [message.file_id for message in messages if message.file_id])
    names = await organization.staff_names(ctx, [message.sender_id for message in messages if message.sender_id])
    servicers = await organization.names_by_wecom_userid(
        ctx, [message.sender_userid for message in messages if message.sender_userid]
    )
    kinds = await _channel_kinds(ctx, {message.conversation_id for message in messages if message.failure_code})
    return [
        MessageOut(
            id=message.id,
            seq=message.seq,
            changed_seq=message.changed_seq,
            conversation_id=message.conversation_id,
            direction=message.direction,
            sender_kind=message.sender_kind,
            sender=_sender(message, names),
            sender_name=_sender_name(message, names, servicers),
            msgtype=message.msgtype,
            text=message.text,
            content=message.content,
            file=_file(ctx, stored.get(message.file_id)) if message.file_id else None,
            ai=message.ai,
            state=message.state,
            failure=_failure(ctx, message, kinds),
            client_id=message.client_id,
            sent_at=message.sent_at,
            recalled_at=message.recalled_at,
        )
        for message in messages
    ]


def sentence(ctx: Context, kind: str, code: str) -> str:
    """The sentence for a failure code: our own texts first, then the channel's.

    `outreach.…`: why the message may not go to this person.
    """
    for key in (f"conversations.failures.{code}", code):
        if has_text(key):
            return translate(ctx.locale, key)
    return channel(kind).explain(code, ctx.locale)


def _rows() -> Select[*tuple[Any, ...]]:
    """Conversation, account, customer and agent in one query."""
    return (
        select(Conversation, ChannelAccount, Customer, Staff)
        .join(ChannelAccount, _same_tenant(ChannelAccount) & (ChannelAccount.id == Conversation.channel_account_id))
        .join(Customer, _same_tenant(Customer) & (Customer.id == Conversation.customer_id))
        .outerjoin(Staff, _same_tenant(Staff) & (Staff.id == Conversation.staff_id))
        .execution_options(populate_existing=True)
    )


def _same_tenant(table: Any) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = table.tenant_id == Conversation.tenant_id
    return condition


def _in_view(ctx: Context, view: View, of: Any, *, searching: bool) -> ColumnElement[bool]:
    is_open: ColumnElement[bool] = of.state == "open"
    match view:
        case "all":
            either: ColumnElement[bool] = of.state.in_(("open", "closed"))
            return either if searching else is_open
        case "mine":
            return and_(is_open, of.handler == "agent", of.staff_id == ctx.actor.id)
        case "waiting":
            return waits_for_staff(of)
        case "assistant":
            return and_(is_open, of.handler == "assistant")
        case "closed":
            closed: ColumnElement[bool] = of.state == "closed"
            return closed


def _groups(ctx: Context, of: Any) -> dict[str, ColumnElement[bool]]:
    """The conditions of what is counted."""
    is_open = of.state == "open"
    return {
        "mine": is_open & (of.staff_id == ctx.actor.id),
        "waiting": waits_for_staff(of),
        "assistant": is_open & (of.handler == "assistant"),
        "open": is_open,
    }


async def _counts_within(ctx: Context, scope: DataScope) -> Counts:
    """The same for who sees some. Some conversations of each group are looked at one by one, which is all of a small
    group, and enough for who sees much; else all groups are counted from the scope's side, in one go."""
    groups = _groups(ctx, _TABLE.c)
    mine, waiting, opened = (_looked_at(ctx.tenant_id, scope, groups[name]) for name in ("mine", "waiting", "open"))
    sizes_of = mine.c.size, waiting.c.size, opened.c.size
    seen_of = mine.c.seen, waiting.c.seen, opened.c.assistant, opened.c.seen
    asked = select(*sizes_of, *seen_of).select_from(mine.join(waiting, true()).join(opened, true()))
    row = (await ctx.session.execute(asked)).one()
    sizes, found = row[:3], dict(zip(GROUPS, row[3:], strict=True))
    whole = dict(zip(GROUPS, (sizes[0], sizes[1], sizes[2], sizes[2]), strict=True))
    if any(found[one] < COUNTED_AT_MOST and whole[one] == LOOKED_AT for one in GROUPS):
        within = _TABLE.c.customer_id.in_(customers.nobodys_or_within(ctx.tenant_id, scope))
        counted = (func.count().filter(groups[one]) for one in GROUPS)
        everything = select(*counted).where(_TABLE.c.tenant_id == ctx.tenant_id, groups["open"], within)
        found = dict(zip(GROUPS, (await ctx.session.execute(everything)).one(), strict=True))
    return Counts(**{one: min(number, COUNTED_AT_MOST) for one, number in found.items()})


def _looked_at(tenant_id: UUID, scope: DataScope, group: ColumnElement[bool]) -> Subquery:
    """Some of the group: how many, how many the scope shows, and of these how many are with the assistant."""
    wanted = select(_TABLE.c.customer_id, _TABLE.c.handler).where(_TABLE.c.tenant_id == tenant_id, group)
    some = wanted.limit(LOOKED_AT).subquery()
    seen = customers.belongs_within(tenant_id, scope, some.c.customer_id).label("seen")
    judged = select(seen, (some.c.handler == "assistant").label("assistant")).offset(0).subquery()  # judged once each
    return select(
        func.count().label("size"),
        func.count().filter(judged.c.seen).label("seen"),
        func.count().filter(judged.c.seen, judged.c.assistant).label("assistant"),
    ).subquery()


def _within(
    tenant_id: UUID, scope: DataScope, wanted: Callable[[Any], list[ColumnElement[bool]]], order: Order
) -> Narrowed:
    """The two ways to a page for who sees some of 100,000 conversations."""
    newest = Conversation.__table__.alias("newest")

    def ids(table: Any) -> Select[Any]:
        at = order.at(table.c).label("at")
        return select(table.c.id, at).where(table.c.tenant_id == tenant_id, *wanted(table.c))

    theirs = ids(_TABLE).where(_TABLE.c.customer_id.in_(customers.nobodys_or_within(tenant_id, scope)))
    found = theirs.offset(0).subquery("found")
    return Narrowed(
        walked=ids(newest).order_by(*order.by(newest.c)),
        from_scope=select(found).order_by(*order.of_window(found)),
    )


def _of_window(order: Order, window: Subquery) -> Select[*tuple[Any, ...]]:
    return _rows().join(window, window.c.id == Conversation.id).order_by(*order.of_window(window))


def _row(row: Row[*tuple[Any, ...]], servicers: dict[str, str]) -> ConversationRow:
    found, account, customer, staff = row
    return ConversationRow(
        id=found.id,
        customer=CustomerBrief(id=customer.id, name=customer.remark or customer.name, avatar_url=customer.avatar_url),
        channel_account=AccountBrief(id=account.id, name=account.name, kind=account.kind),
        state=found.state,
        handler=found.handler,
        staff=PersonOut(id=staff.id, name=staff.name) if staff is not None else None,
        servicer_userid=found.servicer_userid,
        servicer_name=servicers.get(found.servicer_userid or ""),
        last_preview=found.last_preview,
        last_msgtype=found.last_msgtype,
        last_sender=found.last_sender,
        last_message_at=found.last_message_at,
        unread=found.unread,
        waiting_since=found.waiting_since,
        window_left=found.window_left,
        window_expires_at=found.window_expires_at,
        seq=found.seq,
        assistant_paused_until=found.assistant_paused_until,
    )


async def _servicer_names(ctx: Context, rows: Sequence[Row[*tuple[Any, ...]]]) -> dict[str, str]:
    userids = {row[0].servicer_userid for row in rows if row[0].servicer_userid}
    return await organization.names_by_wecom_userid(ctx, sorted(userids))


async def _channel_kinds(ctx: Context, conversation_ids: set[UUID]) -> dict[UUID, str]:
    """The channels of conversations, for the sentences of failures."""
    if not conversation_ids:
        return {}
    rows = await ctx.session.execute(
        select(Conversation.id, ChannelAccount.kind)
        .join(ChannelAccount, _same_tenant(ChannelAccount) & (ChannelAccount.id == Conversation.channel_account_id))
        .where(Conversation.id.in_(conversation_ids))
    )
    return {row.id: row.kind for row in rows}


def _can(ctx: Context, row: Conversation, account: ChannelAccount) -> Can:
    offered = channel(account.kind)
    rules = offered.rules
    is_open = row.state == "open"
    may = ctx.allows(REPLY)
    mine = row.staff_id is None or row.staff_id == ctx.actor.id or ctx.allows("conversations.manage")
    reason: str | None = why_not_reply(row, rules, ctx, clock.now()) if may else "permission"
    ours = is_open and row.handler != "servicer" and row.session_state != rules.sessions.with_servicer
    movable = may and ours and mine
    return Can(
        reply=Reply.model_validate(
            {
                "allowed": reason is None,
                "reason": reason,
                "sentence": None if reason is None else translate(ctx.locale, f"conversations.reply.{reason}"),
            }
        ),
        take=may and ours and row.staff_id is None and ctx.actor.kind is ActorKind.STAFF,
        hand_back=movable and row.handler == "agent" and account.assistant_enabled,
        hand_over=movable and (row.handler == "assistant" or row.staff_id is not None),
        hand_over_wecom=movable
        and isinstance(offered, HasServicers)
        and rules.sessions.states[row.session_state].may_give_to_servicer,
        close=may and is_open and mine,
    )


async def _notice_problem(ctx: Context, row: Conversation, account: ChannelAccount) -> NoticeProblem | None:
    """Why nobody may know that the customer waits, while nobody has taken the conversation."""
    if row.handover_id is None or row.waiting_since is None or row.staff_id is not None:
        return None
    notice = await ctx.session.scalar(
        select(HandoverNotice).where(
            HandoverNotice.handover_id == row.handover_id, HandoverNotice.state.in_(("failed", "unknown", "nobody"))
        )
    )
    if notice is None:
        return None
    reason = sentence(ctx, account.kind, notice.error_code) if notice.error_code else ""
    said = translate(ctx.locale, f"conversations.notice.problem.{notice.state}", reason=reason)
    return NoticeProblem.model_validate({"state": notice.state, "sentence": said})


def _sender(message: Message, names: dict[UUID, str]) -> PersonOut | None:
    if message.sender_id is None or message.sender_id not in names:
        return None
    return PersonOut(id=message.sender_id, name=names[message.sender_id])


def _sender_name(message: Message, names: dict[UUID, str], servicers: dict[str, str]) -> str | None:
    if message.sender_id is not None:
        return names.get(message.sender_id)
    if message.sender_userid is not None:
        return servicers.get(message.sender_userid, message.sender_userid)
    return None


def _file(ctx: Context, file: StoredFile | None) -> FileOut | None:
    if file is None:
        return None
    return FileOut(
        id=file.id,
        name=file.name,
        bytes=file.bytes,
        media_type=file.media_type,
        url=files.signed_url(ctx, file.id),
    )


def _failure(ctx: Context, message: Message, kinds: dict[UUID, str]) -> Failure | None:
    if message.failure_code is None:
        return None
    code = message.failure_code
    return Failure(code=code, sentence=sentence(ctx, kinds[message.conversation_id], code))


async def failing_accounts(ctx: Context) -> dict[str, int]:
    """How many accounts the channel refuses at present, for the operator's screens."""
    count = select(func.count(ChannelAccount.id)).where(ChannelAccount.state == "failing")
    return {"failing_accounts": await ctx.session.scalar(count) or 0}
