"""What a visitor does on a chat page: open it, read what was said, write.

Each is counted first, per visitor, per address and per page: a bot may neither fill the inbox nor burn the budget of
the model. Opening a page stores nothing; a customer and a conversation are made by the first message.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from huitouke.kernel import clock
from huitouke.kernel.context import DEFAULT_LOCALE, Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.locales import translate
from huitouke.kernel.throttle import Limit, count, origin_of
from huitouke.modules.conversations import visitor_queries
from huitouke.modules.conversations.channels.inbound import Inbound
from huitouke.modules.conversations.models import Conversation
from huitouke.modules.conversations.service import hosted_pages, problems
from huitouke.modules.conversations.service.hosted_pages import PageView
from huitouke.modules.conversations.service.receiving import receive
from huitouke.modules.conversations.visitor_schemas import Page, Sent, Visit, VisitorMessageIn, VisitorMessages
from huitouke.modules.customers import service as customers

MESSAGES_OF_VISITOR: Final = Limit(15, timedelta(minutes=1))
MESSAGES_OF_VISITOR_A_DAY: Final = Limit(300, timedelta(days=1))
MESSAGES_FROM_ADDRESS: Final = Limit(120, timedelta(minutes=1))
"""Many phones share one address of a mobile network, or a shop's own Wi-Fi."""
MESSAGES_ON_PAGE: Final = Limit(1_200, timedelta(minutes=10))
VISITS_FROM_ADDRESS: Final = Limit(300, timedelta(minutes=10))

NAME_CHARACTERS: Final = 4
"""Of the visitor's id, in the name that staff see until they give another."""


async def visit(context: Context, page: PageView) -> Visit:
    """The page, and what was said before. Raises VisitorThrottled."""
    await _throttled(context, {"visits:address": VISITS_FROM_ADDRESS})
    async with transaction(context) as ctx:
        row = await visitor_queries.own_conversation(ctx)
        said = visitor_queries.Excerpt([], False) if row is None else await visitor_queries.latest(ctx, row.id)
        return Visit(
            page=Page(
                name=page.name,
                avatar_url=page.avatar_url,
                color=page.color,
                greeting=page.greeting,
                questions=list(page.questions),
                assistant=page.assistant_enabled,
                record_number=page.record_number,
            ),
            chat=None if row is None else visitor_queries.chat_of(row),
            messages=said.items,
            has_more=said.has_more,
        )


async def messages(ctx: Context, *, after: int | None, before: int | None) -> VisitorMessages:
    """What changed after a number, or what was said before one; the newest without either."""
    row = await visitor_queries.own_conversation(ctx)
    if row is None:
        return VisitorMessages(chat=None, items=[], has_more=False)
    if after is not None:
        said = await visitor_queries.changed_after(ctx, row.id, after)
    else:
        said = await visitor_queries.latest(ctx, row.id, before)
    return VisitorMessages(chat=visitor_queries.chat_of(row), items=said.items, has_more=said.has_more)


async def write(context: Context, page: PageView, body: VisitorMessageIn) -> Sent:
    """Takes in what the visitor wrote, as every channel's messages are. The same `client_id` again is the same message.

    Raises VisitorThrottled, NotFound.
    """
    visitor_id = context.actor.id
    assert visitor_id is not None, "a visitor has an id"
    await _throttled(
        context,
        {
            f"messages:visitor:{visitor_id}": MESSAGES_OF_VISITOR,
            f"messages:visitor_day:{visitor_id}": MESSAGES_OF_VISITOR_A_DAY,
            "messages:address": MESSAGES_FROM_ADDRESS,
            f"messages:page:{page.account_id}": MESSAGES_ON_PAGE,
        },
    )
    item = Inbound(
        msgid=visitor_queries.external_msgid(visitor_id, body.client_id),
        address=visitor_id.hex,
        at=clock.now(),
        who="customer",
        msgtype="text",
        text=body.text,
        content={},
    )
    async with transaction(context) as ctx:
        await hosted_pages.page_for_visitors(ctx, page.account_id)
        first = await visitor_queries.own_conversation(ctx) is None
        await receive(ctx, page.account_id, [item])
        row = await visitor_queries.own_conversation(ctx)
        stored = None if row is None else await visitor_queries.by_client_id(ctx, row, body.client_id)
        if row is None or stored is None:
            raise NotFound(kind="message")
        if first:
            await _name(ctx, row)
        return Sent(chat=visitor_queries.chat_of(row), message=stored)


async def _name(ctx: Context, row: Conversation) -> None:
    """Strangers need a name by which colleagues can speak of them."""
    short = row.customer_address[:NAME_CHARACTERS].upper()
    name = translate(DEFAULT_LOCALE, "conversations.visitor_name", code=short)
    update = customers.ProfileUpdate(row.customer_id, name, None, "unknown")
    await customers.update_profiles(ctx, str(row.channel_account_id), [update])


async def _throttled(context: Context, limits: Mapping[str, Limit]) -> None:
    """Counts, with the caller's address where a key names it. Raises VisitorThrottled."""
    origin = origin_of(context.address)
    named = {
        f"{key}:{origin}" if key.endswith("address") else key: limit
        for key, limit in limits.items()
        if origin or not key.endswith("address")
    }
    seconds = await count(named) if named else None
    if seconds is not None:
        raise problems.VisitorThrottled(retry_after_seconds=seconds)
