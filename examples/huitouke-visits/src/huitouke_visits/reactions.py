"""What the plug-in does when something has happened."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.events import Received, on
from huitouke.kernel.locales import translate
from huitouke.kernel.work import GiveUp, RetryLater, enqueue, job
from huitouke.modules.organization import service as organization
from huitouke.wechat.app_messages import AppMessageClient, DuplicateCheck, Receivers
from huitouke.wechat.errors import RateLimited, TransientError, WecomError
from huitouke_visits import service

RETRY_SECONDS: Final = 60.0


class CustomerWrote(BaseModel):
    """The fields of `conversations.message_received` that this plug-in reads."""

    msgtype: str


@on("conversations.message_received")
async def count_messages(ctx: Context, events: Sequence[Received[CustomerWrote]]) -> None:
    """Counts a batch at once; the counts commit together with the mark that these events were handled."""
    await service.add_messages(ctx, Counter(event.occurred_at.date() for event in events))


class Goal(BaseModel):
    """What `visits.goal_reached` says, and what the job needs to know."""

    day: str
    messages: int


@on("visits.goal_reached")
async def plan_telling(ctx: Context, events: Sequence[Received[Goal]]) -> None:
    """A handler may not call the outside; a job may. The key keeps it one job a day, whatever is repeated."""
    for event in events:
        await enqueue(ctx, "visits.tell_staff", event.payload, idempotency_key=event.payload.day)


@job("visits.tell_staff")
async def tell_staff(context: Context, args: Goal) -> None:
    """Writes it to the staff in WeCom: one transaction reads, the call stands outside, nothing is left to write.

    Where an answer is lost the job is tried again, and WeCom drops the equal message. What a repeat can't cure is given
    up at once: it stands among the failed work with its reason until somebody mends it and replays it.
    """
    async with transaction(context) as ctx:
        people = await organization.staff_to_notify(ctx, "visits.view")
        apps = await organization.wecom_apps(ctx)
    if not people or not apps:
        return
    client = AppMessageClient(await organization.wecom_client(context, apps[0].id), int(apps[0].agent_id))
    text = translate(context.locale, "visits.goal_reached", day=args.day, messages=args.messages)
    receivers = Receivers(userids=[person.wecom_userid for person in people])
    try:
        await client.send_text(receivers, text, duplicate_check=DuplicateCheck())
    except (TransientError, RateLimited) as error:
        raise RetryLater(str(error), after_seconds=RETRY_SECONDS) from error
    except WecomError as error:
        raise GiveUp(str(error)) from error
