"""May this message go to this person? Asked by everything that sends, in whatever channel, right before it sends.

A module that knows a reason against it (the person refused marketing, had enough of it this week, …) contributes an
`OutreachCheck` to the registry `kernel.outreach_checks`, and one that has to remember what left an `OutreachNote` to
`kernel.outreach_notes`; a sender asks `refusals` and knows no such module.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from uuid import UUID

from huitouke.kernel.context import Context
from huitouke.kernel.modules import load_modules

OUTREACH_CHECKS: Final = "kernel.outreach_checks"
"""Registry of `OutreachCheck`."""

OUTREACH_NOTES: Final = "kernel.outreach_notes"
"""Registry of `OutreachNote`."""

Purpose: TypeAlias = Literal["service", "transaction", "marketing"]
"""Why somebody is written to: an answer they wait for, news of what they bought or booked, or an offer."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is to get a message: a customer, a phone number that may belong to one, or both."""

    customer_id: UUID | None = None
    phone: str | None = None
    """As E.164, e.g. +8613800138000."""
    message_id: UUID | None = None
    """The message that leaves now; it counts once, however often it is tried. None: only asked, as for a preview."""


OutreachCheck: TypeAlias = Callable[[Context, Sequence[Recipient], str, Purpose], Awaitable[Mapping[Recipient, str]]]
"""`(context with an open transaction, recipients, channel, purpose)` → the recipients that must not get it, each with
the reason's name, text `outreach.<reason>`. A repeat of a message that was noted is judged as when it left first."""

OutreachNote: TypeAlias = Callable[[Context, Sequence[Recipient], str, Purpose], Awaitable[None]]
"""The same arguments, for recipients that nothing was said against and that have a `message_id`: these messages leave
now. Noting one again changes nothing."""


async def refusals(
    ctx: Context, recipients: Sequence[Recipient], *, channel: str, purpose: Purpose
) -> dict[Recipient, str]:
    """Who of them must not be written to in this channel for this purpose, and why; the first reason counts.

    One question for all recipients. Ask it in the transaction that marks the messages as leaving: those that may go
    are noted in it.
    """
    found: dict[Recipient, str] = {}
    modules = load_modules()
    for check in modules.extensions(OUTREACH_CHECKS):
        for recipient, reason in (await check(ctx, recipients, channel, purpose)).items():
            found.setdefault(recipient, reason)
    leaving = [one for one in recipients if one.message_id is not None and one not in found]
    if leaving:
        for note in modules.extensions(OUTREACH_NOTES):
            await note(ctx, leaving, channel, purpose)
    return found
