"""Taking in what a channel brings: messages and changes of conversations commit together, a page with its cursor.

1,000 items of 300 bytes are about fourteen statements of one array per column, whatever their number: receipts,
customers (one to three), new conversations, lock, window, five inserts, one update, events. Twice the same page does
nothing the second time: what has a receipt is left out.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from huitouke.kernel import clock, realtime
from huitouke.kernel.context import Actor, ActorKind, Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import NotFound
from huitouke.kernel.events import emit_many
from huitouke.kernel.ids import new_id
from huitouke.kernel.work import enqueue, wake, wake_many
from huitouke.modules.conversations.channels import GivesFiles, TellsProfiles, channel, issuer_of
from huitouke.modules.conversations.channels.inbound import AccountChanged, Inbound, tidied
from huitouke.modules.conversations.events import MessageFailed
from huitouke.modules.conversations.models import ChannelAccount
from huitouke.modules.conversations.service.accounts import reference
from huitouke.modules.conversations.service.announce import announce
from huitouke.modules.conversations.service.event_texts import texts_of
from huitouke.modules.conversations.service.handling import NOTICE_RUNNER
from huitouke.modules.conversations.service.inbound_rules import ConversationState, Effects, Setting, apply
from huitouke.modules.conversations.service.telling import tell_restored
from huitouke.modules.conversations.sql import inbound as sql
from huitouke.modules.customers import service as customers

PROFILE_LIFETIME: Final = timedelta(days=1)
"""How long a name and a picture are taken for current."""

MEDIA_RUNNER: Final = "conversations.media"

log = structlog.get_logger(__name__)


class StalePage(Exception):
    """The account's cursor moved on since the page was asked for: somebody else stored it. Pull again."""


@dataclass(frozen=True, slots=True)
class _Receipt:
    channel_account_id: UUID
    external_msgid: str
    message_id: UUID | None


@dataclass(frozen=True, slots=True)
class _Outbound:
    id: UUID
    conversation_id: UUID
    channel_account_id: UUID
    seq: int
    msgid: str
    next_attempt_at: datetime
    event_code: str
    expires_at: datetime
    state: str = "queued"
    attempts: int = 0
    ai_label: None = None
    counted: bool = False
    purpose: str = "service"
    accepted_at: None = None
    error_code: None = None


@dataclass(frozen=True, slots=True)
class _Media:
    message_id: UUID
    conversation_id: UUID
    channel_account_id: UUID
    media_id: str
    msgtype: str
    next_attempt_at: datetime
    state: str = "waiting"
    attempts: int = 0
    error_code: None = None


async def receive_page(
    ctx: Context,
    account_id: UUID,
    expected_cursor: str | None,
    items: Sequence[Inbound],
    next_cursor: str,
    *,
    told_at: datetime | None = None,
) -> int:
    """Stores a page and the cursor after it; gives the number of items that were new.

    `told_at`: when a callback told of it; None when it was asked for without one.
    Raises StalePage when the account's cursor is not the one that the page was asked with.
    """
    account = await _locked(ctx, account_id)
    if account is None or account.sync_cursor != expected_cursor:
        raise StalePage
    return await _take_in(ctx, account, items, told_at or clock.now(), next_cursor or None)


async def receive(ctx: Context, account_id: UUID, items: Sequence[Inbound]) -> int:
    """Stores what a channel brought by itself, at most 1,000 items; gives the number that were new.

    An item whose msgid the account had before is left out, so that bringing it again does nothing. Raises NotFound
    when the account is disconnected.
    """
    account = await _locked(ctx, account_id)
    if account is None:
        raise NotFound(kind="channel_account")
    return await _take_in(ctx, account, items, clock.now())


async def _locked(ctx: Context, account_id: UUID) -> ChannelAccount | None:
    """The account while it is connected, to read; whoever else takes in something for it waits."""
    raw = await connection(ctx)
    row = await raw.fetchrow(sql.LOCK_ACCOUNT, ctx.tenant_id, account_id)
    return None if row is None else ChannelAccount(**dict(row))


async def _take_in(
    ctx: Context, account: ChannelAccount, items: Sequence[Inbound], arrived_at: datetime, cursor: str | None = None
) -> int:
    now = clock.now()
    raw = await connection(ctx)
    await raw.execute(sql.SYNCED, ctx.tenant_id, account.id, cursor, now)
    if account.state == "failing":
        realtime.hint(ctx, kind="channel_account", id=account.id)
        await tell_restored(ctx, account.id, account.name)
    fresh = await _without_seen(ctx, account.id, tidied(items, now))
    if not fresh:
        return 0
    states, grouped = await _conversations(ctx, account, [item for item in fresh if item.address], now)
    out = Effects()
    sent = await _sent_since(ctx, states, grouped)
    setting = Setting(
        channel(account.kind).rules, account.assistant_enabled, texts_of(account), account.created_at, now, arrived_at
    )
    for address, one_by_one in grouped.items():
        state = states[address]
        apply(state, one_by_one, sent[state.id], setting, out)
    await _write(ctx, account, fresh, list(states.values()), out, now)
    await _follow_up(ctx, account, fresh, list(states.values()), out)
    return len(fresh)


