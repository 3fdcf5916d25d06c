"""Tables of the operators and of what they see. None is a tenant's."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, PlatformScoped


class PlatformOperator(PlatformScoped, Base):
    """A user who runs the installation."""

    __tablename__ = "platform_operators"
    scope_reason: ClassVar[str] = "who runs the installation; belongs to no tenant"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]


class OperatorSession(PlatformScoped, Base):
    """An operator's browser. Only the digest of its cookie is kept."""

    __tablename__ = "operator_sessions"
    scope_reason: ClassVar[str] = "an operator's browser; for no tenant"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[UUID]
    user_id: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str | None]
    user_agent: Mapped[str | None]


class PlatformAuditEntry(PlatformScoped, Base):
    """One thing that an operator did. Entries are added and read, nothing else."""

    __tablename__ = "platform_audit"
    scope_reason: ClassVar[str] = "what operators did, across tenants; what touches a tenant stands in its own log too"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime]
    user_id: Mapped[UUID | None]
    operator: Mapped[str]
    address: Mapped[str | None]
    request_id: Mapped[str | None]
    action: Mapped[str]
    tenant_id: Mapped[UUID | None]
    object: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class TenantHealth(PlatformScoped, Base):
    """How a tenant was when it was measured last."""

    __tablename__ = "tenant_health"
    scope_reason: ClassVar[str] = "how tenants are, for the operator; a job writes it tenant by tenant"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    measured_at: Mapped[datetime]
    last_callback_at: Mapped[datetime | None]
    dead_letters: Mapped[int]
    signs: Mapped[dict[str, Any]] = mapped_column(JSON)
    last_error: Mapped[str | None]
    last_error_at: Mapped[datetime | None]


class TenantVisit(PlatformScoped, Base):
    """An operator's wish to enter a tenant, and what became of it: asked → granted or refused → ended."""

    __tablename__ = "tenant_visits"
    scope_reason: ClassVar[str] = "read at sign-in, before the tenant is known, and by the operator who asked"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]
    user_id: Mapped[UUID]
    operator: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
    until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class PlatformSettings(PlatformScoped, Base):
    """What the operator has set for the installation; without the row nobody signs up by themselves."""

    __tablename__ = "platform_settings"
    scope_reason: ClassVar[str] = "what the operator has set for the installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    sign_up_open: Mapped[bool]
    sign_up_plan_id: Mapped[UUID | None]
