"""The console's page about the tenant's plan: what it opens, until when, and how much is used."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.http import ConsoleTransaction, LoadedModules, requires
from huitouke.kernel.locales import translate
from huitouke.kernel.modules import Modules, Permission
from huitouke.kernel.plans.kinds import Feature, Unit
from huitouke.kernel.plans.measuring import usage
from huitouke.kernel.plans.service import all_quotas
from huitouke.kernel.plans.standing import Standing, standing_of

VIEW: Final = "plan.view"
PERMISSION: Final = Permission(VIEW, presets=("manager",))

router = APIRouter(prefix="/api/plan", tags=["plan"])


class QuotaOut(BaseModel):
    """One quota: how much there is, and how much there may be."""

    name: str
    label: str
    unit: Unit
    monthly: bool = Field(description="Begins anew with each month.")
    used: int
    limit: int | None = Field(description="Null: no limit.")
    when_full: str = Field(description="What happens when nothing is left.")


class FeatureOut(BaseModel):
    """Something that plans open."""

    name: str
    label: str
    included: bool


class PlanOut(BaseModel):
    """The tenant's plan and what it used of it."""

    name: str | None = Field(description="Null: no plan, hence no limits.")
    expires_at: datetime | None = Field(description="Null: it has no end.")
    read_only: bool = Field(description="The time is over: everything can be seen, nothing changed.")
    next_name: str | None = Field(description="The plan that follows at the end.")
    features: list[FeatureOut]
    quotas: list[QuotaOut]


@router.get("", operation_id="plan_look", dependencies=[requires(VIEW)])
async def look(ctx: ConsoleTransaction, modules: LoadedModules) -> PlanOut:
    """What the plan opens, until when, and how much of it is used; counted now."""
    standing = await standing_of(ctx)
    now = clock.now()
    plan, following = standing.plan(now), standing.next_plan(now)
    return PlanOut(
        name=plan.title(ctx.locale) if plan is not None else None,
        expires_at=standing.expires_at(now),
        read_only=standing.read_only(now),
        next_name=following.title(ctx.locale) if following is not None else None,
        features=[
            FeatureOut(
                name=feature.name,
                label=translate(ctx.locale, f"features.{feature.name}"),
                included=plan is None or feature.name in plan.features,
            )
            for feature in features_of(modules)
        ],
        quotas=await _quotas(ctx, standing),
    )


def features_of(modules: Modules) -> list[Feature]:
    """What the loaded modules let plans open."""
    return [feature for module in modules for feature in module.features]


async def _quotas(ctx: Context, standing: Standing) -> list[QuotaOut]:
    plan = standing.plan(clock.now())
    used = await usage(ctx)
    return [
        QuotaOut(
            name=quota.name,
            label=translate(ctx.locale, f"quotas.{quota.name}"),
            unit=quota.unit,
            monthly=quota.monthly,
            used=used[quota.name],
            limit=plan.quotas.get(quota.name) if plan is not None else None,
            when_full=translate(ctx.locale, f"quotas.{quota.name}.full"),
        )
        for quota in all_quotas()
    ]
