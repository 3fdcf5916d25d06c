"""A sync of the address book, step by step: each step is one transaction that holds what was done and how far it is.

First the departments, then who there is, then names, all kept aside; only when everything was read is it compared with
what is known here, and last come those whom the book no longer names. A run that is killed goes on with the step it
was in; one that is repeated writes nothing.

Costs, 50,000 people in 3,000 departments: 5 pages of ids, 3,000 calls for names (WeCom gives members one department at
a time, path/90201), six at once; 25 chunks of 2,000 people are compared. In memory are the list of departments and one
batch of people.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select

from huitouke.kernel import audit, clock, realtime
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.work import fence, wake
from huitouke.modules.organization import sql
from huitouke.modules.organization.models import AddressBook, AddressBookPerson, WecomApp
from huitouke.modules.organization.models import Department as OurDepartment
from huitouke.modules.organization.service import address_book_people as people
from huitouke.modules.organization.service.address_book import BOOK_KEY, BOOK_RUNNER, next_night, set_due
from huitouke.modules.organization.service.address_book_people import BookPerson
from huitouke.modules.organization.service.clients import wecom_client
from huitouke.modules.organization.service.notifying import Holders, tell
from huitouke.modules.organization.service.notifying.kinds import BOOK_ASKS
from huitouke.wechat.agent import AgentClient
from huitouke.wechat.contacts import (
    DEPARTMENT_GONE,
    OUT_OF_SIGHT,
    USER_UNKNOWN,
    ContactsClient,
    Department,
    Member,
)
from huitouke.wechat.errors import RateLimited, TokenInvalid, TransientError, WecomError

STEP_SECONDS: Final = 60.0
"""A run gives way to others after this time, and is woken again."""

CALLS_AT_ONCE: Final = 6
DEPARTMENTS_PER_STEP: Final = 60
SINGLES_PER_STEP: Final = 120
LEAVERS_PER_STEP: Final = 1_000

ASK_ABOVE: Final = 10
"""More people than this, and more than half of all, are only marked as left when somebody has confirmed it."""

FIRST_PAUSE: Final = timedelta(seconds=60)
LONGEST_PAUSE: Final = timedelta(hours=1)

T = TypeVar("T")
Write = Callable[[Context, AddressBook], Awaitable[None]]

log = structlog.get_logger(__name__)


class _Overtaken(Exception):
    """The book is not where the step began: another sync was started, or it was disconnected."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the sync is."""

    run: int
    phase: str
    cursor: str
    wecom_app_id: UUID
    agent_id: str
    contacts_app_id: UUID | None


@dataclass(slots=True)
class Reader:
    """Who reads for one run of the runner, and what is asked for once."""

    context: Context
    asks: str = "app"
    """Which credential made the last call, for the page that shows its problem."""
    _clients: dict[UUID, ContactsClient] = field(default_factory=dict)
    _departments: tuple[int, list[int]] | None = None

    async def app(self, place: Place) -> ContactsClient:
        """The self-built app."""
        self.asks = "app"
        return await self._client(place.wecom_app_id)

    async def contacts(self, contacts_app_id: UUID) -> ContactsClient:
        """通讯录同步."""
        self.asks = "contacts"
        return await self._client(contacts_app_id)

    async def visible(self, place: Place) -> list[int]:
        """The departments that the app may read, in the order of their numbers; the same for the whole run."""
        if self._departments is None or self._departments[0] != place.run:
            found = await (await self.app(place)).department_ids()
            self._departments = (place.run, sorted(one.id for one in found))
        return self._departments[1]

    async def single(self, place: Place) -> list[str]:
        """People whom the app may see by themselves, in the order of their userids."""
        self.asks = "app"
        agent = await AgentClient(await wecom_client(self.context, place.wecom_app_id)).get(int(place.agent_id))
        return sorted(userid.lower() for userid in agent.visible_userids)

    async def _client(self, app_id: UUID) -> ContactsClient:
        if app_id not in self._clients:
            self._clients[app_id] = ContactsClient(await wecom_client(self.context, app_id))
        return self._clients[app_id]


async def work(context: Context) -> bool:
    """Goes on with the sync under way until it ends or waits; False when it only gave way."""
    reader, began = Reader(context), monotonic()
    while (place := await _place(context)) is not None:
        if monotonic() - began > STEP_SECONDS:
            async with transaction(context) as ctx:
                await wake(ctx, BOOK_RUNNER, BOOK_KEY)
            return False
        try:
            await PHASES[place.phase](reader, place)
        except _Overtaken:
            continue
        except WecomError as error:
            await _stopped(context, place, reader.asks, error)
        except NotFound:
            return True
    return True


async def _place(context: Context) -> Place | None:
    async with transaction(context, durable=False) as ctx:
        row = (
            await ctx.session.execute(
                select(AddressBook, WecomApp.agent_id)
                .join(WecomApp, WecomApp.id == AddressBook.wecom_app_id)
                .where(AddressBook.state == "running")
            )
        ).one_or_none()
    if row is None:
        return None
    book = row.AddressBook
    return Place(
        book.run, book.phase or "departments", book.cursor, book.wecom_app_id, row.agent_id, book.contacts_app_id
    )


