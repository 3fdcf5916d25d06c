"""`tell`: the one way in which modules tell people something."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from huitouke.kernel import clock, realtime
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.database.columns import JSON, Columns
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import load_modules
from huitouke.kernel.plans.standing import standing_of
from huitouke.kernel.scoping import NOBODYS, Owners
from huitouke.kernel.work import schedule, wake_many
from huitouke.modules.organization.models import OwnRole, Staff
from huitouke.modules.organization.notice_models import GroupRobot, NoticeChoice, NoticeSettings, StaffNotice
from huitouke.modules.organization.service.notifying.kinds import CONSOLE, GROUP_ROBOT, NoticeKind
from huitouke.modules.organization.service.notifying.quiet import QuietHours
from huitouke.modules.organization.service.notifying.ways import all_channels
from huitouke.modules.organization.service.roles import permissions_of
from huitouke.modules.organization.service.scopes import who_see

NOTICE_RUNNER: Final = "organization.notice"
NOTICE_SCHEDULE: Final = "organization.notices_due"
KEY_SEPARATOR: Final = ":"
HINT: Final = "notice"
HINTS_EACH: Final = 20
"""More people than this are told by one hint to all screens."""

MAX_RECIPIENTS: Final = 2_000
MAX_ROBOTS: Final = 20
MAX_ARGS_CHARACTERS: Final = 200
"""Of each text among the arguments: a name, never what somebody wrote."""

KEPT: Final = timedelta(days=90)
CLEANED_AT_ONCE: Final = 200

_NOTICES: Final = Columns(
    "notices",
    (
        ("id", "uuid"),
        ("recipient_id", "uuid"),
        ("staff_id", "uuid"),
        ("robot_id", "uuid"),
        ("kind", "text"),
        ("args", JSON),
        ("link", "text"),
        ("dedupe_key", "text"),
        ("in_console", "boolean"),
        ("created_at", "timestamptz"),
    ),
)
_DELIVERIES: Final = Columns(
    "notice_deliveries",
    (
        ("id", "uuid"),
        ("notice_id", "uuid"),
        ("recipient_id", "uuid"),
        ("channel", "text"),
        ("state", "text"),
        ("attempts", "integer"),
        ("due_at", "timestamptz"),
        ("created_at", "timestamptz"),
        ("changed_at", "timestamptz"),
    ),
)
_ADD_NOTICES: Final = _NOTICES.insert("ON CONFLICT (tenant_id, recipient_id, dedupe_key) DO NOTHING RETURNING id")
_ADD_DELIVERIES: Final = _DELIVERIES.insert()


@dataclass(frozen=True, slots=True)
class People:
    """These people, by the ids of their staff rows."""

    staff_ids: Collection[UUID]


@dataclass(frozen=True, slots=True)
class Holders:
    """Everybody who has the permission and sees what belongs to `of`, but not `but`: who did it knows."""

    permission: str
    of: Owners = NOBODYS
    but: UUID | None = None


Recipients: TypeAlias = People | Holders


@dataclass(frozen=True, slots=True)
class _Notice:
    """A row of `notices`, and the channels that it goes out on."""

    id: UUID
    recipient_id: UUID
    staff_id: UUID | None
    robot_id: UUID | None
    kind: str
    args: Mapping[str, Any]
    link: str
    dedupe_key: str
    in_console: bool
    created_at: datetime
    channels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Delivery:
    id: UUID
    notice_id: UUID
    recipient_id: UUID
    channel: str
    due_at: datetime
    created_at: datetime
    changed_at: datetime
    state: str = "queued"
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What people chose, and which channels reach them."""

    choices: Mapping[tuple[UUID, str], bool]
    quiet: Mapping[UUID, QuietHours]
    reached: Mapping[str, set[UUID]]
    only: Collection[str] | None = field(default=None)

    def channels(self, kind: NoticeKind, staff_id: UUID) -> list[str]:
        return [
            channel
            for channel, reached in self.reached.items()
            if staff_id in reached and self.wants(kind, staff_id, channel)
        ]

    def wants(self, kind: NoticeKind, staff_id: UUID, channel: str) -> bool:
        if self.only is not None:
            return channel in self.only
        return self.choices.get((staff_id, channel), channel in kind.channels)


