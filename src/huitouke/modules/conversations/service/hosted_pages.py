"""The shop's own chat page: opened once, then named, coloured, switched off and on.

A shop has one page in this form. It is an account of the channel `website`, so that conversations, assistant, inbox and
handover are those of every channel; here stands only what the page shows besides.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel import audit, clock, realtime
from huitouke.kernel.context import Context
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.public_links import make_public_link
from huitouke.kernel.settings import get_settings
from huitouke.kernel.visitors.visits import LINK_KIND, PageGone
from huitouke.modules.conversations.channels.website import KIND
from huitouke.modules.conversations.models import ChannelAccount, HostedPage
from huitouke.modules.conversations.service import problems
from huitouke.modules.conversations.service.accounts import MAX_NAME_CHARACTERS, add_account
from huitouke.modules.conversations.service.event_texts import MAX_BYTES as MAX_GREETING_BYTES

EXTERNAL_ID: Final = "page"
"""The one page of a tenant; the unique key of accounts makes sure that two people open the same one."""

DEFAULT_COLOR: Final = "#0b7a4b"
MAX_QUESTIONS: Final = 4
MAX_QUESTION_CHARACTERS: Final = 40
MAX_RECORD_NUMBER_CHARACTERS: Final = 60
_COLOR: Final = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as its shop sees it."""

    account_id: UUID
    code: str
    name: str
    avatar_url: str | None
    is_on: bool
    color: str
    greeting: str
    questions: Sequence[str]
    record_number: str
    assistant_enabled: bool
    created_at: datetime

    @property
    def path(self) -> str:
        """The page's address on this installation."""
        return f"/c/{self.code}"

    @property
    def url(self) -> str:
        """The page's whole address, short enough for a printed card."""
        return f"{get_settings().public_url.rstrip('/')}{self.path}"


@dataclass(frozen=True, slots=True)
class PageChange:
    """What to change; None leaves it."""

    name: str | None = None
    greeting: str | None = None
    color: str | None = None
    questions: Sequence[str] | None = None
    record_number: str | None = None
    is_on: bool | None = None


async def open_hosted_page(ctx: Context, *, name: str, greeting: str = "", questions: Sequence[str] = ()) -> PageView:
    """The shop's page, made with its account and its address where there is none; else the one that it has, as it is.

    One that was disconnected is connected again under its old address. Raises InvalidInput.
    """
    known = await hosted_page(ctx)
    if known is not None:
        return known
    title = _name(name)
    account = await add_account(ctx, KIND, EXTERNAL_ID, title)
    row = await ctx.session.scalar(select(HostedPage).where(HostedPage.account_id == account.id))
    now = clock.now()
    if row is None:
        code = await make_public_link(ctx, LINK_KIND, account.id)
        row = HostedPage(
            account_id=account.id,
            code=code,
            color=DEFAULT_COLOR,
            questions=_questions(questions),
            record_number="",
            created_at=now,
        )
        account.greeting = _greeting(greeting)
        ctx.session.add(row)
    row.is_on, row.changed_at = True, now
    await ctx.session.flush()
    await audit.record(ctx, "conversations.page_opened", "channel_account", account.id, after={"name": title})
    return _view(row, account)


async def hosted_page(ctx: Context) -> PageView | None:
    """The shop's page; None while it has none."""
    found = await _found(ctx)
    return None if found is None else _view(*found)


async def change_hosted_page(ctx: Context, change: PageChange) -> PageView:
    """Changes the page. Visitors who have it open see it the next time. Raises NotFound, InvalidInput."""
    found = await _found(ctx, lock=True)
    if found is None:
        raise NotFound(kind="page")
    row, account = found
    before = _facts(row, account)
    account.name = account.name if change.name is None else _name(change.name)
    account.greeting = account.greeting if change.greeting is None else _greeting(change.greeting)
    row.color = row.color if change.color is None else _color(change.color)
    row.questions = row.questions if change.questions is None else _questions(change.questions)
    row.record_number = row.record_number if change.record_number is None else _record_number(change.record_number)
    row.is_on = row.is_on if change.is_on is None else change.is_on
    after = _facts(row, account)
    if before != after:
        row.changed_at = clock.now()
        await ctx.session.flush()
        await audit.record(ctx, "conversations.page_changed", "channel_account", account.id, before=before, after=after)
        realtime.hint(ctx, kind="channel_account", id=account.id)
    return _view(row, account)


