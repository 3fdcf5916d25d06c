"""Tables of the platform about people. A WeCom userid belongs to a tenant's staff, never here."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, PlatformScoped


class User(PlatformScoped, Base):
    """Someone who can sign in. `sign_in_name` is kept in lower case."""

    __tablename__ = "users"
    scope_reason: ClassVar[str] = "a person may work for several tenants; read before the tenant is known"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sign_in_name: Mapped[str]
    password_hash: Mapped[str]
    display_name: Mapped[str]
    locale: Mapped[str]
    state: Mapped[str]
    """active or disabled"""
    created_at: Mapped[datetime]
    password_changed_at: Mapped[datetime]


class Membership(PlatformScoped, Base):
    """That a user may enter a tenant; written together with the tenant's `staff` row."""

    __tablename__ = "memberships"
    scope_reason: ClassVar[str] = "which tenants a person may enter; read at sign-in, before the tenant is known"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    """active or ended"""
    created_at: Mapped[datetime]


class UserSession(PlatformScoped, Base):
    """A browser that is signed in. Only the digest of its cookie is kept."""

    __tablename__ = "sessions"
    scope_reason: ClassVar[str] = "found by the cookie before the tenant is known"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[UUID]
    user_id: Mapped[UUID]
    tenant_id: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str | None]
    user_agent: Mapped[str | None]
    last_seen_at: Mapped[datetime | None]
    """To within a quarter of an hour; null until the session was used."""


class AccessLink(PlatformScoped, Base):
    """A link that lets one person set a password, once. Only the digest of its token is kept."""

    __tablename__ = "access_links"
    scope_reason: ClassVar[str] = "opened by someone who is not signed in yet"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[str]
    """invitation or reset"""
    user_id: Mapped[UUID]
    tenant_id: Mapped[UUID]
    """The merchant that sent it; the person is in there at once."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
