"""What a person chose: kinds, channels and quiet hours. One's own, of nobody else."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import clock
from huitouke.kernel.context import ActorKind, Context
from huitouke.kernel.errors import InvalidInput, NotFound, RateLimited
from huitouke.modules.organization.notice_models import AddressCode, NoticeChoice, NoticeSettings
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.granting import held
from huitouke.modules.organization.service.notifying.kinds import CONSOLE, TEST, NoticeKind, all_kinds
from huitouke.modules.organization.service.notifying.quiet import MINUTES_A_DAY, QuietHours
from huitouke.modules.organization.service.notifying.telling import People, tell
from huitouke.modules.organization.service.notifying.ways import all_channels

TEST_EVERY: Final = timedelta(minutes=1)


def oneself(ctx: Context) -> UUID:
    """The staff id of who asks. Raises NotFound for who is no staff: a platform operator who looks in."""
    if ctx.actor.kind is not ActorKind.STAFF or ctx.actor.id is None:
        raise NotFound(kind="staff")
    return ctx.actor.id


async def kinds_for(ctx: Context) -> list[NoticeKind]:
    """What the person may be told of, and so chooses about."""
    mine = await held(ctx)
    return [kind for kind in all_kinds() if kind.listed and (kind.permission is None or kind.permission in mine)]


async def choices(ctx: Context) -> dict[tuple[str, str], bool]:
    """What the person chose, by kind and channel; what is missing has the kind's default."""
    rows = await ctx.session.execute(
        select(NoticeChoice.kind, NoticeChoice.channel, NoticeChoice.wanted).where(
            NoticeChoice.staff_id == oneself(ctx)
        )
    )
    return {(row.kind, row.channel): row.wanted for row in rows}


async def choose(ctx: Context, kind: str, channel: str, wanted: bool) -> None:
    """Turns a kind on or off on a channel. Raises InvalidInput."""
    if kind not in {one.name for one in await kinds_for(ctx)}:
        raise InvalidInput(field="kind", reason="unknown")
    if channel not in {CONSOLE, *(one.name for one in all_channels())}:
        raise InvalidInput(field="channel", reason="unknown")
    row = insert(NoticeChoice).values(
        tenant_id=ctx.tenant_id, staff_id=oneself(ctx), kind=kind, channel=channel, wanted=wanted
    )
    await ctx.session.execute(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "staff_id", "kind", "channel"], set_={"wanted": row.excluded.wanted}
        )
    )


async def settings_of(ctx: Context) -> NoticeSettings | None:
    """The person's quiet hours and addresses, where there are any."""
    return await ctx.session.scalar(select(NoticeSettings).where(NoticeSettings.staff_id == oneself(ctx)))


async def set_quiet(ctx: Context, hours: QuietHours | None) -> None:
    """Sets the quiet hours, or takes them away. Raises InvalidInput."""
    for field, minute in (("start", hours.start), ("end", hours.end)) if hours is not None else ():
        if not 0 <= minute < MINUTES_A_DAY:
            raise InvalidInput(field=field, reason="minute")
    if hours is not None and hours.start == hours.end:
        raise InvalidInput(field="end", reason="same_minute")
    start, end = (hours.start, hours.end) if hours is not None else (None, None)
    await keep(ctx, quiet_from=start, quiet_until=end)


async def keep(ctx: Context, **values: object) -> None:
    """Writes columns of the person's settings."""
    await ctx.session.execute(
        insert(NoticeSettings)
        .values(tenant_id=ctx.tenant_id, staff_id=oneself(ctx), **values)
        .on_conflict_do_update(index_elements=["tenant_id", "staff_id"], set_=values)
    )


async def forget_choices(ctx: Context, staff_ids: Sequence[UUID]) -> None:
    """For who has left: neither choices nor addresses are kept."""
    for model in (NoticeChoice, NoticeSettings, AddressCode):
        await ctx.session.execute(
            delete(model).where(model.staff_id.in_(staff_ids)).execution_options(synchronize_session=False)
        )


async def try_channel(ctx: Context, channel: str) -> None:
    """Sends oneself a test on that channel, at most once a minute. Raises InvalidInput, NoWayToYou, RateLimited."""
    me = oneself(ctx)
    found = next((one for one in all_channels() if one.name == channel), None)
    if found is None:
        raise InvalidInput(field="channel", reason="unknown")
    if me not in await found.reaches(ctx, [me]):
        raise problems.NoWayToYou(channel=channel)
    told = await tell(ctx, TEST, People((me,)), dedupe_key=test_key(channel), only=(channel,))
    if not told:
        raise RateLimited(retry_after_seconds=int(TEST_EVERY.total_seconds()))


def test_key(channel: str) -> str:
    """One test a minute."""
    return f"test:{channel}:{clock.now():%Y%m%d%H%M}"
