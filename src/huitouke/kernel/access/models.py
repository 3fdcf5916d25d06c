"""Tables of the platform about people. A WeCom userid belongs to a tenant's staff, never here."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, PlatformScoped
from huitouke.kernel.keys import sealed_column

sealed_column("second_factors", "secret_sealed", key="user_id", platform=True)


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
    visit_id: Mapped[UUID | None]
    """An operator's visit, which the tenant granted; null: staff."""


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


class SecondFactor(PlatformScoped, Base):
    """A person's authenticator app. Asked for at sign-in once it is confirmed."""

    __tablename__ = "second_factors"
    scope_reason: ClassVar[str] = (
        "belongs to a person, who may work for several tenants; read before there is a session"
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    secret_sealed: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    """Null until the first code was right."""
    last_step: Mapped[int] = mapped_column(BigInteger)
    """The step of the last code that counted: that one and earlier ones don't count again."""
    created_at: Mapped[datetime]


class RecoveryCode(PlatformScoped, Base):
    """A code for who has lost the phone. Only a slow digest is kept."""

    __tablename__ = "recovery_codes"
    scope_reason: ClassVar[str] = (
        "belongs to a person, who may work for several tenants; read before there is a session"
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None]


class SignInChallenge(PlatformScoped, Base):
    """Somebody gave the right password and owes a code. Only the digest of its token is kept."""

    __tablename__ = "sign_in_challenges"
    scope_reason: ClassVar[str] = "held by someone who is not signed in yet"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID]
    tenant_id: Mapped[UUID]
    """The merchant that the session will be for."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    attempts: Mapped[int]
    """Codes tried so far, each counted before it was looked at."""