async def _without_seen(ctx: Context, account_id: UUID, items: list[Inbound]) -> list[Inbound]:
    if not items:
        return []
    raw = await connection(ctx)
    rows = await raw.fetch(sql.SEEN_BEFORE, ctx.tenant_id, account_id, [item.msgid for item in items])
    seen = {row["external_msgid"] for row in rows}
    return [item for item in items if item.msgid not in seen]


async def _conversations(
    ctx: Context, account: ChannelAccount, items: Sequence[Inbound], now: datetime
) -> tuple[dict[str, ConversationState], dict[str, list[Inbound]]]:
    """The conversations of the page's customers, made where they are new, locked in the order of their ids."""
    grouped: dict[str, list[Inbound]] = defaultdict(list)
    for item in items:
        grouped[item.address].append(item)
    addresses = list(grouped)
    rules = channel(account.kind).rules
    issuer = await issuer_of(ctx, reference(account))
    known = await customers.find_or_create_many(ctx, rules.identity_kind, issuer, addresses)
    raw = await connection(ctx)
    await raw.execute(
        sql.NEW_CONVERSATIONS,
        ctx.tenant_id,
        account.id,
        [new_id() for _ in addresses],
        [known[address] for address in addresses],
        addresses,
        [grouped[address][0].at for address in addresses],
        now,
        rules.sessions.ended,
    )
    rows = await raw.fetch(sql.LOCK_CONVERSATIONS, ctx.tenant_id, account.id, addresses)
    return {row["customer_address"]: ConversationState(**dict(row)) for row in rows}, grouped


async def _sent_since(
    ctx: Context, states: dict[str, ConversationState], grouped: dict[str, list[Inbound]]
) -> dict[UUID, list[datetime | None]]:
    """What of ours may count against the windows that this page opens, by conversation."""
    first = {
        states[address].id: min(item.at for item in items if item.who == "customer")
        for address, items in grouped.items()
        if any(item.who == "customer" for item in items)
    }
    sent: dict[UUID, list[datetime | None]] = defaultdict(list)
    if first:
        raw = await connection(ctx)
        for row in await raw.fetch(sql.SENT_SINCE, ctx.tenant_id, list(first), list(first.values())):
            sent[row["conversation_id"]].append(row["accepted_at"])
    return sent


async def _write(
    ctx: Context,
    account: ChannelAccount,
    fresh: Sequence[Inbound],
    states: Sequence[ConversationState],
    out: Effects,
    now: datetime,
) -> None:
    raw = await connection(ctx)
    tenant_id = ctx.tenant_id
    message_ids = {row.external_msgid: row.id for row in out.messages}
    receipts = [_Receipt(account.id, item.msgid, message_ids.get(item.msgid)) for item in fresh]
    receipts += [_Receipt(account.id, one.message.id.hex, one.message.id) for one in out.answers]
    if out.messages:
        await raw.execute(sql.MESSAGES.insert(), tenant_id, *sql.MESSAGES.arguments(out.messages))
    on_conflict = "ON CONFLICT DO NOTHING"
    await raw.execute(sql.RECEIPTS.insert(on_conflict), tenant_id, *sql.RECEIPTS.arguments(receipts))
    if out.fetches:
        media = [
            _Media(one.message_id, one.conversation_id, account.id, one.media_id, one.msgtype, now)
            for one in out.fetches
        ]
        await raw.execute(sql.MEDIA.insert(), tenant_id, *sql.MEDIA.arguments(media))
    if out.answers:
        outbound = [
            _Outbound(
                one.message.id,
                one.message.conversation_id,
                account.id,
                one.message.seq,
                one.message.id.hex,
                now,
                one.code,
                one.expires_at,
            )
            for one in out.answers
        ]
        await raw.execute(sql.OUTBOUND.insert(), tenant_id, *sql.OUTBOUND.arguments(outbound))
    await _write_failures_and_recalls(ctx, account, out)
    if states:
        await raw.execute(sql.CONVERSATIONS.update(), tenant_id, *sql.CONVERSATIONS.arguments(states))
    if out.events:
        await emit_many(ctx, out.events)