async def tell(
    ctx: Context,
    kind: NoticeKind,
    to: Recipients,
    *,
    dedupe_key: str,
    args: Mapping[str, str | int] | None = None,
    link: str = "",
    only: Collection[str] | None = None,
) -> int:
    """Tells these people, and the groups whose robots tell of that kind; gives how many are told now.

    The same key is told to the same recipient once. Each person's channels are their own choice; `only` overrides it,
    for tests of a channel. What isn't urgent waits until their quiet hours end. A fixed number of queries.

    Raises:
        ValueError: an argument is longer than a name can be.
    """
    values = dict(args or {})
    if any(isinstance(value, str) and len(value) > MAX_ARGS_CHARACTERS for value in values.values()):
        raise ValueError(f"an argument of {kind.name} has more than {MAX_ARGS_CHARACTERS} characters: pass names")
    now = clock.now()
    people = await _people(ctx, kind, to)
    wishes = await _wishes(ctx, kind, people, only)
    drafts = [
        _Notice(
            new_id(), one, one, None, kind.name, values, link, dedupe_key, wishes.wants(kind, one, CONSOLE), now,
            wishes.channels(kind, one),
        )
        for one in people
    ]  # fmt: skip
    drafts = [one for one in drafts if one.in_console or one.channels]
    if isinstance(to, Holders) and kind.to_groups and only is None:
        drafts += [
            _Notice(new_id(), one, None, one, kind.name, values, link, dedupe_key, False, now, (GROUP_ROBOT,))
            for one in await _robots(ctx, kind)
        ]
    told = await add(ctx, drafts)
    await queue(ctx, kind, told, wishes.quiet)
    _hint(ctx, [one.staff_id for one in told if one.staff_id is not None and one.in_console])
    await _clean_up(ctx, now)
    return len(told)


async def tell_robot(ctx: Context, kind: NoticeKind, robot_id: UUID, *, dedupe_key: str) -> int:
    """Tells one group, whatever its robot tells of otherwise: to try it."""
    draft = _Notice(
        new_id(), robot_id, None, robot_id, kind.name, {}, "", dedupe_key, False, clock.now(), (GROUP_ROBOT,)
    )
    told = await add(ctx, [draft])
    await queue(ctx, kind, told, {})
    return len(told)


async def add(ctx: Context, drafts: Sequence[_Notice]) -> list[_Notice]:
    """Writes those that their recipients have not been told; gives these."""
    if not drafts:
        return []
    raw = await connection(ctx)
    rows = await raw.fetch(_ADD_NOTICES, ctx.tenant_id, *_NOTICES.arguments(drafts))
    added = {row["id"] for row in rows}
    return [one for one in drafts if one.id in added]


async def queue(ctx: Context, kind: NoticeKind, told: Sequence[_Notice], quiet: Mapping[UUID, QuietHours]) -> None:
    """Puts what goes out on its ways; what has to wait is woken by the tenant's schedule."""
    now = clock.now()
    zone = ZoneInfo((await standing_of(ctx)).time_zone)
    rows: list[_Delivery] = []
    for one in told:
        hours = quiet.get(one.recipient_id) if not kind.urgent else None
        due_at = (hours.until(now, zone) if hours is not None else None) or now
        rows += [_Delivery(new_id(), one.id, one.recipient_id, way, due_at, now, now) for way in one.channels]
    if not rows:
        return
    raw = await connection(ctx)
    await raw.execute(_ADD_DELIVERIES, ctx.tenant_id, *_DELIVERIES.arguments(rows))
    await wake_many(
        ctx, NOTICE_RUNNER, {runner_key(row.channel, row.recipient_id) for row in rows if row.due_at <= now}
    )
    later = [row.due_at for row in rows if row.due_at > now]
    if later:
        await schedule(ctx, NOTICE_SCHEDULE, min(later))


