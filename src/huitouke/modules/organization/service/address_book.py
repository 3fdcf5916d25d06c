"""The address book's connection: through which app it is read, its own secret, and when it is synced."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from huitouke.kernel import audit, clock, realtime
from huitouke.kernel.callbacks import Endpoint
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.errors import NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.kernel.tenancy import DEFAULT_TIME_ZONE, Tenant
from huitouke.kernel.work import schedule, wake
from huitouke.modules.organization.models import AddressBook, AddressBookPerson, WecomApp
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.tokens import forget_token
from huitouke.modules.organization.service.wecom_apps import CALLBACK_KIND, sealed_secret, wecom_app

BOOK_RUNNER: Final = "organization.address_book"
BOOK_SCHEDULE: Final = "organization.address_book"
BOOK_KEY: Final = "address_book"
"""A tenant has one address book: its callbacks and its runner go by this name."""

CONTACTS_AGENT: Final = "contacts"
"""What stands for the AgentId of 通讯录同步, which has none."""

NIGHT_BEGINS: Final = time(3)
NIGHT_MINUTES: Final = 120
"""Syncs of the night begin within this time, each tenant's at a minute of its own."""

Problem = Literal["app", "contacts"]


@dataclass(frozen=True, slots=True)
class Connection:
    """The book with the name of the app that reads it and, where there is one, the address that WeCom calls."""

    book: AddressBook
    app: WecomApp
    endpoint: Endpoint | None
    heard_at: datetime | None
    """When a verified callback came last."""


async def connection_of(ctx: Context) -> Connection | None:
    """The address book's connection; None where there is none."""
    book = await ctx.session.scalar(select(AddressBook))
    if book is None:
        return None
    app = await wecom_app(ctx, book.wecom_app_id)
    if book.contacts_app_id is None:
        return Connection(book, app, None, None)
    endpoint = await callbacks.endpoint_of(ctx, book.contacts_app_id)
    return Connection(book, app, endpoint, await callbacks.last_accepted_at(ctx, book.contacts_app_id))


async def connect(ctx: Context, wecom_app: WecomApp) -> AddressBook:
    """Reads the address book through that app from now on, and begins with a sync.

    Raises AddressBookConnected.
    """
    if await ctx.session.scalar(select(AddressBook).with_for_update()) is not None:
        raise problems.AddressBookConnected
    book = AddressBook(
        wecom_app_id=wecom_app.id,
        state="idle",
        run=0,
        cursor="",
        done=0,
        total=0,
        figures={},
        leaving_confirmed=False,
        tries=0,
        created_at=clock.now(),
    )
    ctx.session.add(book)
    await audit.record(
        ctx, "organization.address_book_connected", "address_book", ctx.tenant_id, after={"app": wecom_app.name}
    )
    await begin(ctx, book)
    return book


async def disconnect(ctx: Context) -> None:
    """Stops reading the address book. People and departments stay, and are changed by hand from now on.

    Raises NotFound.
    """
    book = await locked(ctx)
    await _drop_contacts(ctx, book)
    await ctx.session.delete(book)
    await ctx.session.execute(delete(AddressBookPerson))
    realtime.hint(ctx, kind="address_book")
    await audit.record(ctx, "organization.address_book_disconnected", "address_book", ctx.tenant_id)


async def set_contacts_secret(ctx: Context, secret: Secret) -> Endpoint:
    """Takes the secret of 通讯录同步, and makes the address for its callback where there is none yet.

    Raises NotFound, WrongShape.
    """
    book = await locked(ctx)
    if book.contacts_app_id is not None:
        row = await ctx.session.get_one(WecomApp, (ctx.tenant_id, book.contacts_app_id))
        row.secret_sealed = sealed_secret(ctx, row.id, secret)
        await forget_token(ctx, row.id)
        await ctx.session.flush()
        endpoint = await callbacks.endpoint_of(ctx, row.id)
    else:
        app, row_id = await wecom_app(ctx, book.wecom_app_id), new_id()
        row = WecomApp(
            id=row_id,
            kind="contacts",
            corp_id=app.corp_id,
            agent_id=CONTACTS_AGENT,
            name="通讯录同步",
            secret_sealed=sealed_secret(ctx, row_id, secret),
            state="new",
            created_at=clock.now(),
        )
        ctx.session.add(row)
        await ctx.session.flush()
        endpoint = await callbacks.create_endpoint(ctx, CALLBACK_KIND, reference_id=row.id, receive_id=row.corp_id)
        row.callback_endpoint_id = endpoint.id
        book.contacts_app_id = row.id
        await ctx.session.flush()
    await audit.record(ctx, "organization.address_book_secret_set", "address_book", ctx.tenant_id)
    await begin(ctx, book)
    return endpoint