async def _departments(reader: Reader, place: Place) -> None:
    listed = await read_departments(reader, place)

    async def write(ctx: Context, book: AddressBook) -> None:
        await ctx.session.execute(delete(AddressBookPerson))
        await people.write_departments(ctx, listed)
        book.listed = sorted(one.id for one in listed)
        _next(book, "ids" if place.contacts_app_id is not None else "people")

    await _commit(reader.context, place, write)


async def read_departments(reader: Reader, place: Place) -> list[Department]:
    """All departments: names from the app, and with 通讯录同步 the numbers of those that it doesn't see."""
    named = {one.id: one for one in await (await reader.app(place)).departments()}
    if place.contacts_app_id is not None:
        numbered = await (await reader.contacts(place.contacts_app_id)).department_ids()
        return [named.get(one.id, one) for one in numbered]
    return list(named.values())


async def _ids(reader: Reader, place: Place) -> None:
    if place.contacts_app_id is None:  # its secret was taken away meanwhile
        await _commit(reader.context, place, _to("people"))
        return
    page = await (await reader.contacts(place.contacts_app_id)).list_ids(place.cursor)
    found = [BookPerson(one.userid, None, frozenset({one.department})) for one in page.dept_user]

    async def write(ctx: Context, book: AddressBook) -> None:
        await people.stage_people(ctx, found)
        book.done += len(found)
        book.cursor = page.next_cursor
        if not page.next_cursor:
            _next(book, "people")

    await _commit(reader.context, place, write)


async def _people(reader: Reader, place: Place) -> None:
    departments = await reader.visible(place)
    behind = int(place.cursor or 0)
    wanted = [one for one in departments if one > behind][:DEPARTMENTS_PER_STEP]
    if not wanted:
        await _commit(reader.context, place, _to("single"))
        return
    client = await reader.app(place)
    read = await at_once([_members(client, one) for one in wanted])
    found = [_person(member) for members in read for member in members]

    async def write(ctx: Context, book: AddressBook) -> None:
        await people.stage_people(ctx, found)
        book.cursor, book.total = str(wanted[-1]), len(departments)
        book.done += len(wanted)

    await _commit(reader.context, place, write)


async def _single(reader: Reader, place: Place) -> None:
    """People in the visible range by themselves, whose departments are not: read one by one, where nobody did yet."""
    everybody = await reader.single(place)
    wanted = [one for one in everybody if one > place.cursor][:SINGLES_PER_STEP]
    client = await reader.app(place)
    missing = await _unnamed(reader.context, wanted)
    found = [one for one in await at_once([member_of(client, one) for one in missing]) if one is not None]

    async def write(ctx: Context, book: AddressBook) -> None:
        await people.stage_people(ctx, [_person(one) for one in found])
        if wanted:
            book.cursor, book.total = wanted[-1], len(everybody)
            book.done += len(wanted)
            return
        _next(book, "apply")
        book.total = await ctx.session.scalar(select(func.count()).select_from(AddressBookPerson)) or 0

    await _commit(reader.context, place, write)


async def _apply(reader: Reader, place: Place) -> None:
    async def write(ctx: Context, book: AddressBook) -> None:
        changes, last, count = await people.compare_staged(ctx, place.cursor)
        _count(book, added=changes.added, changed=changes.changed, returned=changes.returned)
        book.done += count
        book.cursor = last
        if count < people.CHUNK_PEOPLE:
            _next(book, "leaving")

    await _commit(reader.context, place, write)


async def _leaving(reader: Reader, place: Place) -> None:
    async def write(ctx: Context, book: AddressBook) -> None:
        raw = await connection(ctx)
        if not book.leaving_confirmed and book.done == 0:
            leaving = await raw.fetchval(sql.COUNT_LEAVERS, ctx.tenant_id)
            known = await raw.fetchval(sql.COUNT_KNOWN, ctx.tenant_id) - book.figures.get("added", 0)
            book.total = leaving
            if leaving > ASK_ABOVE and leaving * 2 > known:
                book.state, book.leaving = "asking", leaving
                await set_due(ctx, book, await next_night(ctx))
                await tell(
                    ctx, BOOK_ASKS, Holders("organization.manage"), dedupe_key=f"book_asks:{book.run}",
                    args={"count": leaving}, link="/settings/people/address-book",
                )  # fmt: skip
                return
        some = [row["id"] for row in await raw.fetch(sql.SOME_LEAVERS, ctx.tenant_id, LEAVERS_PER_STEP)]
        if some:
            left = await people.leave(ctx, some)
            _count(book, left=left)
            book.done += left
            return
        await people.drop_departments(ctx, book.listed or ())
        await _finish(ctx, book)

    await _commit(reader.context, place, write)


