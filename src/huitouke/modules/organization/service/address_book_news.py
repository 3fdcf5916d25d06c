"""Changes of the address book that WeCom tells of: taken in one after another, between two syncs.

The callback of 通讯录同步 holds userids and numbers alone (path/90970, 90971), comes in any order and may be lost: it
says where to look, the app's own reading decides as far as it sees, and the sync of the night sets right what was
missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import select

from huitouke.kernel import realtime
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.work import RetryLater, fence
from huitouke.modules.organization import sql
from huitouke.modules.organization.models import AddressBook, WecomApp
from huitouke.modules.organization.service import address_book_people as people
from huitouke.modules.organization.service.address_book import BOOK_KEY, begin
from huitouke.modules.organization.service.address_book_people import BookPerson
from huitouke.modules.organization.service.address_book_run import (
    FIRST_PAUSE,
    Place,
    Reader,
    at_once,
    member_of,
    read_departments,
)
from huitouke.modules.organization.service.event_routes import callback_fields
from huitouke.wechat.contacts import Department, Member
from huitouke.wechat.errors import RateLimited, TransientError, WecomError

NEWS_PER_STEP: Final = 200

SYNC_ABOVE: Final = 600
"""Where more than these wait, one sync is quicker than asking for each person."""


@dataclass(slots=True)
class News:
    """What a batch of callbacks says, the last word about each person."""

    named: dict[str, tuple[str, frozenset[int] | None]] = field(default_factory=dict)
    """By userid in lower case: the userid, and the departments where they were told."""
    gone: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    """Userids, by what they were in lower case before all of this."""
    departments: bool = False
    """Whether departments changed: which ones is read anew, all in one call."""


def news_of(bodies: Sequence[bytes]) -> News:
    """The callbacks in the order in which they came."""
    news = News()
    for body in bodies:
        _note(news, callback_fields(body))
    return news


def _note(news: News, fields: dict[str, str]) -> None:
    change, userid = fields.get("ChangeType", ""), fields.get("UserID", "")
    if change in ("create_party", "update_party", "delete_party"):
        news.departments = True
    elif change == "delete_user" and userid:
        news.named.pop(userid.lower(), None)
        news.gone.add(userid.lower())
    elif change in ("create_user", "update_user") and userid:
        told = [int(one) for one in fields.get("Department", "").split(",") if one.strip().isdecimal()]
        departments = frozenset(told) or None
        if new := fields.get("NewUserID", ""):
            first = next((old for old, now in news.renamed.items() if now.lower() == userid.lower()), userid.lower())
            news.renamed[first] = new
            _, before = news.named.pop(userid.lower(), (userid, None))
            departments, userid = departments or before, new
        news.gone.discard(userid.lower())
        _, before = news.named.get(userid.lower(), (userid, None))
        news.named[userid.lower()] = (userid, departments or before)


async def hear(context: Context) -> None:
    """Takes in what was told since the last time; nothing while a sync is under way or waits. Raises RetryLater."""
    reader = Reader(context)
    while (found := await _untaken(context)) is not None:
        place, heard, bodies = found
        if len(bodies) > SYNC_ABOVE:
            await _sync_instead(context, heard)
            return
        taken = bodies[:NEWS_PER_STEP]
        try:
            await _take(reader, place, heard, taken)
        except WecomError as error:
            if isinstance(error, TransientError | RateLimited):
                raise RetryLater(str(error), after_seconds=FIRST_PAUSE.total_seconds()) from error
            await _sync_instead(context, heard)  # it will say on the page what is wrong
            return


async def _untaken(context: Context) -> tuple[Place, UUID | None, list[callbacks.StoredBody]] | None:
    async with transaction(context, durable=False) as ctx:
        row = (
            await ctx.session.execute(
                select(AddressBook, WecomApp.agent_id)
                .join(WecomApp, WecomApp.id == AddressBook.wecom_app_id)
                .where(AddressBook.state.in_(("idle", "failed", "asking")))
            )
        ).one_or_none()
        if row is None:
            return None
        book = row.AddressBook
        bodies = await callbacks.bodies_after(ctx, "wecom", BOOK_KEY, book.heard, limit=SYNC_ABOVE + 1)
    place = Place(book.run, "news", "", book.wecom_app_id, row.agent_id, book.contacts_app_id)
    return (place, book.heard, bodies) if bodies else None


async def _take(reader: Reader, place: Place, heard: UUID | None, bodies: list[callbacks.StoredBody]) -> None:
    news = news_of([one.body for one in bodies])
    client = await reader.app(place)
    userids = [userid for userid, _ in news.named.values()]
    members = await at_once([member_of(client, one) for one in userids])
    listed = await read_departments(reader, place) if news.departments else None
    found = [_person(userid, news, member) for userid, member in zip(userids, members, strict=True)]
    async with transaction(reader.context) as ctx:
        await fence(ctx)
        book = await ctx.session.scalar(select(AddressBook).with_for_update())
        if book is None or (book.run, book.heard) != (place.run, heard):
            return
        await _write(ctx, news, [one for one in found if one is not None], listed)
        book.heard = bodies[-1].id
        realtime.hint(ctx, kind="rights")
        realtime.hint(ctx, kind="staff")


async def _write(ctx: Context, news: News, found: Sequence[BookPerson], listed: Sequence[Department] | None) -> None:
    raw = await connection(ctx)
    if news.renamed:
        userids = list(news.renamed.values())
        keys = [userid.lower() for userid in userids]
        await raw.execute(sql.RENAME_USERIDS, ctx.tenant_id, list(news.renamed), keys, userids)
    if listed is not None:
        await people.write_departments(ctx, listed)
    await people.compare_given(ctx, found)
    if listed is not None:
        await people.drop_departments(ctx, [one.id for one in listed])
    if news.gone:
        rows = await raw.fetch(sql.OF_USERIDS, ctx.tenant_id, list(news.gone))
        await people.leave(ctx, [row["id"] for row in rows])


def _person(userid: str, news: News, member: Member | None) -> BookPerson | None:
    """What the app reads, else what was told. Departments beyond the app's sight are known from the callback alone."""
    told = news.named[userid.lower()][1]
    if member is None:
        return None if told is None else BookPerson(userid, None, told)
    seen = frozenset(member.department)
    departments = told if told is not None and seen <= told else seen
    return BookPerson(member.userid, member.name or None, departments, frozenset(member.leads))


async def _sync_instead(context: Context, heard: UUID | None) -> None:
    async with transaction(context) as ctx:
        await fence(ctx)
        book = await ctx.session.scalar(select(AddressBook).with_for_update())
        if book is None or book.heard != heard or book.state == "running":
            return
        await begin(ctx, book)
