"""What others tell that changes what customers get."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel

from huitouke.kernel.context import Context
from huitouke.kernel.events import Received, on
from huitouke.modules.customers.service import Refusal, refuse_marketing, refuses_marketing
from huitouke.modules.organization import service as organization


class _SmsReplied(BaseModel):
    reply_id: UUID


@on("organization.sms_replied")
async def hear_refusals(ctx: Context, events: Sequence[Received[_SmsReplied]]) -> None:
    """Who answers an SMS with TD, 退订 or the like gets no more offers by SMS, whoever's customer the number is."""
    replies = await organization.sms_replies(ctx, [event.payload.reply_id for event in events])
    numbers = {reply.phone: reply for reply in replies if _refuses(reply.text)}
    refusals = [Refusal("sms_reply", phone=phone, channel="sms", note=numbers[phone].text) for phone in numbers]
    if refusals:
        await refuse_marketing(ctx, refusals)


def _refuses(text: str) -> bool:
    """Besides the words that hold in a chat: the letters that advertising by SMS asks for (拒收请回复R, 回T退订)."""
    return text.strip().upper() in {"T", "R", "N"} or refuses_marketing(text)


HANDLERS = (hear_refusals,)