async def page_for_visitors(ctx: Context, account_id: UUID) -> PageView:
    """The page of that account, while it is on. Raises PageGone, PageOff."""
    found = await _found(ctx)
    if found is None or found[1].id != account_id:
        raise PageGone
    if not found[0].is_on:
        raise problems.PageOff(name=found[1].name)
    return _view(*found)


async def is_open(ctx: Context, account_id: UUID) -> bool:
    """Whether visitors may use the page of that account."""
    found = await _found(ctx)
    return found is not None and found[1].id == account_id and found[0].is_on


async def _found(ctx: Context, *, lock: bool = False) -> tuple[HostedPage, ChannelAccount] | None:
    statement = (
        select(HostedPage, ChannelAccount)
        .join(
            ChannelAccount,
            (ChannelAccount.tenant_id == HostedPage.tenant_id) & (ChannelAccount.id == HostedPage.account_id),
        )
        .where(ChannelAccount.kind == KIND, ChannelAccount.state != "disconnected")
        .limit(1)
    )
    if lock:
        statement = statement.with_for_update(of=HostedPage).execution_options(populate_existing=True)
    found = (await ctx.session.execute(statement)).one_or_none()
    return None if found is None else (found[0], found[1])


def _view(row: HostedPage, account: ChannelAccount) -> PageView:
    return PageView(
        account_id=account.id,
        code=row.code,
        name=account.name,
        avatar_url=account.avatar_url,
        is_on=row.is_on,
        color=row.color,
        greeting=account.greeting,
        questions=tuple(row.questions),
        record_number=row.record_number,
        assistant_enabled=account.assistant_enabled,
        created_at=row.created_at,
    )


def _facts(row: HostedPage, account: ChannelAccount) -> dict[str, object]:
    return {
        "name": account.name,
        "greeting": account.greeting,
        "color": row.color,
        "questions": list(row.questions),
        "record_number": row.record_number,
        "is_on": row.is_on,
    }


def _name(name: str) -> str:
    title = " ".join(name.split())
    if not title or len(title) > MAX_NAME_CHARACTERS:
        raise InvalidInput(field="name", reason="length", maximum=MAX_NAME_CHARACTERS)
    return title


def _greeting(text: str) -> str:
    if len(text.strip().encode()) > MAX_GREETING_BYTES:
        raise InvalidInput(field="greeting", reason="length", maximum=MAX_GREETING_BYTES)
    return text.strip()


def _color(color: str) -> str:
    if _COLOR.fullmatch(color.lower()) is None:
        raise InvalidInput(field="color", reason="pattern")
    return color.lower()


def _questions(questions: Sequence[str]) -> list[str]:
    """Without blanks and repeats, in their order."""
    tidy = list(dict.fromkeys(one for one in (" ".join(each.split()) for each in questions) if one))
    if len(tidy) > MAX_QUESTIONS:
        raise InvalidInput(field="questions", reason="length", maximum=MAX_QUESTIONS)
    if any(len(one) > MAX_QUESTION_CHARACTERS for one in tidy):
        raise InvalidInput(field="questions", reason="length", maximum=MAX_QUESTION_CHARACTERS)
    return tidy


def _record_number(text: str) -> str:
    tidy = " ".join(text.split())
    if len(tidy) > MAX_RECORD_NUMBER_CHARACTERS:
        raise InvalidInput(field="record_number", reason="length", maximum=MAX_RECORD_NUMBER_CHARACTERS)
    return tidy
