"""Reads about notices."""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update

from huitouke.kernel import clock, realtime
from huitouke.kernel.context import ActorKind, Context
from huitouke.kernel.errors import NotFound
from huitouke.kernel.locales import translate
from huitouke.kernel.paging import Page, decode_cursor, encode_cursor, page_of
from huitouke.kernel.plans.standing import standing_of
from huitouke.modules.organization.models import Staff
from huitouke.modules.organization.notice_models import GroupRobot, NoticeDelivery, StaffNotice
from huitouke.modules.organization.notice_schemas import (
    ChannelOut,
    DeliveryOut,
    DeliveryView,
    GroupKind,
    KindOut,
    NoticeOut,
    NoticeSettingsOut,
    QuietOut,
    RobotOut,
    RobotsOut,
)
from huitouke.modules.organization.service.mailing import can_mail
from huitouke.modules.organization.service.notifying import choosing, robots
from huitouke.modules.organization.service.notifying.delivery import explain, message_of
from huitouke.modules.organization.service.notifying.kinds import CONSOLE, GROUP_ROBOT, all_kinds, kind_named
from huitouke.modules.organization.service.notifying.telling import HINT, MAX_ROBOTS
from huitouke.modules.organization.service.notifying.ways import all_channels

MAX_COUNTED: Final = 100
NOT_TOLD: Final = ("failed", "unknown")


async def notice_page(ctx: Context, *, unread: bool, cursor: str | None, limit: int) -> Page[NoticeOut]:
    """What the person was told, newest first; nothing for who is no staff."""
    found = select(StaffNotice).where(StaffNotice.staff_id == _me(ctx), StaffNotice.in_console)
    if unread:
        found = found.where(StaffNotice.read_at.is_(None))
    if cursor is not None:
        (before,) = decode_cursor(cursor, UUID)
        found = found.where(StaffNotice.id < before)
    rows = (await ctx.session.scalars(found.order_by(StaffNotice.id.desc()).limit(limit + 1))).all()
    return page_of([_out(row, ctx.locale) for row in rows], limit, lambda row: encode_cursor(row.id))


async def unread_count(ctx: Context) -> int:
    """How many the person has not read, counted up to MAX_COUNTED."""
    unread = (
        select(StaffNotice.id)
        .where(StaffNotice.staff_id == _me(ctx), StaffNotice.in_console, StaffNotice.read_at.is_(None))
        .limit(MAX_COUNTED)
    )
    return await ctx.session.scalar(select(func.count()).select_from(unread.subquery())) or 0


async def mark_read(ctx: Context, notice_id: UUID) -> None:
    """The person has read it. Raises NotFound."""
    row = await ctx.session.scalar(
        select(StaffNotice).where(StaffNotice.id == notice_id, StaffNotice.staff_id == _me(ctx), StaffNotice.in_console)
    )
    if row is None:
        raise NotFound(kind="notice")
    if row.read_at is None:
        row.read_at = clock.now()
        _look_again(ctx)


