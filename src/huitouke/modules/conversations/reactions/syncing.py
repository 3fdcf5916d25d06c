"""Pulling what happened at an account: after each callback, and once a minute without one (callbacks may be lost)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from pydantic import BaseModel
from sqlalchemy import select

from huitouke.kernel import clock
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.work import enqueue, fence, job, runner, scheduled, wake, wake_many
from huitouke.modules.conversations.channels import AccountRef, ChannelError, Pulled, Pulls, channel, channels
from huitouke.modules.conversations.models import ChannelAccount
from huitouke.modules.conversations.service.accounts import (
    PULL_SCHEDULE,
    SYNC_RUNNER,
    account_failed,
    reference,
)
from huitouke.modules.conversations.service.receiving import StalePage, receive_page
from huitouke.modules.conversations.sql import inbound as sql
from huitouke.modules.organization.service import callback_fields

PULL_EVERY: Final = timedelta(seconds=60)
FRESH_ENOUGH: Final = timedelta(seconds=50)
"""An account that was pulled within this time is left out of the minute's round (the limit without token is strict)."""

SILENT_AFTER: Final = timedelta(minutes=3)
"""An account that could not be pulled for this long is shown as failing, with the reason."""

TOKEN_LIFETIME: Final = timedelta(minutes=10)
"""Of the token in a callback (path/94670)."""

TOKEN_INVALID: Final = "95007"  # noqa: S105 - an error code
CURSOR_INVALID: Final = "40058"
"""What WeCom says of arguments that it doesn't take; with a cursor of ours it can only be the cursor."""

PAGES_PER_RUN: Final = 50
"""50,000 messages; then the runner is woken again, so that others get their turn."""

RETRY_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to pull from: the account, its cursor, and a callback's token that is still valid."""

    account: AccountRef
    cursor: str | None
    token: str | None
    told_at: datetime | None
    """When that callback came; None where the account was pulled since."""
    silent: bool
    """Whether the last successful pull was long ago."""


@runner(SYNC_RUNNER)
async def sync(context: Context, open_kfid: str) -> None:
    """Takes in page after page until nothing is left."""
    if not await take_in(context, open_kfid):
        async with transaction(context) as ctx:
            await wake(ctx, SYNC_RUNNER, open_kfid)


async def take_in(context: Context, open_kfid: str) -> bool:
    """The pages that there are now, each committed together with the cursor after it; False when there are more."""
    for _ in range(PAGES_PER_RUN):
        place = await _place(context, open_kfid)
        if place is None:
            return True
        page = await _pull(context, place)
        if page is None:
            return True
        try:
            async with transaction(context) as ctx:
                await fence(ctx)
                fresh = await receive_page(
                    ctx, place.account.id, place.cursor, page.items, page.next_cursor, told_at=place.told_at
                )
        except StalePage:
            continue
        log.info("conversations.page_received", account_id=str(place.account.id), items=len(page.items), fresh=fresh)
        if not page.has_more:
            return True
    return False


async def news(context: Context, account: AccountRef) -> bool:
    """Whether WeCom told of something at the account that has not been taken in yet."""
    async with transaction(context) as ctx:
        newest = await callbacks.newest_body(ctx, "wecom", account.external_id)
        synced_at = await ctx.session.scalar(
            select(ChannelAccount.last_synced_at).where(ChannelAccount.id == account.id)
        )
    return newest is not None and _is_news(newest, synced_at)


def _is_news(newest: callbacks.StoredBody, synced_at: datetime | None) -> bool:
    return synced_at is None or newest.received_at > synced_at


class SyncLater(BaseModel):
    """Which account to pull again."""

    open_kfid: str


@job("conversations.sync_later")
async def sync_later(context: Context, args: SyncLater) -> None:
    """The pause after a failed pull is over."""
    async with transaction(context) as ctx:
        await wake(ctx, SYNC_RUNNER, args.open_kfid)


@scheduled(PULL_SCHEDULE)
async def pull_all(context: Context) -> datetime | None:
    """Wakes every account that was not pulled within the last minute; None where none is to be pulled."""
    now = clock.now()
    async with transaction(context) as ctx:
        rows = (
            await ctx.session.execute(
                select(ChannelAccount.external_id, ChannelAccount.last_synced_at).where(
                    ChannelAccount.state != "disconnected", ChannelAccount.kind.in_(_pulled_kinds())
                )
            )
        ).all()
        due = [row.external_id for row in rows if row.last_synced_at is None or row.last_synced_at < now - FRESH_ENOUGH]
        await wake_many(ctx, SYNC_RUNNER, due)
    return now + PULL_EVERY if rows else None


def _pulled_kinds() -> list[str]:
    """Channels that are asked; the others bring what happened by themselves."""
    return [offered.kind for offered in channels() if isinstance(offered, Pulls)]


async def _place(context: Context, open_kfid: str) -> _Place | None:
    async with transaction(context) as ctx:
        raw = await connection(ctx)
        row = await raw.fetchrow(sql.PULLED_ACCOUNT, ctx.tenant_id, open_kfid, _pulled_kinds())
        if row is None:
            return None
        account = ChannelAccount(**dict(row))
        newest = await callbacks.newest_body(ctx, "wecom", open_kfid)
        token, told_at = None, None
        if newest is not None and newest.received_at > clock.now() - TOKEN_LIFETIME:
            token = callback_fields(newest.body).get("Token")
            told_at = newest.received_at if _is_news(newest, account.last_synced_at) else None
        silent = account.last_synced_at is None or account.last_synced_at < clock.now() - SILENT_AFTER
        return _Place(reference(account), account.sync_cursor, token, told_at, silent)


async def _pull(context: Context, place: _Place) -> Pulled | None:
    """The next page; None where there is none now. What may pass is tried again in seconds, the rest by the minute's
    round; an account that brings nothing for minutes says so."""
    try:
        return await _page(context, place)
    except ChannelError as error:
        log.warning("conversations.pull_failed", account_id=str(place.account.id), code=error.code)
        async with transaction(context) as ctx:
            if not error.final:
                at = clock.now() + timedelta(seconds=error.retry_after_seconds or RETRY_SECONDS)
                await enqueue(ctx, "conversations.sync_later", {"open_kfid": place.account.external_id}, run_at=at)
            if error.final or place.silent:
                await account_failed(ctx, place.account.id, error.code)
        return None


async def _page(context: Context, place: _Place) -> Pulled:
    """The page; once more without the callback's token when it is too old, and from three days ago when the cursor is
    no longer known: what we have already is left out by its receipts. Raises ChannelError."""
    puller = channel(place.account.kind)
    assert isinstance(puller, Pulls), "others have no place"
    try:
        return await puller.pull(context, place.account, place.cursor, place.token)
    except ChannelError as error:
        if error.code == TOKEN_INVALID and place.token is not None:
            return await puller.pull(context, place.account, place.cursor, None)
        if error.code == CURSOR_INVALID and place.cursor is not None:
            log.warning("conversations.cursor_lost", account_id=str(place.account.id))
            return await puller.pull(context, place.account, None, place.token)
        raise
