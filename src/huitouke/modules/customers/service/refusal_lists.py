"""Lists of numbers that want no offers, brought from elsewhere: looked at first, then taken in.

Taking in only ever adds: it lifts nothing that anybody said. Doing it again adds nothing, so that one that was
interrupted is simply done again.
"""

import asyncio
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.files import service as files
from huitouke.kernel.locales import translate
from huitouke.kernel.sheets import UnreadableFile, read_table
from huitouke.modules.customers.models import MarketingRefusal
from huitouke.modules.customers.refusals_sheet import MAX_NUMBERS, ReadNumbers, read_numbers
from huitouke.modules.customers.service.marketing import MAX_REFUSALS_AT_ONCE, Refusal, refuse_marketing

PURPOSE: Final = "refusals_import"
SOURCE: Final = "import"


class UnreadableList(InvalidInput):
    """The file can't be read as a list of numbers; `why` is a sentence in the person's language."""

    type = "customers.unreadable_list"


@dataclass(frozen=True, slots=True)
class FoundList:
    """What a file holds, and how much of it is new."""

    file_name: str
    read: ReadNumbers
    known: int


async def look_at(context: Context, file_id: UUID) -> FoundList:
    """What taking this file in would do. Raises NotFound, UnreadableList."""
    name, read = await _read(context, file_id)
    known = 0
    async with transaction(context) as ctx:
        for start in range(0, len(read.numbers), MAX_REFUSALS_AT_ONCE):
            phones = [one.phone for one in read.numbers[start : start + MAX_REFUSALS_AT_ONCE]]
            counted = select(func.count(MarketingRefusal.phone.distinct())).where(
                MarketingRefusal.phone.in_(phones), MarketingRefusal.ended_at.is_(None)
            )
            known += await ctx.session.scalar(counted) or 0
    return FoundList(name, read, known)


async def take_in(context: Context, file_id: UUID) -> int:
    """These numbers get no offers from now on; gives how many are new. Raises NotFound, UnreadableList.

    500 numbers a transaction: each holds its number until then.
    """
    _, read = await _read(context, file_id)
    added = 0
    for start in range(0, len(read.numbers), MAX_REFUSALS_AT_ONCE):
        part = read.numbers[start : start + MAX_REFUSALS_AT_ONCE]
        async with transaction(context) as ctx:
            added += await refuse_marketing(ctx, [Refusal(SOURCE, phone=one.phone, note=one.note) for one in part])
    return added


async def _read(context: Context, file_id: UUID) -> tuple[str, ReadNumbers]:
    async with transaction(context) as ctx:
        file = await files.get(ctx, file_id)
        if file.purpose != PURPOSE:
            raise NotFound(field="file_id")
        data = await files.read_bytes(ctx, file_id)
    try:
        table = await asyncio.to_thread(read_table, data)
    except UnreadableFile as error:
        why = translate(context.locale, f"imports.{error.reason}")
        raise UnreadableList(field="file_id", why=why) from error
    if len(table.rows) > MAX_NUMBERS:
        why = translate(context.locale, "imports.too_many_numbers", limit=MAX_NUMBERS)
        raise UnreadableList(field="file_id", why=why)
    return file.name, await asyncio.to_thread(read_numbers, table)