async def _finish(ctx: Context, book: AddressBook) -> None:
    raw = await connection(ctx)
    now = clock.now()
    known = await raw.fetchval(sql.COUNT_KNOWN, ctx.tenant_id)
    departments = await ctx.session.scalar(
        select(func.count()).select_from(OurDepartment).where(OurDepartment.wecom_id.is_not(None))
    )
    seconds = round((now - book.started_at).total_seconds()) if book.started_at is not None else 0
    book.last = {"people": known, "departments": departments or 0, "seconds": seconds, **book.figures}
    book.state, book.phase, book.listed, book.leaving = "idle", None, None, None
    book.finished_at = now
    await ctx.session.execute(delete(AddressBookPerson))
    await set_due(ctx, book, await next_night(ctx))
    if any(book.figures.values()):
        await audit.record(ctx, "organization.address_book_synced", "address_book", ctx.tenant_id, after=book.last)
    if any(book.figures.values()):
        realtime.hint(ctx, kind="rights")  # who sees whose customers may have changed with the departments
    realtime.hint(ctx, kind="staff")
    log.info("organization.address_book_synced", **book.last)


PHASES: Final[dict[str, Callable[[Reader, Place], Awaitable[None]]]] = {
    "departments": _departments,
    "ids": _ids,
    "people": _people,
    "single": _single,
    "apply": _apply,
    "leaving": _leaving,
}
"""In their order."""


async def _commit(context: Context, place: Place, write: Write) -> None:
    """What a step did and how far it is, together. Raises _Overtaken, LeaseLost."""
    async with transaction(context) as ctx:
        await fence(ctx)
        book = await ctx.session.scalar(select(AddressBook).with_for_update())
        if book is None or (book.state, book.run, book.phase, book.cursor) != (
            "running", place.run, place.phase, place.cursor,
        ):  # fmt: skip
            raise _Overtaken
        book.tries, book.problem, book.problem_place = 0, None, None
        await write(ctx, book)
        realtime.hint(ctx, kind="address_book")


async def _stopped(context: Context, place: Place, asked: str, error: WecomError) -> None:
    """WeCom refused or didn't answer: what passes is tried again with growing pauses, the rest waits for a person."""
    passes = isinstance(error, TransientError | RateLimited | TokenInvalid)
    problem = str(error.errcode if error.errcode is not None else error.reason)
    log.warning("organization.address_book_stopped", problem=problem, asked=asked, phase=place.phase)
    async with transaction(context) as ctx:
        await fence(ctx)
        book = await ctx.session.scalar(select(AddressBook).with_for_update())
        if book is None or (book.state, book.run) != ("running", place.run):
            return
        book.state = "waiting" if passes else "failed"
        book.problem, book.problem_place = problem, asked
        book.tries += 1
        pause = min(FIRST_PAUSE * 2 ** min(book.tries - 1, 10), LONGEST_PAUSE)
        await set_due(ctx, book, clock.now() + pause if passes else await next_night(ctx))
        realtime.hint(ctx, kind="address_book")


def _next(book: AddressBook, phase: str) -> None:
    book.phase, book.cursor, book.done, book.total = phase, "", 0, 0


def _to(phase: str) -> Write:
    async def write(_: Context, book: AddressBook) -> None:
        _next(book, phase)

    return write


def _count(book: AddressBook, **more: int) -> None:
    book.figures = {name: book.figures.get(name, 0) + more.get(name, 0) for name in {**book.figures, **more}}


async def _members(client: ContactsClient, department_id: int) -> tuple[Member, ...]:
    """Nobody, where the department was taken away while the others were read."""
    try:
        return await client.members(department_id)
    except WecomError as error:
        if error.errcode in DEPARTMENT_GONE:
            return ()
        raise


async def member_of(client: ContactsClient, userid: str) -> Member | None:
    """The person; None for one who is gone or beyond the app's sight."""
    try:
        return await client.member(userid)
    except WecomError as error:
        if error.errcode == USER_UNKNOWN or error.errcode in OUT_OF_SIGHT:
            return None
        raise


def _person(member: Member) -> BookPerson:
    return BookPerson(member.userid, member.name or None, frozenset(member.department), frozenset(member.leads))


async def _unnamed(context: Context, keys: Sequence[str]) -> list[str]:
    if not keys:
        return []
    async with transaction(context, durable=False) as ctx:
        named = await ctx.session.scalars(
            select(AddressBookPerson.userid_key).where(
                AddressBookPerson.userid_key.in_(keys), AddressBookPerson.name.is_not(None)
            )
        )
        known = set(named)
    return [key for key in keys if key not in known]


async def at_once(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The answers in order, some calls at a time. Raises the first error, once all have ended."""
    room = asyncio.Semaphore(CALLS_AT_ONCE)

    async def one(call: Coroutine[Any, Any, T]) -> T:
        async with room:
            return await call

    answers = await asyncio.gather(*(one(call) for call in calls), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]
