"""Tables of the customers: one row per person, the names by which channels know them, and who follows them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, TenantScoped


class Customer(TenantScoped, Base):
    """A person who wrote to the tenant at least once."""

    __tablename__ = "customers"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    """The nickname that the channel tells; empty until it was fetched."""
    avatar_url: Mapped[str | None] = mapped_column(Text)
    gender: Mapped[str] = mapped_column(Text)
    remark: Mapped[str | None] = mapped_column(Text)
    """What staff call this person."""
    last_seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    profile_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When name and avatar were last asked for."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    version: Mapped[int]
    followed: Mapped[bool] = mapped_column(server_default=false())
    """Whether anybody follows the customer: kept together with `customer_followers`, for lists of many customers."""


class CustomerIdentity(TenantScoped, Base):
    """One name under which one issuer knows the customer, e.g. (external_userid, corp id, wm…)."""

    __tablename__ = "customer_identities"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    issuer: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class CustomerFollower(TenantScoped, Base):
    """Somebody of the staff whose customer this is (跟进人): a customer may have several, or none yet."""

    __tablename__ = "customer_followers"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class MarketingRefusal(TenantScoped, Base):
    """A person, or a phone number of somebody who need not be a customer, is not to be sent offers.

    It holds until it is ended, which takes a reason; what is ended stays as history.
    """

    __tablename__ = "marketing_refusals"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID | None]
    phone: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    """A kind of channel, or `all`."""
    source: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    refused_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    staff_id: Mapped[UUID | None]
    """Who entered it."""
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_reason: Mapped[str | None] = mapped_column(Text)
    ended_by: Mapped[UUID | None]


class MarketingMessage(TenantScoped, Base):
    """An offer that left within the last days, to whom it went: what the limit per week counts."""

    __tablename__ = "marketing_messages"

    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID | None]
    phone: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    left_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PrivacySettings(TenantScoped, Base):
    """What the shop has chosen; without a row the defaults hold."""

    __tablename__ = "privacy_settings"

    marketing_per_week: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
