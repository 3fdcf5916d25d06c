"""What crosses the operator's API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from huitouke.kernel.modules import Preset
from huitouke.kernel.plans.kinds import Unit

Reason = Annotated[str, Field(min_length=1, max_length=200)]
PlanName = Annotated[str, Field(min_length=1, max_length=30)]


class UsageOut(BaseModel):
    """How much of a quota a tenant used when it was measured last."""

    name: str
    label: str
    unit: Unit
    used: int | None = Field(description="Null: not measured yet.")
    limit: int | None = Field(description="Null: no limit.")


class Sign(BaseModel):
    """Something that a module finds wrong."""

    name: str
    label: str
    count: int


class HealthOut(BaseModel):
    """How a tenant was when it was measured last."""

    measured_at: datetime
    last_callback_at: datetime | None
    dead_letters: int
    signs: list[Sign]
    last_error: str | None = Field(description="Kind of work and of error; never a person's words.")
    last_error_at: datetime | None
    good: bool


class TenantRow(BaseModel):
    """A tenant in the list."""

    id: UUID
    name: str
    state: str
    created_at: datetime
    plan_id: UUID | None
    plan_name: str | None = Field(description="Null: no plan, hence no limits.")
    plan_expires_at: datetime | None
    read_only: bool
    next_plan_id: UUID | None
    next_plan_name: str | None
    next_plan_expires_at: datetime | None
    usage: list[UsageOut]
    health: HealthOut | None = Field(description="Null: not measured yet.")


class VisitRow(BaseModel):
    """An operator's visit."""

    id: UUID
    operator_id: UUID
    operator: str
    reason: str
    state: str = Field(description="asked, granted, refused or ended")
    asked_at: datetime
    answered_at: datetime | None
    answered_by: str | None
    until: datetime | None
    ended_at: datetime | None


class TenantDetail(TenantRow):
    """A tenant with what an operator decides on."""

    time_zone: str
    state_reason: str | None
    state_changed_at: datetime | None
    visits: list[VisitRow]


class TenantIn(BaseModel):
    """A tenant to make. Its owner sets a password by the link in the answer."""

    name: str = Field(min_length=1, max_length=40)
    owner_name: str = Field(min_length=1, max_length=40)
    owner_sign_in_name: str = Field(min_length=1, max_length=64)
    plan_id: UUID | None = Field(None, description="Null: no plan, hence no limits.")
    until: AwareDatetime | None = Field(None, description="When the plan's time is over; null: it has no end.")


class InvitationOut(BaseModel):
    """The link for the owner. It is shown once."""

    tenant_id: UUID
    url: str
    expires_at: datetime


class PlanGiven(BaseModel):
    """The plan that the tenant is to have."""

    plan_id: UUID | None
    until: AwareDatetime | None = Field(None, description="When its time is over; null: it has no end.")
    when: Literal["now", "period_end"] = "now"


class WhyIn(BaseModel):
    """What the tenant's people are told."""

    reason: Reason


class ClosingIn(WhyIn):
    """The tenant's name, typed once more, so that no other one is closed."""

    name: str = Field(max_length=40)


class StartingRoleBody(BaseModel):
    """A role of its own with which a new tenant begins, with the permissions of a preset."""

    name: str = Field(min_length=1, max_length=20)
    like: Preset


class PlanBody(BaseModel):
    """A plan. A quota that is missing has no limit."""

    name: PlanName
    name_en: str = Field("", max_length=30)
    features: list[Annotated[str, Field(max_length=60)]] = Field(default_factory=list, max_length=100)
    quotas: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    trial_days: int | None = Field(None, ge=1, le=366)
    archived: bool = False
    roles: list[StartingRoleBody] = Field(
        default_factory=list, max_length=10, description="With which a new tenant begins, besides the presets."
    )


class PlanIn(PlanBody):
    """A plan to make."""

    key: str = Field(min_length=2, max_length=30, description="Small letters, digits and dashes; stays for ever.")


class PlanPut(PlanBody):
    """A plan as it is to be; `version` is the one that the change was made from."""

    version: int


class PlanRow(PlanBody):
    """A plan."""

    id: UUID
    key: str
    version: int
    tenants: int = Field(description="How many have it now.")


class Named(BaseModel):
    """Something that plans open or limit."""

    name: str
    label: str
    unit: Unit | None = None


class PlansOut(BaseModel):
    """All plans, and what there is to open and to limit."""

    items: list[PlanRow]
    features: list[Named]
    quotas: list[Named]


class SettingsBody(BaseModel):
    """What holds for the installation."""

    sign_up_open: bool = Field(description="Whether shops may sign up by themselves.")
    sign_up_plan_id: UUID | None = Field(None, description="The plan they try; it has trial days.")