def runner_key(channel: str, recipient_id: UUID) -> str:
    """One runner per way to one recipient: in order, and what waited goes out together."""
    return f"{channel}{KEY_SEPARATOR}{recipient_id}"


async def _people(ctx: Context, kind: NoticeKind, to: Recipients) -> list[UUID]:
    """Who of them works here at present, signs in, and may be told of that kind."""
    wanted = (
        select(Staff.id, Staff.role, Staff.role_id, OwnRole.permissions, OwnRole.data_scope)
        .outerjoin(OwnRole, OwnRole.id == Staff.role_id)
        .where(Staff.state == "active", Staff.user_id.is_not(None))
        .order_by(Staff.id)
        .limit(MAX_RECIPIENTS)
    )
    if isinstance(to, People):
        wanted = wanted.where(Staff.id.in_(to.staff_ids))
    needed = {one for one in (kind.permission, to.permission if isinstance(to, Holders) else None) if one is not None}
    modules = load_modules()
    rows = [
        row
        for row in await ctx.session.execute(wanted)
        if needed <= permissions_of(row.role, modules, row.permissions or ())
    ]
    if isinstance(to, People):
        return [row.id for row in rows]
    seeing = await who_see(ctx, [(row.id, row.role, row.role_id, row.data_scope) for row in rows], to.of)
    return [row.id for row in rows if row.id in seeing and row.id != to.but]


async def _wishes(ctx: Context, kind: NoticeKind, people: Sequence[UUID], only: Collection[str] | None) -> _Wishes:
    if not people:
        return _Wishes({}, {}, {}, only)
    choices = await ctx.session.execute(
        select(NoticeChoice.staff_id, NoticeChoice.channel, NoticeChoice.wanted).where(
            NoticeChoice.kind == kind.name, NoticeChoice.staff_id.in_(people)
        )
    )
    settings = await ctx.session.execute(
        select(NoticeSettings.staff_id, NoticeSettings.quiet_from, NoticeSettings.quiet_until).where(
            NoticeSettings.staff_id.in_(people), NoticeSettings.quiet_from.is_not(None)
        )
    )
    return _Wishes(
        choices={(row.staff_id, row.channel): row.wanted for row in choices},
        quiet={row.staff_id: QuietHours(row.quiet_from, row.quiet_until) for row in settings},
        reached={channel.name: await channel.reaches(ctx, people) for channel in all_channels()},
        only=only,
    )


async def _robots(ctx: Context, kind: NoticeKind) -> list[UUID]:
    rows = await ctx.session.execute(select(GroupRobot.id, GroupRobot.kinds).order_by(GroupRobot.id).limit(MAX_ROBOTS))
    return [row.id for row in rows if kind.name in row.kinds]


def _hint(ctx: Context, staff_ids: Iterable[UUID]) -> None:
    """Has the bells of these people look again."""
    told = list(staff_ids)
    if len(told) > HINTS_EACH:
        realtime.hint(ctx, kind=HINT)
        return
    for staff_id in told:
        realtime.hint(ctx, kind=HINT, id=staff_id)


async def _clean_up(ctx: Context, now: datetime) -> None:
    """Old notices go when others come: they can't pile up."""
    old = (
        select(StaffNotice.id)
        .where(StaffNotice.created_at < now - KEPT)
        .order_by(StaffNotice.created_at)
        .limit(CLEANED_AT_ONCE)
    )
    ids = list(await ctx.session.scalars(old))
    if ids:
        await ctx.session.execute(
            delete(StaffNotice).where(StaffNotice.id.in_(ids)).execution_options(synchronize_session=False)
        )
