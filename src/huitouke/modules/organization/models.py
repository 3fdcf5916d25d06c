"""Tables of the organization: roles, staff, WeCom apps and their access tokens."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, TenantScoped
from huitouke.kernel.keys import sealed_column

StaffState = Literal["active", "disabled", "left"]
StaffSource = Literal["hand", "wecom", "import"]
DataScopeKind = Literal["own", "department", "department_below", "chosen", "all"]
WecomAppState = Literal["new", "verified", "failing"]


class OwnRole(TenantScoped, Base):
    """A role that the merchant made."""

    __tablename__ = "roles"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """Those of modules that are not installed (any more) are kept, and allow nothing."""
    data_scope: Mapped[str] = mapped_column(Text)
    """Whose customers it sees; for `chosen` the departments of `role_departments`."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    version: Mapped[int]


class Department(TenantScoped, Base):
    """A part of the merchant. Departments form a tree; those without a parent stand at the top."""

    __tablename__ = "departments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[UUID | None]
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(BigInteger)
    """Place among its siblings, highest first, as WeCom's `order` (path/90196)."""
    wecom_id: Mapped[int | None] = mapped_column(BigInteger)
    """WeCom's number of it; null where it was made here."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class StaffDepartment(TenantScoped, Base):
    """Somebody belongs to a department; people may belong to several."""

    __tablename__ = "staff_departments"

    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
    department_id: Mapped[UUID] = mapped_column(primary_key=True)
    leads: Mapped[bool]


class RoleDepartment(TenantScoped, Base):
    """A department that an own role with the scope `chosen` sees."""

    __tablename__ = "role_departments"

    role_id: Mapped[UUID] = mapped_column(primary_key=True)
    department_id: Mapped[UUID] = mapped_column(primary_key=True)


class Staff(TenantScoped, Base):
    """A person who works for the tenant; their sign-in, where they have one, is the platform's user of `user_id`."""

    __tablename__ = "staff"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    """Null for people whom the address book names and who don't sign in."""
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    """A preset's name, or `own`: then `role_id` says which."""
    role_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(Text)
    wecom_userid: Mapped[str | None] = mapped_column(Text)
    notify_app_messages: Mapped[bool]
    """Whether waiting customers ring in this person's WeCom."""
    source: Mapped[str] = mapped_column(Text)
    """Who entered the person: `hand`, `wecom` (the address book, which then decides name and departments), `import`."""
    left_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class WecomApp(TenantScoped, Base):
    """A self-built WeCom app through which we call the tenant's corp."""

    __tablename__ = "wecom_apps"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    corp_id: Mapped[str] = mapped_column(Text)
    agent_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    secret_sealed: Mapped[str] = mapped_column(Text)
    callback_endpoint_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(Text)
    last_checked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_check: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
    """What the last check found: [{name, state, code}]."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class AccessToken(TenantScoped, Base):
    """The access token of one credential and the right to renew it."""

    __tablename__ = "access_tokens"

    credential_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_sealed: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    refreshing_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


sealed_column("wecom_apps", "secret_sealed")
sealed_column("access_tokens", "token_sealed", key="credential_id")
