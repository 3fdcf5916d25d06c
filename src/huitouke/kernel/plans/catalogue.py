"""The plans that the operator offers: made, changed with a version, put away."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from huitouke.kernel.errors import Conflict, InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import PRESETS, Preset, load_modules
from huitouke.kernel.plans.models import Plan
from huitouke.kernel.plans.problems import PlanKeyTaken
from huitouke.kernel.plans.service import all_quotas
from huitouke.kernel.plans.standing import forget_standing

MAX_PLANS: Final = 50
MAX_LIMIT: Final = 10**15
MAX_TRIAL_DAYS: Final = 366
MAX_NAME_CHARACTERS: Final = 30
MAX_STARTING_ROLES: Final = 10
MAX_ROLE_NAME_CHARACTERS: Final = 20

_KEY: Final = re.compile(r"[a-z][a-z0-9-]{1,29}")


@dataclass(frozen=True, slots=True)
class StartingRole:
    """A role with which a new tenant begins; its permissions are those of the preset `like`, until the tenant's people
    change them."""

    name: str
    like: Preset


@dataclass(frozen=True, slots=True)
class PlanDraft:
    """What a plan is to be. A quota that is missing has no limit."""

    name: str
    name_en: str
    features: Sequence[str]
    quotas: Mapping[str, int]
    trial_days: int | None
    archived: bool = False
    roles: Sequence[StartingRole] = ()


async def all_plans(session: AsyncSession) -> Sequence[Plan]:
    """Every plan, archived ones last; at most 50."""
    rows = await session.scalars(select(Plan).order_by(Plan.archived, Plan.position, Plan.id).limit(MAX_PLANS))
    return rows.all()


async def plan_to_give(session: AsyncSession, plan_id: UUID) -> Plan:
    """The plan, if it is still given to anybody. Raises NotFound."""
    plan = await session.scalar(select(Plan).where(Plan.id == plan_id))
    if plan is None or plan.archived:
        raise NotFound(kind="plan")
    return plan


async def create_plan(session: AsyncSession, key: str, draft: PlanDraft) -> Plan:
    """Makes a plan that stands last.

    Raises InvalidInput, PlanKeyTaken.
    """
    if not _KEY.fullmatch(key):
        raise InvalidInput(field="key", reason="plan_key")
    if await session.scalar(select(Plan.id).where(Plan.key == key)) is not None:
        raise PlanKeyTaken(field="key")
    count, last = (await session.execute(select(func.count(Plan.id), func.max(Plan.position)))).one()
    if count >= MAX_PLANS:
        raise InvalidInput(field="name", reason="too_many", maximum=MAX_PLANS)
    plan = Plan(id=new_id(), key=key, position=(last or 0) + 1, version=1)
    _fill(plan, draft)
    session.add(plan)
    await session.flush()
    return plan


async def change_plan(session: AsyncSession, plan_id: UUID, draft: PlanDraft, version: int) -> Plan:
    """Changes a plan for everybody who has it, from now on. Who has an archived one keeps it.

    Raises NotFound, InvalidInput, Conflict (somebody changed it meanwhile).
    """
    plan = await session.scalar(select(Plan).where(Plan.id == plan_id).with_for_update())
    if plan is None:
        raise NotFound(kind="plan")
    if plan.version != version:
        raise Conflict
    _fill(plan, draft)
    plan.version += 1
    await session.flush()
    return plan


def facts(plan: Plan) -> dict[str, object]:
    """What the log keeps of it."""
    return {
        "name": plan.name,
        "features": list(plan.features),
        "quotas": dict(plan.quotas),
        "trial_days": plan.trial_days,
        "roles": [f"{role['name']} ({role['like']})" for role in plan.roles or ()],
        "archived": plan.archived,
    }


def plans_changed() -> None:
    """After the commit: what tenants may counts anew at once in this process."""
    forget_standing()


def _fill(plan: Plan, draft: PlanDraft) -> None:
    name = " ".join(draft.name.split())
    if not name or len(name) > MAX_NAME_CHARACTERS:
        raise InvalidInput(field="name", reason="length", maximum=MAX_NAME_CHARACTERS)
    known = {feature.name for module in load_modules() for feature in module.features}
    unknown = set(draft.features) - known - set(plan.features or ())
    if unknown:
        raise InvalidInput(field="features", reason="unknown_feature")
    quotas = {quota.name for quota in all_quotas()}
    if set(draft.quotas) - quotas - set(plan.quotas or {}):
        raise InvalidInput(field="quotas", reason="unknown_quota")
    if any(not 0 <= limit <= MAX_LIMIT for limit in draft.quotas.values()):
        raise InvalidInput(field="quotas", reason="quota_range")
    if draft.trial_days is not None and not 1 <= draft.trial_days <= MAX_TRIAL_DAYS:
        raise InvalidInput(field="trial_days", reason="trial_days", maximum=MAX_TRIAL_DAYS)
    plan.name = name
    plan.name_en = " ".join(draft.name_en.split())[:MAX_NAME_CHARACTERS]
    plan.features = sorted(set(draft.features))
    plan.quotas = dict(draft.quotas)
    plan.trial_days = draft.trial_days
    plan.archived = draft.archived
    plan.roles = _roles(draft.roles)


def _roles(wanted: Sequence[StartingRole]) -> list[dict[str, str]]:
    roles = [{"name": " ".join(role.name.split()), "like": role.like} for role in wanted]
    names = [role["name"] for role in roles]
    if len(roles) > MAX_STARTING_ROLES:
        raise InvalidInput(field="roles", reason="too_many", maximum=MAX_STARTING_ROLES)
    if not all(0 < len(name) <= MAX_ROLE_NAME_CHARACTERS for name in names):
        raise InvalidInput(field="roles", reason="length", maximum=MAX_ROLE_NAME_CHARACTERS)
    if len(set(names)) < len(names):
        raise InvalidInput(field="roles", reason="role_twice")
    if any(role["like"] not in PRESETS for role in roles):
        raise InvalidInput(field="roles", reason="unknown_preset")
    return roles
