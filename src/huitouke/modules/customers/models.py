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