async def mark_all_read(ctx: Context) -> None:
    """The person has read everything up to now."""
    await ctx.session.execute(
        update(StaffNotice)
        .where(StaffNotice.staff_id == _me(ctx), StaffNotice.in_console, StaffNotice.read_at.is_(None))
        .values(read_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    _look_again(ctx)


async def notice_settings(ctx: Context) -> NoticeSettingsOut:
    """What the person chose, and which channels reach them."""
    me, locale = choosing.oneself(ctx), ctx.locale
    chosen = await choosing.choices(ctx)
    settings = await choosing.settings_of(ctx)
    channels = [ChannelOut(name=CONSOLE, label=_channel_label(CONSOLE, locale), reaches=True, hint="")]
    for channel in all_channels():
        if channel.name == GROUP_ROBOT:
            continue
        reaches = me in await channel.reaches(ctx, [me])
        hint = "" if reaches else translate(locale, f"notices.channels.{channel.name}.missing")
        label = _channel_label(channel.name, locale)
        channels.append(ChannelOut(name=channel.name, label=label, reaches=reaches, hint=hint))
    names = [channel.name for channel in channels]
    return NoticeSettingsOut(
        channels=channels,
        kinds=[
            KindOut(
                name=kind.name,
                label=_kind_label(kind.name, locale),
                urgent=kind.urgent,
                channels=[one for one in names if chosen.get((kind.name, one), one in kind.channels)],
            )
            for kind in await choosing.kinds_for(ctx)
        ],
        quiet=QuietOut(start=settings.quiet_from, end=settings.quiet_until or 0)
        if settings is not None and settings.quiet_from is not None
        else None,
        time_zone=(await standing_of(ctx)).time_zone,
        mail_open=can_mail(),
        email=settings.email if settings is not None else None,
        phone=settings.phone if settings is not None else None,
    )


async def robots_out(ctx: Context) -> RobotsOut:
    """The robots, and what they can tell."""
    return RobotsOut(
        items=[robot_out(robot) for robot in await robots.group_robots(ctx)],
        kinds=[
            GroupKind(name=kind.name, label=_kind_label(kind.name, ctx.locale))
            for kind in all_kinds()
            if kind.listed and kind.to_groups
        ],
        maximum=MAX_ROBOTS,
    )


def robot_out(robot: GroupRobot) -> RobotOut:
    """The row as the API shows it: without its key."""
    return RobotOut(id=robot.id, name=robot.name, kinds=robot.kinds, created_at=robot.created_at)


async def delivery_page(ctx: Context, *, view: DeliveryView, cursor: str | None, limit: int) -> Page[DeliveryOut]:
    """What went out to people and groups, newest first. Of the notices themselves no more than their kind."""
    found = (
        select(NoticeDelivery, StaffNotice.kind, Staff.name.label("person"), GroupRobot.name.label("robot"))
        .join(StaffNotice, StaffNotice.id == NoticeDelivery.notice_id)
        .outerjoin(Staff, Staff.id == StaffNotice.staff_id)
        .outerjoin(GroupRobot, GroupRobot.id == StaffNotice.robot_id)
    )
    if view == "not_told":
        found = found.where(NoticeDelivery.state.in_(NOT_TOLD))
    if cursor is not None:
        (before,) = decode_cursor(cursor, UUID)
        found = found.where(NoticeDelivery.id < before)
    rows = (await ctx.session.execute(found.order_by(NoticeDelivery.id.desc()).limit(limit + 1))).all()
    items = [_delivery(row.NoticeDelivery, row.kind, row.person, row.robot, ctx.locale) for row in rows]
    return page_of(items, limit, lambda row: encode_cursor(row.id))


def _me(ctx: Context) -> UUID | None:
    return ctx.actor.id if ctx.actor.kind is ActorKind.STAFF else None


def _look_again(ctx: Context) -> None:
    """The person's other screens follow."""
    realtime.hint(ctx, kind=HINT, id=ctx.actor.id)


def _out(row: StaffNotice, locale: str) -> NoticeOut:
    message, kind = message_of(row, locale), kind_named(row.kind)
    return NoticeOut(
        id=row.id,
        kind=row.kind,
        title=message.title,
        text=message.text,
        link=row.link,
        urgent=kind is not None and kind.urgent,
        created_at=row.created_at,
        read_at=row.read_at,
    )


def _delivery(row: NoticeDelivery, kind: str, person: str | None, robot: str | None, locale: str) -> DeliveryOut:
    code = row.error_code
    return DeliveryOut.model_validate(
        {
            "id": row.id,
            "channel": row.channel,
            "channel_label": _channel_label(row.channel, locale),
            "recipient": person or robot or "",
            "to_group": person is None,
            "kind": kind,
            "kind_label": _kind_label(kind, locale),
            "state": row.state,
            "attempts": row.attempts,
            "due_at": row.due_at,
            "error_code": code,
            "error": explain(row.channel, code, locale) if code is not None else None,
            "created_at": row.created_at,
            "changed_at": row.changed_at,
        }
    )


def _kind_label(name: str, locale: str) -> str:
    return translate(locale, f"notices.{name}")


def _channel_label(name: str, locale: str) -> str:
    return translate(locale, f"notices.channels.{name}")
