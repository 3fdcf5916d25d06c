"""The way out: what is due for one recipient on one channel goes out together, once.

The step to `sending` commits before the call, the result after it. What a killed process left at `sending` may have
gone out: it becomes `unknown`, is shown, and is sent again by a person or not at all.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import func, select, update

from huitouke.kernel import clock, realtime
from huitouke.kernel.access.models import User
from huitouke.kernel.context import DEFAULT_LOCALE, Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import NotFound
from huitouke.kernel.locales import has_text, translate
from huitouke.kernel.settings import get_settings
from huitouke.kernel.work import fence, schedule, wake, wake_many
from huitouke.modules.organization.models import Staff
from huitouke.modules.organization.notice_models import NoticeDelivery, StaffNotice
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.notifying.kinds import TEXT, kind_named
from huitouke.modules.organization.service.notifying.telling import (
    KEY_SEPARATOR,
    NOTICE_RUNNER,
    NOTICE_SCHEDULE,
    runner_key,
)
from huitouke.modules.organization.service.notifying.ways import Envelope, Message, NotSent, channel_named

TOGETHER: Final = 20
"""Notices in one message; more follow in the next."""

PAUSES: Final = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
"""Between tries of what certainly did not go out; then it has failed."""

WOKEN_AT_ONCE: Final = 1_000
LIST: Final = "/notices"
DELIVERY_HINT: Final = "notice_delivery"

INTERRUPTED: Final = "interrupted"
NO_WAY: Final = "no_way"
KIND_GONE: Final = "kind_gone"
OUR_CODES: Final = frozenset({INTERRUPTED, NO_WAY, KIND_GONE})
"""Those that no channel explains: texts `notices.codes.<code>`."""

AGAIN: Final = frozenset({"failed", "unknown"})
"""States from which a person may have it sent again."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes out at once."""

    channel: str
    recipient_id: UUID
    delivery_ids: Sequence[UUID]
    tries: int
    address: Any
    envelope: Envelope


async def work(context: Context, key: str) -> None:
    """Sends what is due for that key, until nothing is left."""
    name, _, recipient = key.partition(KEY_SEPARATOR)
    while True:
        async with transaction(context) as ctx:
            await fence(ctx)
            batch = await begin(ctx, name, UUID(recipient))
        if batch is None:
            return
        failed = await _send(context, batch)
        async with transaction(context) as ctx:
            await finish(ctx, batch, failed)


async def begin(ctx: Context, name: str, recipient_id: UUID) -> Batch | None:
    """Marks what is due as leaving; None when nothing is. Of what a killed run left nobody knows whether it arrived."""
    now = clock.now()
    mine = (NoticeDelivery.recipient_id == recipient_id, NoticeDelivery.channel == name)
    left = await _set(ctx, (*mine, NoticeDelivery.state == "sending"), state="unknown", error_code=INTERRUPTED)
    if left:
        _show(ctx)
    rows = (
        await ctx.session.execute(
            select(NoticeDelivery.id, NoticeDelivery.attempts, StaffNotice)
            .join(StaffNotice, StaffNotice.id == NoticeDelivery.notice_id)
            .where(*mine, NoticeDelivery.state == "queued", NoticeDelivery.due_at <= now)
            .order_by(NoticeDelivery.id)
            .limit(TOGETHER)
            .with_for_update(of=NoticeDelivery)
        )
    ).all()
    if not rows:
        return None
    known = [row for row in rows if kind_named(row.StaffNotice.kind) is not None]
    channel = channel_named(name)
    locale = await _locale(ctx, recipient_id, rows[0].StaffNotice.staff_id is not None)
    address = await channel.address(ctx, recipient_id) if channel is not None and locale is not None else None
    lost = rows if address is None or locale is None else [row for row in rows if row not in known]
    if lost:
        code = KIND_GONE if len(known) < len(rows) else NO_WAY
        await _set(ctx, (NoticeDelivery.id.in_([row.id for row in lost]),), state="failed", error_code=code)
        _show(ctx)
    if address is None or locale is None or not known:
        return await begin(ctx, name, recipient_id)
    ids = [row.id for row in known]
    await _set(ctx, (NoticeDelivery.id.in_(ids),), state="sending", attempts=NoticeDelivery.attempts + 1)
    url = get_settings().public_url
    envelope = Envelope([message_of(row.StaffNotice, locale) for row in known], locale, f"{url}{LIST}")
    return Batch(name, recipient_id, ids, max(row.attempts for row in known) + 1, address, envelope)