async def _write_failures_and_recalls(ctx: Context, account: ChannelAccount, out: Effects) -> None:
    """Both name messages by the platform's id. A recall may come before its message, even pages before: it is kept."""
    raw = await connection(ctx)
    if came := {row.external_msgid: row for row in out.messages if row.external_msgid is not None}:
        waiting = await raw.fetch(sql.TAKE_EARLY_RECALLS, ctx.tenant_id, account.id, list(came))
        recalled = [(came[one["external_msgid"]], one["recalled_at"]) for one in waiting]
        if recalled:
            await raw.execute(
                sql.RECALL_MESSAGES,
                ctx.tenant_id,
                [row.id for row, _ in recalled],
                [at for _, at in recalled],
                [row.changed_seq for row, _ in recalled],
            )
    if not (out.failures or out.recalls):
        return
    wanted = [one.msgid for one in out.failures] + [one.msgid for one in out.recalls]
    rows = await raw.fetch(sql.FIND_OUTBOUND, ctx.tenant_id, account.id, wanted)
    found = {row["external_msgid"]: row for row in rows}
    failures = [one for one in out.failures if one.msgid in found]
    if failures:
        ids = [found[one.msgid]["message_id"] for one in failures]
        await raw.execute(
            sql.FAIL_MESSAGES, ctx.tenant_id, ids, [one.code for one in failures], [one.seq for one in failures]
        )
    out.events.extend(
        MessageFailed(
            customer_id=one.state.customer_id,
            conversation_id=one.state.id,
            message_id=found[one.msgid]["message_id"],
            failure_code=one.code,
            sender_kind=found[one.msgid]["sender_kind"],
        )
        for one in failures
    )
    recalls = [one for one in out.recalls if one.msgid in found]
    if recalls:
        ids = [found[one.msgid]["message_id"] for one in recalls]
        await raw.execute(
            sql.RECALL_MESSAGES, ctx.tenant_id, ids, [one.at for one in recalls], [one.seq for one in recalls]
        )
    early = [one for one in out.recalls if one.msgid not in found]
    if early:
        msgids, times = [one.msgid for one in early], [one.at for one in early]
        await raw.execute(sql.KEEP_EARLY_RECALLS, ctx.tenant_id, account.id, msgids, times)


async def _follow_up(
    ctx: Context,
    account: ChannelAccount,
    fresh: Sequence[Inbound],
    states: Sequence[ConversationState],
    out: Effects,
) -> None:
    """What the page makes others do: senders, media, names, notices, screens."""
    await wake_many(ctx, "send", {str(one.message.conversation_id) for one in out.answers})
    await wake_many(ctx, NOTICE_RUNNER, {str(handover_id) for handover_id in out.handovers})
    offered = channel(account.kind)
    if out.fetches and isinstance(offered, GivesFiles):
        await wake(ctx, MEDIA_RUNNER, str(account.id))
    for conversation_id in set(out.doubtful):
        await enqueue(ctx, "conversations.refresh_session", {"conversation_id": str(conversation_id)})
    await customers.note_seen(
        ctx, {state.customer_id: state.last_customer_message_at for state in states if state.last_customer_message_at}
    )
    await _note_refusals(ctx, states, out)
    if isinstance(offered, TellsProfiles):
        await _ask_for_names(ctx, account, states)
    for state in states:
        announce(ctx, state.id, state.seq)
    if states:
        realtime.hint(ctx, kind="counts")
    if any(isinstance(item.event, AccountChanged) for item in fresh):
        realtime.hint(ctx, kind="channel_account", id=account.id)


async def _note_refusals(ctx: Context, states: Sequence[ConversationState], out: Effects) -> None:
    """Whoever writes that they want no offers gets none from now on, whoever answers them.

    After `note_seen`, which has the customers' rows by now, in the order in which everybody takes them.
    """
    customer_of = {state.id: state.customer_id for state in states}
    refusing = {
        customer_of[row.conversation_id]
        for row in out.messages
        if row.sender_kind == "customer" and row.text and customers.refuses_marketing(row.text)
    }
    if refusing:
        refusals = [customers.Refusal("customer_words", customer_id) for customer_id in sorted(refusing)]
        await customers.refuse_marketing(ctx.acting_as(Actor(ActorKind.CUSTOMER)), refusals)


async def _ask_for_names(ctx: Context, account: ChannelAccount, states: Sequence[ConversationState]) -> None:
    raw = await connection(ctx)
    nameless = await raw.fetch(
        sql.WITHOUT_PROFILE,
        ctx.tenant_id,
        [state.customer_id for state in states],
        clock.now() - PROFILE_LIFETIME,
    )
    if nameless:
        await enqueue(
            ctx,
            "conversations.fetch_profiles",
            {"account_id": str(account.id), "customer_ids": [str(row["id"]) for row in nameless]},
        )
