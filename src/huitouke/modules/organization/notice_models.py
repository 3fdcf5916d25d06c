"""Tables about telling people: what they are told, how each of it goes out, and what everybody chose."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, TenantScoped
from huitouke.kernel.keys import sealed_column

DeliveryState = Literal["queued", "sending", "sent", "failed", "unknown"]


class GroupRobot(TenantScoped, Base):
    """A robot in one of the merchant's internal groups (path/99110)."""

    __tablename__ = "group_robots"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    key_sealed: Mapped[str] = mapped_column(Text)
    key_digest: Mapped[bytes] = mapped_column(LargeBinary)
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """What it tells the group."""
    created_at: Mapped[datetime]


class StaffNotice(TenantScoped, Base):
    """Something that one person, or one group through its robot, is told. No text of people's but names in `args`."""

    __tablename__ = "notices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    recipient_id: Mapped[UUID]
    staff_id: Mapped[UUID | None]
    robot_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    args: Mapped[dict[str, Any]] = mapped_column(JSONB)
    link: Mapped[str] = mapped_column(Text)
    """A path of the console; empty where there is nothing to open."""
    dedupe_key: Mapped[str] = mapped_column(Text)
    in_console: Mapped[bool]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class NoticeDelivery(TenantScoped, Base):
    """A notice on one way out of the console: queued → sending → sent | failed | unknown."""

    __tablename__ = "notice_deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID]
    recipient_id: Mapped[UUID]
    channel: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    error_code: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class NoticeChoice(TenantScoped, Base):
    """Somebody wants, or doesn't want, that kind on that channel. Without a row the kind's own default counts."""

    __tablename__ = "notice_choices"

    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    wanted: Mapped[bool]


class NoticeSettings(TenantScoped, Base):
    """A person's quiet hours and own addresses."""

    __tablename__ = "notice_settings"

    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    email: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)


class AddressCode(TenantScoped, Base):
    """A code on its way to an address that somebody says is theirs."""

    __tablename__ = "address_codes"

    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    address: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


sealed_column("group_robots", "key_sealed")