async def finish(ctx: Context, batch: Batch, failed: NotSent | None) -> None:
    """Keeps what became of it. The truth replaces a guess: another run may have called it unknown meanwhile."""
    which = (NoticeDelivery.id.in_(batch.delivery_ids), NoticeDelivery.state.in_(("sending", "unknown")))
    if failed is None:
        await _set(ctx, which, state="sent", error_code=None)
        _show(ctx)
        return
    log.warning("organization.notice_not_sent", channel=batch.channel, code=failed.code, failure=failed.failure)
    if failed.failure == "retry" and batch.tries <= len(PAUSES):
        pause = max(PAUSES[batch.tries - 1], timedelta(seconds=failed.after_seconds or 0))
        due_at = clock.now() + pause
        await _set(ctx, which, state="queued", error_code=failed.code, due_at=due_at)
        await schedule(ctx, NOTICE_SCHEDULE, due_at)
        return
    state = "unknown" if failed.failure == "unknown" else "failed"
    await _set(ctx, which, state=state, error_code=failed.code)
    _show(ctx)


async def wake_due(ctx: Context) -> datetime | None:
    """Wakes what has waited long enough; gives when the next is due."""
    now = clock.now()
    rows = await ctx.session.execute(
        select(NoticeDelivery.channel, NoticeDelivery.recipient_id)
        .where(NoticeDelivery.state == "queued", NoticeDelivery.due_at <= now)
        .order_by(NoticeDelivery.due_at)
        .limit(WOKEN_AT_ONCE)
    )
    found = rows.all()
    await wake_many(ctx, NOTICE_RUNNER, {runner_key(row.channel, row.recipient_id) for row in found})
    if len(found) == WOKEN_AT_ONCE:
        return now + PAUSES[0]
    upcoming = select(func.min(NoticeDelivery.due_at)).where(
        NoticeDelivery.state == "queued", NoticeDelivery.due_at > now
    )
    return await ctx.session.scalar(upcoming)


async def send_again(ctx: Context, delivery_id: UUID) -> None:
    """Sends once more what failed, or of which nobody knows whether it arrived.

    Raises NotFound, NothingToSendAgain.
    """
    row = await ctx.session.scalar(select(NoticeDelivery).where(NoticeDelivery.id == delivery_id))
    if row is None:
        raise NotFound(kind="notice_delivery")
    again = (NoticeDelivery.id == delivery_id, NoticeDelivery.state.in_(AGAIN))
    if not await _set(ctx, again, state="queued", attempts=0, due_at=clock.now()):
        raise problems.NothingToSendAgain
    await wake(ctx, NOTICE_RUNNER, runner_key(row.channel, row.recipient_id))
    _show(ctx)


def message_of(notice: StaffNotice, locale: str) -> Message:
    """The notice in that language."""
    key = f"notices.{notice.kind}"
    args = {name: _read(value, locale) for name, value in notice.args.items()}
    text = translate(locale, f"{key}.text", **args) if has_text(f"{key}.text") else ""
    url = f"{get_settings().public_url}{notice.link}" if notice.link else ""
    return Message(translate(locale, f"{key}.title", **args), text, url)


def explain(channel: str, code: str, locale: str) -> str:
    """The sentence behind a delivery's code."""
    if code in OUR_CODES:
        return translate(locale, f"notices.codes.{code}")
    found = channel_named(channel)
    return found.explain(code, locale) if found is not None else code


def _read(value: Any, locale: str) -> Any:
    return translate(locale, value[len(TEXT) :]) if isinstance(value, str) and value.startswith(TEXT) else value


async def _send(context: Context, batch: Batch) -> NotSent | None:
    channel = channel_named(batch.channel)
    assert channel is not None, "its address was found"
    try:
        await channel.send(context, batch.address, batch.envelope)
    except NotSent as failed:
        return failed
    return None


async def _locale(ctx: Context, recipient_id: UUID, person: bool) -> str | None:
    """The language of the person, who must still work here; of groups the default one."""
    if not person:
        return DEFAULT_LOCALE
    found: str | None = await ctx.session.scalar(
        select(User.locale)
        .join(Staff, Staff.user_id == User.id)
        .where(Staff.id == recipient_id, Staff.state == "active")
    )
    return found


async def _set(ctx: Context, where: Collection[Any], **values: Any) -> int:
    """How many it changed."""
    rows = await ctx.session.scalars(
        update(NoticeDelivery)
        .where(*where)
        .values(changed_at=clock.now(), **values)
        .returning(NoticeDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return len(rows.all())


def _show(ctx: Context) -> None:
    """The page of deliveries looks again."""
    realtime.hint(ctx, kind=DELIVERY_HINT)