async def remove_contacts_secret(ctx: Context) -> None:
    """Takes the secret of 通讯录同步 away with its callback: people are read by department again.

    Raises NotFound.
    """
    book = await locked(ctx)
    await _drop_contacts(ctx, book)
    await audit.record(ctx, "organization.address_book_secret_removed", "address_book", ctx.tenant_id)
    await begin(ctx, book)


async def start_sync(ctx: Context) -> None:
    """Begins a sync now; one that is under way goes on. Raises NotFound."""
    book = await locked(ctx)
    if book.state == "running":
        return
    if book.state == "waiting":
        await resume(ctx, book)
    else:
        await begin(ctx, book)


async def confirm_leaving(ctx: Context, leaving: int) -> None:
    """Somebody looked: these people have really left, the sync goes on.

    Raises NotFound, NothingAsked (also where it asked about another number).
    """
    book = await locked(ctx)
    if book.state != "asking" or book.leaving != leaving:
        raise problems.NothingAsked
    book.leaving_confirmed = True
    await audit.record(
        ctx, "organization.address_book_leaving_confirmed", "address_book", ctx.tenant_id, after={"leaving": leaving}
    )
    await resume(ctx, book)


async def begin(ctx: Context, book: AddressBook) -> None:
    """A sync from the beginning; what is left of an earlier one is no longer stored."""
    book.run += 1
    book.state, book.phase, book.cursor = "running", "departments", ""
    book.done = book.total = book.tries = 0
    book.figures = {"added": 0, "changed": 0, "returned": 0, "left": 0}
    book.leaving, book.leaving_confirmed = None, False
    book.problem = book.problem_place = book.due_at = None
    book.started_at = clock.now()
    newest = await callbacks.newest_body(ctx, CALLBACK_KIND, BOOK_KEY)
    book.heard = newest.id if newest is not None else None  # what was told before is read now
    await _go(ctx)


async def resume(ctx: Context, book: AddressBook) -> None:
    """The sync under way goes on where it stopped."""
    book.state, book.due_at = "running", None
    await _go(ctx)


async def due(ctx: Context) -> datetime | None:
    """Begins, or takes up again, what is due; gives when something is next."""
    book = await ctx.session.scalar(select(AddressBook).with_for_update())
    if book is None or book.due_at is None:
        return None
    if book.due_at > clock.now():
        return book.due_at
    if book.state == "waiting":
        await resume(ctx, book)
    else:
        await begin(ctx, book)
    return None


async def set_due(ctx: Context, book: AddressBook, at: datetime) -> None:
    """Has `due` called then."""
    book.due_at = at
    await schedule(ctx, BOOK_SCHEDULE, at)


async def next_night(ctx: Context) -> datetime:
    """The tenant's minute of the coming night."""
    zone = await ctx.session.scalar(select(Tenant.time_zone).where(Tenant.id == ctx.tenant_id))
    local = clock.now().astimezone(ZoneInfo(zone or DEFAULT_TIME_ZONE))
    night = local.replace(hour=NIGHT_BEGINS.hour, minute=0, second=0, microsecond=0)
    night += timedelta(minutes=ctx.tenant_id.int % NIGHT_MINUTES)
    return night if night > local else night + timedelta(days=1)


async def locked(ctx: Context) -> AddressBook:
    """The book, locked. Raises NotFound."""
    book = await ctx.session.scalar(select(AddressBook).with_for_update())
    if book is None:
        raise NotFound(kind="address_book")
    return book


async def connected(ctx: Context) -> bool:
    """Whether the address book decides about people and departments of WeCom."""
    return await ctx.session.scalar(select(AddressBook.run)) is not None


async def _go(ctx: Context) -> None:
    await ctx.session.flush()
    await wake(ctx, BOOK_RUNNER, BOOK_KEY)
    realtime.hint(ctx, kind="address_book")


async def _drop_contacts(ctx: Context, book: AddressBook) -> None:
    if book.contacts_app_id is None:
        return
    row = await ctx.session.get_one(WecomApp, (ctx.tenant_id, book.contacts_app_id))
    book.contacts_app_id = None
    await ctx.session.flush()
    await callbacks.delete_endpoints(ctx, row.id)
    await forget_token(ctx, row.id)
    await ctx.session.delete(row)
    await ctx.session.flush()
