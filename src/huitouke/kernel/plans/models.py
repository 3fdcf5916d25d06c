"""Tables of plans and of what tenants use."""

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, Date
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, PlatformScoped, TenantScoped


class Plan(PlatformScoped, Base):
    """What the operator offers: features, and limits by the name of their quota; a name that is missing has none."""

    __tablename__ = "plans"
    scope_reason: ClassVar[str] = "what the operator offers to all tenants; read before a tenant's transaction"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    features: Mapped[list[str]] = mapped_column(JSON)
    quotas: Mapped[dict[str, Any]] = mapped_column(JSON)
    trial_days: Mapped[int | None]
    """How long a shop that signs up has it; null: not for trying."""
    position: Mapped[int]
    archived: Mapped[bool]
    roles: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    """With which a new tenant begins besides the presets: `name`, and the preset it is `like` at first."""
    version: Mapped[int]


class TenantUsage(PlatformScoped, Base):
    """What a tenant used, as measured last on that day."""

    __tablename__ = "tenant_usage"
    scope_reason: ClassVar[str] = (
        "figures of use that the operator reads for all tenants; a job writes them tenant by tenant"
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    amount: Mapped[int]


class QuotaSpending(TenantScoped, Base):
    """What was spent of a monthly quota; `month` is its first day."""

    __tablename__ = "quota_spending"

    quota: Mapped[str] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    amount: Mapped[int]
